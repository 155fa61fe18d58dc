"""Reads every record as it is written: the steps of each job and turn, one after the other (design.md: Turns)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rota.domain.gpus import Condition, Fleet, Gpu, in_slices
from rota.domain.jobs import AfterTurn, Job, JobState, Transition
from rota.domain.reasons import Asked, GpuOutOfService, Reason, ReservationBegins, SomebodyWaits, TimeIsOver
from rota.domain.reservations import Reservation
from rota.domain.turns import Outcome, Turn, TurnState
from rota.simulate.broken import require
from rota.simulate.invariants import CLOCKS, check_clock
from rota.simulate.machine import Machine
from rota.store.contract import Entries

CHAIN = "every step of a state machine begins where the last one ended"
QUANTUM = "a turn is not ended inside its quantum, but for a failed GPU, its member's wish, or a reservation"
RESUMABLE = "only a job that can be resumed is taken off before its time"
GANG = "a gang starts whole, inside one node where it fits"
SERVICE = "no turn begins on a GPU that is out of service"
SAVED = "a turn that was saved has lost nothing"
REASON = "every step has its reason"


@dataclass(slots=True)
class Witness:
    """Knows the latest state of everything that was recorded. It outlives daemons, as the record does."""

    fleet: Fleet
    machine: Machine
    reservations: tuple[Reservation, ...] = ()
    say: Callable[[str], None] = lambda line: None
    _states: dict[tuple[str, str], str] = field(default_factory=dict)
    _jobs: dict[int, Job] = field(default_factory=dict)
    _turns: dict[str, Turn] = field(default_factory=dict)
    _marks: dict[str, Condition] = field(default_factory=dict)
    _attained: dict[int, float] = field(default_factory=dict)
    _stops: dict[int, Reason] = field(default_factory=dict)  #: by job: why its latest turn was told to end

    def recorded(self, entries: Entries) -> None:
        """One transaction. Raises Broken."""
        for step in entries.transitions:
            self._check_chain(step)
        ended = {step.id: step for step in entries.transitions if step.after == TurnState.ENDING}
        self._jobs.update((job.id, job) for job in entries.jobs)
        for turn in entries.turns:
            before = self._turns.get(turn.id)
            if before is None:
                self._check_grant(turn)
            elif turn.id in ended:
                self._check_notice(before, ended[turn.id])
                self._stops[turn.job] = ended[turn.id].reason
            if turn.state is TurnState.ENDED and (before is None or before.state is not TurnState.ENDED):
                self._check_ended(turn)
            self._turns[turn.id] = turn
        for job in entries.jobs:
            attained = self._attained.get(job.id, 0.0)
            said = f"job {job.id} has attained {job.attained_gpu_s} GPU-seconds, and its turns {attained}"
            require(abs(job.attained_gpu_s - attained) < 1e-6, CLOCKS, said)
        self._marks.update((mark.gpu, mark.condition) for mark in entries.marks)

    def why_stopped(self, job: int) -> Reason | None:
        """Why its latest turn was told to end; None when it ended by itself, or has had none."""
        return self._stops.get(job)

    def _check_chain(self, step: Transition) -> None:
        self.say(f"{step.subject} {step.id} {step.before or 'new'} -> {step.after}: {step.reason}")
        key = (step.subject, step.id)
        before = self._states.get(key, TurnState.GRANTED.value if step.subject == "turn" else "")
        require(step.before == before, CHAIN, f"{step.subject} {step.id} was {before}, and goes from {step.before}")
        require(bool(step.reason.to_dict().get("kind")), REASON, f"{step.subject} {step.id} -> {step.after}")
        self._states[key] = step.after

    def _check_grant(self, turn: Turn) -> None:
        job, gpus = self._jobs[turn.job], [gpu for gpu in self.fleet.gpus if gpu.uuid in turn.gpus]
        request = job.request
        said = f"{turn.id} was given {[gpu.label for gpu in gpus]} for {request.gpus} GPUs of {request.tiers or 'any'}"
        require(len(gpus) == len(turn.gpus) == request.gpus, GANG, said)
        require(len({gpu.tier for gpu in gpus}) == 1, GANG, said)
        require(not request.tiers or gpus[0].tier in request.tiers, GANG, said)
        if request.gpus <= self._largest_bay(gpus[0].tier):
            require(len({gpu.node for gpu in gpus}) == 1, GANG, said)
        for gpu in gpus:
            condition = self._marks.get(gpu.uuid, Condition.HEALTHY)
            require(condition is Condition.HEALTHY, SERVICE, f"{turn.id} begins on {gpu.label}, which is {condition}")
            require(gpu.memory_bytes >= request.gpu_memory_bytes, GANG, f"{gpu.label} is too small for {turn.id}")

    def _largest_bay(self, tier: str) -> int:
        """The most GPUs of a tier that turns may have on one node."""
        wholes = in_slices(self.fleet.gpus)

        def usable(gpu: Gpu, node: str) -> bool:
            return gpu.node == node and gpu.tier == tier and gpu.uuid not in wholes

        return max(sum(usable(gpu, node.name) for gpu in self.fleet.gpus) for node in self.fleet.nodes)

    def _check_notice(self, turn: Turn, step: Transition) -> None:
        """A turn is told to end: because of what, and not before what it was promised."""
        job, why, at = self._jobs[turn.job], step.reason, step.at
        if isinstance(why, Asked):
            require(job.after_turn is not None, QUANTUM, f"{turn.id} ends by a wish that nobody had: {why}")
            return
        if isinstance(why, GpuOutOfService) and why.condition == Condition.FAILED.value:
            is_broken = any(self._marks.get(gpu) is Condition.FAILED for gpu in turn.gpus)
            require(is_broken, QUANTUM, f"{turn.id} ends because of a failed GPU that works")
            return
        if isinstance(why, ReservationBegins):
            known = [one for one in self.reservations if one.name == why.reservation and one.begins_at <= at]
            require(bool(known), QUANTUM, f"{turn.id} ends for a reservation that has not begun")
        if not job.request.is_resumable:
            require(isinstance(why, TimeIsOver), RESUMABLE, f"{turn.id} cannot be resumed and ends: {why}")
            require(
                at >= (turn.limit_at or 0.0), RESUMABLE, f"{turn.id} ends {(turn.limit_at or 0.0) - at} s too early"
            )
        if isinstance(why, SomebodyWaits):
            require(why.job in self._jobs, REASON, f"{turn.id} ends for job {why.job}, which does not exist")
        said = f"{turn.id} was guaranteed until {turn.guaranteed_until} and is told at {at} to end: {why}"
        require(at >= turn.guaranteed_until, QUANTUM, said)

    def _check_ended(self, turn: Turn) -> None:
        check_clock(turn, self.machine)
        self._attained[turn.job] = self._attained.get(turn.job, 0.0) + turn.gpu_s
        if turn.outcome is Outcome.SAVED:
            require(turn.lost_s == 0, SAVED, f"{turn.id} was saved and yet lost {turn.lost_s} s")
        if turn.outcome is Outcome.CANCELLED:
            job = self._jobs[turn.job]
            is_wanted = job.after_turn is AfterTurn.CANCEL or job.state is JobState.CANCELLED
            require(is_wanted, QUANTUM, f"{turn.id} was cancelled by nobody")

"""Daemons and policies that are broken on purpose, each for the invariant that must catch it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from rota.daemon import outcomes
from rota.daemon.books import Books, Draft
from rota.daemon.core import Core
from rota.domain.jobs import Job, JobState
from rota.domain.reasons import MovesUp, SomebodyWaits, YourTurn
from rota.domain.turns import Turn, TurnState
from rota.engines.contract import Ended, StartOrder
from rota.errors import RotaError
from rota.policy.follow import Follower
from rota.policy.plan import plan
from rota.policy.values import End, Plan, Snapshot, Wait
from rota.simulate import invariants, plans, witness
from rota.simulate.engine import SimulatedEngine
from rota.store.contract import Entries
from rota.store.memory import MemoryStore

Patch = Callable[[pytest.MonkeyPatch], None]


def _plan(patch: pytest.MonkeyPatch, change: Callable[[Snapshot, Callable[[Snapshot], Plan]], Plan]) -> None:
    """Another policy, in the daemon and where it is asked afresh: `change` is given the snapshot and the real one."""
    patch.setattr(Follower, "plan", lambda self, snapshot, wants_reasons=True: change(snapshot, plan))
    patch.setattr(plans, "plan", lambda snapshot: change(snapshot, plan))


def overlooks_who_came(patch: pytest.MonkeyPatch) -> None:
    """What is kept from plan to plan does not hear of jobs that come and go."""
    patch.setattr(Follower, "_take_waiting", lambda self, standing, waiting, snapshot: None)


def decides_otherwise_than_it_explains(patch: pytest.MonkeyPatch) -> None:
    """Without reasons, no turn is told to end; whoever asks for reasons hears of another plan."""
    with_reasons = Follower.plan

    def hasty(self: Follower, snapshot: Snapshot, wants_reasons: bool = True) -> Plan:
        made = with_reasons(self, snapshot, wants_reasons)
        return made if wants_reasons else replace(made, ends=())

    patch.setattr(Follower, "plan", hasty)


# --- policies ------------------------------------------------------------------------------------


def grants_a_busy_gpu(patch: pytest.MonkeyPatch) -> None:
    """One running turn is forgotten."""
    _plan(patch, lambda snapshot, plan: plan(replace(snapshot, turns=snapshot.turns[1:])))


def gives_a_gpu_beside_its_slices(patch: pytest.MonkeyPatch) -> None:
    """Slices are taken for GPUs of their own."""

    def careless(snapshot: Snapshot, plan: Callable[[Snapshot], Plan]) -> Plan:
        return plan(replace(snapshot, gpus=tuple(replace(gpu, slice_of=None) for gpu in snapshot.gpus)))

    _plan(patch, careless)


def uses_gpus_out_of_service(patch: pytest.MonkeyPatch) -> None:
    _plan(patch, lambda snapshot, plan: plan(replace(snapshot, conditions={})))


def forgets_reservations(patch: pytest.MonkeyPatch) -> None:
    def careless(snapshot: Snapshot, plan: Callable[[Snapshot], Plan]) -> Plan:
        return plan(replace(snapshot, reservations=()))

    _plan(patch, careless)


def tears_gangs_apart(patch: pytest.MonkeyPatch) -> None:
    def torn(snapshot: Snapshot, plan: Callable[[Snapshot], Plan]) -> Plan:
        made = plan(snapshot)
        return replace(made, begins=tuple(replace(begin, gpus=begin.gpus[:1]) for begin in made.begins))

    _plan(patch, torn)


def _ends_also(patch: pytest.MonkeyPatch, which: Callable[[Turn, Snapshot], bool], job: int = 1) -> None:
    """Some running turn is told to end, in favour of that job."""

    def hasty(snapshot: Snapshot, plan: Callable[[Snapshot], Plan]) -> Plan:
        made = plan(snapshot)
        told = {end.turn for end in made.ends}
        turns = [turn for turn in snapshot.turns if turn.state is TurnState.RUNNING and turn.id not in told]
        more = [End(turn.id, SomebodyWaits(job, "kim", 1.0)) for turn in turns if which(turn, snapshot)]
        return replace(made, ends=(*made.ends, *more[:1]))

    _plan(patch, hasty)


def ends_turns_inside_their_quantum(patch: pytest.MonkeyPatch) -> None:
    _ends_also(patch, lambda turn, snapshot: turn.limit_at is None and turn.guaranteed_until > snapshot.at)


def ends_jobs_that_cannot_be_resumed(patch: pytest.MonkeyPatch) -> None:
    _ends_also(patch, lambda turn, snapshot: turn.limit_at is not None)


def ends_turns_for_nobody(patch: pytest.MonkeyPatch) -> None:
    _ends_also(patch, lambda turn, snapshot: turn.limit_at is None and turn.guaranteed_until <= snapshot.at, job=10**6)


def moves_turns_nowhere(patch: pytest.MonkeyPatch) -> None:
    """Whoever is past its quantum is told to move up, whether or not it would be given the faster tier."""

    def restless(snapshot: Snapshot, plan: Callable[[Snapshot], Plan]) -> Plan:
        made = plan(snapshot)
        told = {end.turn for end in made.ends}
        is_open = [
            turn
            for turn in snapshot.turns
            if turn.state is TurnState.RUNNING
            and turn.limit_at is None
            and turn.guaranteed_until <= snapshot.at
            and turn.id not in told
        ]
        moves = [End(turn.id, MovesUp(snapshot.tiers[0], 2.0)) for turn in is_open]
        return replace(made, ends=(*made.ends, *moves))

    _plan(patch, restless)


def forgets_to_tell_somebody(patch: pytest.MonkeyPatch) -> None:
    def silent(snapshot: Snapshot, plan: Callable[[Snapshot], Plan]) -> Plan:
        made = plan(snapshot)
        return replace(made, waits=made.waits[:-1])

    _plan(patch, silent)


def lets_gpus_idle(patch: pytest.MonkeyPatch) -> None:
    """The first that would begin is told to wait."""

    def idle(snapshot: Snapshot, plan: Callable[[Snapshot], Plan]) -> Plan:
        made = plan(snapshot)
        waits = tuple(Wait(begin.job, len(made.waits) + 1, YourTurn(0.0, 0)) for begin in made.begins[:1])
        return replace(made, begins=made.begins[1:], waits=(*made.waits, *waits))

    _plan(patch, idle)


# --- daemons -------------------------------------------------------------------------------------


def starts_before_it_records(patch: pytest.MonkeyPatch) -> None:
    """Engine first, record second: a crash between the two leaves a turn that nobody knows."""
    record = Core._record

    def too_late(self: Core, draft: Draft) -> None:
        for turn in draft.entries().turns:
            if turn.state is TurnState.GRANTED:
                launch = self.laboratory.store.launch(turn.job)
                gpus = tuple(gpu for gpu in self.laboratory.fleet.gpus if gpu.uuid in turn.gpus)
                order = StartOrder(turn.id, turn.job, turn.number, "", "", launch, gpus, 0.0, checkpoint="/checkpoint")
                self.engine.start(order)
        record(self, draft)

    patch.setattr(Core, "_record", too_late)


def forgets_turns_after_a_crash(patch: pytest.MonkeyPatch) -> None:
    """A new daemon does not look for the turns of the old one."""
    patch.setattr(SimulatedEngine, "adopt", lambda self, order, was_started: None)


def shows_what_it_could_not_record(patch: pytest.MonkeyPatch) -> None:
    """Answers although the store failed."""
    record = Core._record

    def careless(self: Core, draft: Draft) -> None:
        try:
            record(self, draft)
        except RotaError:
            self.books.take_over(draft.entries())

    patch.setattr(Core, "_record", careless)


def drops_jobs_that_it_answered(patch: pytest.MonkeyPatch) -> None:
    """A job that came alone onto the list is neither recorded nor shown."""
    entries_of = Draft.entries

    def leaky(self: Draft) -> Entries:
        entries = entries_of(self)
        if len(entries.launches) != 1:
            return entries
        return Entries(turns=entries.turns, marks=entries.marks, projects=entries.projects)

    patch.setattr(Draft, "entries", leaky)


def keeps_ended_turns_on_the_books(patch: pytest.MonkeyPatch) -> None:
    def leaky(self: Books, turn: Turn, job: Job) -> None:
        self.turns[turn.id] = turn

    patch.setattr(Books, "_take_turn", leaky)


def writes_steps_that_never_were(patch: pytest.MonkeyPatch) -> None:
    """Every step of a job is said to come from the list."""
    entries_of = Draft.entries

    def lying(self: Draft) -> Entries:
        entries = entries_of(self)
        steps = [replace(one, before=JobState.WAITING.value) for one in entries.transitions if one.subject == "job"]
        return replace(entries, transitions=(*steps, *(one for one in entries.transitions if one.subject != "job")))

    patch.setattr(Draft, "entries", lying)


def charges_the_wall_clock(patch: pytest.MonkeyPatch) -> None:
    """GPU-seconds from grant to end, which a clock that jumps makes wrong."""
    record = MemoryStore.record

    def charge(turn: Turn) -> Turn:
        if turn.ended_at is None:
            return turn
        return replace(turn, gpu_s=(turn.ended_at - turn.granted_at) * len(turn.gpus))

    def wrong(self: MemoryStore, entries: Entries) -> None:
        record(self, replace(entries, turns=tuple(charge(turn) for turn in entries.turns)))

    patch.setattr(MemoryStore, "record", wrong)


def calls_saved_work_lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outcomes, "_lost_s", lambda ended, outcome: 1.0)


def takes_a_notice_for_the_end(patch: pytest.MonkeyPatch) -> None:
    """A job that exits 0 after the notice is called finished, though it has work left."""
    judge = outcomes.outcome_of

    def hasty(ended: Ended, turn: Turn, job: Job) -> outcomes.Outcome:
        return judge(replace(ended, notice_at=None), turn, job)

    patch.setattr(outcomes, "outcome_of", hasty)


#: By mutant, the invariant that it breaks.
MUTANTS: dict[Patch, str] = {
    overlooks_who_came: plans.PURE,
    decides_otherwise_than_it_explains: plans.PURE,
    grants_a_busy_gpu: invariants.ONE_TURN,
    gives_a_gpu_beside_its_slices: invariants.ONE_TURN,
    uses_gpus_out_of_service: witness.SERVICE,
    forgets_reservations: plans.RESERVED,
    tears_gangs_apart: witness.GANG,
    ends_turns_inside_their_quantum: witness.QUANTUM,
    ends_jobs_that_cannot_be_resumed: witness.RESUMABLE,
    ends_turns_for_nobody: witness.REASON,
    moves_turns_nowhere: plans.MOVES,
    forgets_to_tell_somebody: plans.TOLD,
    lets_gpus_idle: plans.BUSY,
    starts_before_it_records: invariants.KNOWN,
    forgets_turns_after_a_crash: invariants.ENDS,
    shows_what_it_could_not_record: invariants.RECORDED,
    drops_jobs_that_it_answered: invariants.KEPT,
    keeps_ended_turns_on_the_books: invariants.AGREE,
    writes_steps_that_never_were: witness.CHAIN,
    charges_the_wall_clock: invariants.CLOCKS,
    calls_saved_work_lost: witness.SAVED,
    takes_a_notice_for_the_end: invariants.DONE,
}

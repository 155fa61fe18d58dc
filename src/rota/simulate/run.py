"""One simulated day: the daemon, again and again, over a machine and a record that survive its crashes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from rota.daemon.commands import Release
from rota.daemon.core import Core
from rota.daemon.laboratory import Grace, Laboratory
from rota.domain.gpus import Condition
from rota.errors import RotaError
from rota.policy.values import Rules
from rota.simulate.broken import Broken, kind_of
from rota.simulate.clock import VirtualClock
from rota.simulate.day import (
    AddsProject,
    Changes,
    ClockJumps,
    Day,
    Expects,
    LosesTurn,
    Marks,
    Reserves,
    SetsQuantum,
    Strikes,
    Submits,
    What,
)
from rota.simulate.engine import SimulatedEngine
from rota.simulate.faults import Crash, Faults, FaultyEngine, FaultyStore
from rota.simulate.invariants import ENDS, check_end, check_kept, check_step
from rota.simulate.machine import Machine
from rota.simulate.people import ADMIN, Asks, command_of
from rota.simulate.plans import check_plan
from rota.simulate.scenario import Scenario, draw_day
from rota.simulate.story import said
from rota.simulate.witness import Witness
from rota.store.contract import JobFilter, Store
from rota.store.memory import MemoryStore

GIVE_UP_S = 20_000.0  # after the last happening: a job that has not ended by then is stuck
RESTART_S = 1.0  # from a crash to the next daemon


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    seed: int
    jobs: int
    turns: int
    crashes: int
    steps: int
    record: str  #: SHA-256 of everything that was recorded


@dataclass(slots=True)
class Simulation:
    """One day over one machine and one store. `tell` hears every step."""

    day: Day
    store: Store = field(default_factory=MemoryStore)
    clock: VirtualClock = field(default_factory=VirtualClock)
    tell: Callable[[str], None] | None = None
    told: dict[int, tuple[int, ...]] = field(default_factory=dict)  #: acknowledged jobs, by the number of their submit
    steps: int = 0
    core: Core | None = None
    laboratory: Laboratory = field(init=False)
    faults: Faults = field(init=False)
    machine: Machine = field(init=False)
    witness: Witness = field(init=False)
    _inbox: list[tuple[int, Asks]] = field(default_factory=list)
    _open: set[int] = field(default_factory=set)  #: acknowledged, and not known to have ended

    def __post_init__(self) -> None:
        self.faults = Faults(self._say)
        self.machine = Machine(self.clock)
        rules = Rules(quantum_s=self.day.quantum_s, default_limit_s=60.0, patience_s=600.0)
        settings = [happening.what for happening in self.day.happenings.values()]
        began_at = self.clock.wall()
        reservations = tuple(
            replace(one, begins_at=began_at + one.begins_at, ends_at=began_at + one.ends_at)
            for one in (what.reservation for what in settings if isinstance(what, Reserves))
        )
        deadlines = tuple(
            replace(what.deadline, at=began_at + what.deadline.at) for what in settings if isinstance(what, Expects)
        )
        self.witness = Witness(self.day.fleet, self.machine, reservations, self._say)
        store = FaultyStore(self.store, self.faults, self.witness.recorded)
        grace = Grace(least_s=4.0, most_s=30.0)
        self.laboratory = Laboratory(self.day.fleet, store, rules, grace, self.day.bounds, reservations, deadlines)

    def run(self) -> Report:
        """The whole day, then the quiet time in which every job must end. Raises Broken, or what a defect raises."""
        for number, happening in self.day.happenings.items():
            self.clock.at(happening.at, lambda number=number, what=happening.what: self._happen(number, what))  # type: ignore[misc]  # a lambda's default cannot be annotated
        self._go_on_until(lambda: self.clock.now >= self.day.lasts_s)
        self._end_the_faults()
        give_up_at = self.clock.now + GIVE_UP_S
        self._go_on_until(lambda: self._all_ended() or self.clock.now > give_up_at)
        if not self._all_ended():
            left = sorted(self.core.books.jobs) if self.core else "?"
            raise Broken(ENDS, f"jobs {left} have not, {GIVE_UP_S:g} s after the day")
        jobs = {job for jobs in self.told.values() for job in jobs}
        check_end(self.store, self.machine, jobs)
        return Report(
            self.day.seed,
            len(jobs),
            len(self.machine.processes),
            self.faults.crashes,
            self.steps,
            fingerprint(self.store),
        )

    def _say(self, line: str) -> None:
        if self.tell is not None:
            self.tell(f"{self.clock.now:9.3f} s  {line}")

    # --- the day ------------------------------------------------------------------------------

    def _happen(self, number: int, what: What) -> None:
        self._say(f"[{number}] {said(what)}")
        match what:
            case Submits() | Changes() | Marks() | AddsProject():
                self._inbox.append((number, what))
            case Strikes():
                self.faults.arm(what)
            case LosesTurn(gpu):
                if gpu in self.machine.holders:
                    self.machine.lose(self.machine.holders[gpu])
            case ClockJumps(by_s):
                self.clock.wall_offset_s += by_s
            case SetsQuantum(quantum_s):
                self._set_quantum(quantum_s)

    def _set_quantum(self, quantum_s: float) -> None:
        """As on SIGHUP; without a daemon, the next one reads it."""
        self.laboratory.rules = replace(self.laboratory.rules, quantum_s=quantum_s)
        self.laboratory.bounds = None
        if self.core is not None:
            self.core.weigh_anew(self.clock.wall())

    def _end_the_faults(self) -> None:
        """From here on everything works; broken GPUs are mended, held jobs released."""
        self._say("the day is over: from here on everything works")
        self.faults.disarm()
        for gpu in self.day.fleet.gpus:
            self._inbox.append((0, Marks(gpu.uuid, Condition.HEALTHY)))
        self.clock.after(5.0, self._release_everything)

    def _release_everything(self) -> None:
        open_jobs = [job for job in self.store.remember().jobs if not job.state.is_final]
        if self.core is not None:
            self.core.hear([Release(ADMIN, job.id) for job in open_jobs], self.clock.wall())
        if open_jobs or self.core is None:
            self.clock.after(60.0, self._release_everything)

    # --- the daemon ---------------------------------------------------------------------------

    def _go_on_until(self, is_over: Callable[[], bool]) -> None:
        while not is_over():
            try:
                core = self.core or self._new_daemon()
                come_again_at = self._step(core)
            except Crash:
                self.core = None
                come_again_at = self.clock.wall() + RESTART_S
            self._sleep(come_again_at)

    def _new_daemon(self) -> Core:
        """A daemon that knows nothing but what the store holds, and the settings."""
        self._say("a daemon begins")
        self.core = Core(self.laboratory, FaultyEngine(SimulatedEngine(self.machine), self.faults))
        self.core.recover(self.clock.wall())
        return self.core

    def _step(self, core: Core) -> float | None:
        """What the asyncio service does when it wakes: answer people, then go one step. Everything is checked."""
        self.steps += 1
        at = self.clock.wall()
        asked, self._inbox = self._inbox, []
        if asked:
            self._hear(core, asked, at)
        again = core.advance(at)
        check_step(core, self.machine)
        check_kept(core, self._open)
        if core.snapshot is not None and core.snapshot.at == at and "store" not in core.trouble:
            check_plan(core, self.witness.why_stopped)
        return again

    def _hear(self, core: Core, asked: Sequence[tuple[int, Asks]], at: float) -> None:
        answers = core.hear([command_of(number, what, self.told) for number, what in asked], at)
        for (number, _), answer in zip(asked, answers, strict=True):
            is_refused = isinstance(answer, RotaError)
            self._say(f"[{number}] is {'refused' if is_refused else 'answered'}: {answer}")
            if not isinstance(answer, RotaError) and answer.jobs:
                self.told[number] = answer.jobs
                self._open.update(answer.jobs)

    def _sleep(self, come_again_at: float | None) -> None:
        """Until the next thing happens, or the daemon wants to look again (at most a minute, as the service does)."""
        wake_at = self.clock.now + 60.0
        if come_again_at is not None:
            wake_at = min(wake_at, max(come_again_at - self.clock.wall_offset_s, self.clock.now + 0.01))
        happens_at = self.clock.next_at()
        self.clock.run_until(min(wake_at, happens_at) if happens_at is not None else wake_at)

    def _all_ended(self) -> bool:
        core = self.core
        is_quiet = core is not None and not core.books.jobs and not core.books.turns and not self._inbox
        return is_quiet and not self.machine.holders


def fingerprint(store: Store) -> str:
    """SHA-256 of every job, turn and step in a store."""
    jobs = store.jobs(JobFilter(limit=1_000_000))
    ids = tuple(job.id for job in jobs)
    recorded = (jobs, store.turns_of(ids), [store.transitions_of(job) for job in ids], store.remember())
    return hashlib.sha256(repr(recorded).encode()).hexdigest()


def run(seed: int, scenario: Scenario | None = None) -> Report:
    """One seed. What it raises when an invariant breaks says how to run it again."""
    try:
        return Simulation(draw_day(seed, scenario)).run()
    except Exception as broken:
        broken.add_note(f"again with: python -m rota.simulate --seed {seed}")
        raise


def failure_of(day: Day) -> Exception | None:
    """What breaks on this day, if anything does."""
    try:
        Simulation(day).run()
    except Exception as broken:  # an invariant, or a defect in any step
        return broken
    return None


def fails_alike(day: Day, kind: str) -> Callable[[Sequence[int]], bool]:
    """Whether a selection of the day's happenings breaks in that way."""

    def fails(numbers: Sequence[int]) -> bool:
        broken = failure_of(day.only(numbers))
        return broken is not None and kind_of(broken) == kind

    return fails

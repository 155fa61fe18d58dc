"""One simulated laboratory from a seed: the daemon over a machine that survives its crashes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from rota.daemon.commands import Command, Mark, Release
from rota.daemon.core import Core
from rota.daemon.laboratory import Grace, Laboratory
from rota.domain.gpus import Condition
from rota.domain.jobs import JobState
from rota.errors import RotaError
from rota.policy.values import Rules
from rota.simulate.clock import VirtualClock
from rota.simulate.engine import SimulatedEngine
from rota.simulate.faults import Crash, Faults, FaultyEngine, FaultyStore
from rota.simulate.invariants import check_end, check_step
from rota.simulate.machine import Machine
from rota.simulate.scenario import ADMIN, Scenario, fleet_of, random_command, random_submit
from rota.store.contract import Store
from rota.store.memory import MemoryStore

GIVE_UP_S = 20_000.0  # after the last fault: a job that has not ended by then is stuck
RESTART_S = 1.0  # from a crash to the next daemon


class Stuck(AssertionError):
    """Jobs did not end although everything worked again."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    seed: int
    jobs: int
    turns: int
    crashes: int
    steps: int
    lasted_s: float


@dataclass(slots=True)
class Simulation:
    """The daemon, again and again, over one machine and one store."""

    seed: int
    scenario: Scenario = field(default_factory=Scenario)
    store: Store = field(default_factory=MemoryStore)
    clock: VirtualClock = field(default_factory=VirtualClock)
    acknowledged: set[int] = field(default_factory=set)
    steps: int = 0
    inbox: list[Command] = field(default_factory=list)
    core: Core | None = None
    chance: random.Random = field(init=False)
    faults: Faults = field(init=False)
    machine: Machine = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.faults = Faults(self.scenario.rates, random.Random(-1 - self.seed))
        self.machine = Machine(self.clock)

    def run(self) -> Report:
        """The whole day, then the quiet time in which every job must end. Raises AssertionError."""
        self._plan_the_day()
        self._go_on_until(lambda: self.clock.now >= self.scenario.lasts_s)
        self._end_the_faults()
        give_up_at = self.clock.now + GIVE_UP_S
        self._go_on_until(lambda: self._all_ended() or self.clock.now > give_up_at)
        if not self._all_ended():
            raise Stuck(f"seed {self.seed}: {[job.id for job in self.core.books.jobs.values()] if self.core else '?'}")
        check_end(self.store, self.machine, self.acknowledged)
        return Report(
            self.seed,
            len(self.acknowledged),
            len(self.machine.processes),
            self.faults.crashes,
            self.steps,
            self.clock.now,
        )

    # --- the day ------------------------------------------------------------------------------

    def _plan_the_day(self) -> None:
        """Submits come at random times, then commands, faults of the machine each second."""
        lasts_s = self.scenario.lasts_s
        for _ in range(self.scenario.jobs):
            self.clock.at(self.chance.uniform(0, lasts_s / 2), self._submit)
        for _ in range(self.scenario.jobs):
            self.clock.at(self.chance.uniform(0, lasts_s), self._somebody_does_something)
        for second in range(int(lasts_s)):
            self.clock.at(float(second), self._machine_fails)

    def _submit(self) -> None:
        self.inbox.append(random_submit(self.scenario, self.chance, len(self.acknowledged)))

    def _somebody_does_something(self) -> None:
        self.inbox.append(random_command(fleet_of(self.scenario.gpus), self.chance, len(self.acknowledged)))

    def _machine_fails(self) -> None:
        rates, machine = self.faults.rates, self.machine
        running = sorted(machine.holders.values())
        if running and self.faults.happens(rates.lost_turn):
            machine.lose(self.chance.choice(running))
        if self.faults.happens(rates.broken_gpu):
            gpu = self.chance.choice(fleet_of(self.scenario.gpus).gpus).uuid
            self.inbox.append(Mark(ADMIN, (gpu,), Condition.FAILED, "fell off the bus"))
        if self.faults.happens(rates.clock_jump):
            self.clock.wall_offset_s += self.chance.uniform(-600.0, 600.0)

    def _end_the_faults(self) -> None:
        """From here on everything works; broken GPUs are mended, held jobs released."""
        self.faults.is_over = True
        gpus = tuple(gpu.uuid for gpu in fleet_of(self.scenario.gpus).gpus)
        self.inbox.append(Mark(ADMIN, gpus, Condition.HEALTHY))
        self.clock.after(5.0, self._release_everything)

    def _release_everything(self) -> None:
        open_jobs = self.store.remember().jobs
        self.inbox.extend(Release(ADMIN, job.id) for job in open_jobs if not job.state.is_final)
        if any(not job.state.is_final for job in open_jobs):
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
        """A daemon that knows nothing but what the store holds."""
        rules = Rules(quantum_s=self.scenario.quantum_s, default_limit_s=60.0, patience_s=600.0)
        store = FaultyStore(self.store, self.faults)
        laboratory = Laboratory(fleet_of(self.scenario.gpus), store, rules, Grace(least_s=4.0, most_s=30.0))
        delays = random.Random(self.chance.random())
        engine = SimulatedEngine(self.machine, lambda: delays.uniform(0.0, 0.5))
        self.core = Core(laboratory, FaultyEngine(engine, self.faults))
        self.core.recover(self.clock.wall())
        return self.core

    def _step(self, core: Core) -> float | None:
        """What the asyncio service does when it wakes: answer people, then go one step."""
        self.steps += 1
        asked, self.inbox = self.inbox, []
        if asked:
            for answer in core.hear(asked, self.clock.wall()):
                if not isinstance(answer, RotaError):
                    self.acknowledged.update(answer.jobs)
        again = core.advance(self.clock.wall())
        check_step(core, self.machine)
        return again

    def _sleep(self, come_again_at: float | None) -> None:
        """Until the next thing happens, or the daemon wants to look again (at most a minute, as the service does)."""
        wake_at = self.clock.now + 60.0
        if come_again_at is not None:
            wake_at = min(wake_at, max(come_again_at - self.clock.wall_offset_s, self.clock.now + 0.01))
        happens_at = self.clock.next_at()
        self.clock.run_until(min(wake_at, happens_at) if happens_at is not None else wake_at)

    def _all_ended(self) -> bool:
        core = self.core
        is_quiet = core is not None and not core.books.jobs and not core.books.turns and not self.inbox
        return is_quiet and not self.machine.holders


def run(seed: int, scenario: Scenario | None = None) -> Report:
    """One seed. Raises AssertionError with the seed in it when an invariant breaks."""
    try:
        return Simulation(seed, scenario or Scenario()).run()
    except AssertionError as broken:
        broken.add_note(f"again with: python -m rota.simulate --seed {seed}")
        raise


def shrink(seed: int, scenario: Scenario) -> Scenario:
    """The smallest scenario, by jobs, that still breaks with this seed."""
    smallest = scenario
    for jobs in range(1, scenario.jobs):
        smaller = replace(scenario, jobs=jobs)
        try:
            Simulation(seed, smaller).run()
        except AssertionError:
            return smaller
    return smallest


__all__ = ["JobState", "Report", "Simulation", "run", "shrink"]

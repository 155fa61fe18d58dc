"""The daemon over the simulated machine, in virtual time, with nothing going wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rota.daemon.commands import Answer, Command, Submit, Task
from rota.daemon.core import Core
from rota.daemon.laboratory import Grace, Laboratory
from rota.domain.gpus import Fleet
from rota.domain.members import Member
from rota.engines.contract import Progressed
from rota.errors import RotaError
from rota.policy.values import Rules
from rota.simulate.clock import VirtualClock
from rota.simulate.engine import SimulatedEngine
from rota.simulate.machine import Machine, Script
from rota.store.memory import MemoryStore
from tests.builders import a_fleet, a_launch, a_request

NOW = 1_000_000.0
ROOT = Member("root", 0, is_admin=True)
START_S = 0.1  # the simulated engine's, from grant to begin


@dataclass
class Live:
    """One store and one machine; `restart` puts a new daemon over them."""

    laboratory: Laboratory
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(wall_offset_s=NOW))

    def __post_init__(self) -> None:
        self.machine = Machine(self.clock)
        self.restart()

    def restart(self) -> None:
        self.core = Core(self.laboratory, SimulatedEngine(self.machine, lambda: START_S))
        self.core.recover(self.at)

    @property
    def at(self) -> float:
        return self.clock.wall()

    def ask(self, command: Command) -> Answer:
        """The answer; raises the refusal."""
        (answer,) = self.core.hear([command], self.at)
        if isinstance(answer, RotaError):
            raise answer
        return answer

    def submit(
        self, work_s: float = 1e9, member: str = "kim", project: str = "vision", command: str = "train.py",
        **request: object,
    ) -> int:  # fmt: skip
        """A job that saves on the notice; its number."""
        task = Task("job", a_launch(*Script(work_s, saves_every_s=1e9).to_argv()), command)
        by = Member(member, 1001)
        return self.ask(Submit(by, member, project, a_request(**request), (task,))).jobs[0]

    def run(self, seconds: float, after_step: Callable[[], None] = lambda: None) -> None:
        """Let time pass, as the service does."""
        until = self.clock.now + seconds
        while True:
            again = self.core.advance(self.at)
            after_step()
            if self.clock.now >= until:
                return
            wake_at = min(until, self.clock.now + 60.0)
            if again is not None:
                wake_at = min(wake_at, max(again - self.clock.wall_offset_s, self.clock.now + 0.01))
            happens_at = self.clock.next_at()
            self.clock.run_until(min(wake_at, happens_at) if happens_at is not None else wake_at)

    def tell_progress(self, job: int, step: int, total: int) -> None:
        """The job's present turn calls rota_turn.progress."""
        turn = self.core.books.turn_of(job)
        assert turn is not None, f"job {job} has no turn"
        self.machine.report(Progressed(turn.id, self.at, step, total))


def a_live(fleet: Fleet | None = None, rules: Rules | None = None, **settings: object) -> Live:
    """One GPU, quantum 100 s; grace enough for the simulated jobs' saves of one second."""
    laboratory = Laboratory(
        fleet or a_fleet(lab=("h100", 1)), MemoryStore(), rules or Rules(quantum_s=100.0), Grace(4.0, 30.0),
        **settings,  # type: ignore[arg-type]  # names are checked at run time
    )  # fmt: skip
    return Live(laboratory)

"""The simulated engine keeps the contract of the real ones, in virtual time."""

from __future__ import annotations

import pytest

from rota.domain.jobs import Launch
from rota.engines.contract import EngineEvent, StartOrder
from rota.simulate.clock import VirtualClock
from rota.simulate.engine import SimulatedEngine
from rota.simulate.machine import Machine, Manner, Script
from tests.builders import a_gpu
from tests.engines.contract import Does, EngineContract, an_order

STEP_S = 0.1  # that pass between two looks


class SimulatedBench:
    """A machine that outlives its engines."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.machine = Machine(self.clock)
        self.engine = SimulatedEngine(self.machine)
        self.seen: list[EngineEvent] = []

    def look(self) -> list[EngineEvent]:
        self.clock.run_until(self.clock.now + STEP_S)
        self.seen.extend(self.engine.events())
        return self.seen

    def crash(self) -> None:
        self.seen = []
        self.engine = SimulatedEngine(self.machine)

    def order(self, turn: str, does: Does) -> StartOrder:
        manner = Manner.SIGNAL if does.saves_on_notice else Manner.PERIODIC if does.saves_every_s else Manner.DEAF
        script = Script(does.lasts_s, manner, does.saves_every_s or 1e6, exit_code=does.exit_code)
        has_checkpoint = does.has_checkpoint or does.saves_every_s is not None
        launch = Launch(script.to_argv(), "/")
        return an_order(turn, launch=launch, gpus=(a_gpu(0),), checkpoint="/c" if has_checkpoint else None)

    def runs(self, job: int) -> int:
        return sum(one.order.job == job and one.began_at is not None for one in self.machine.processes.values())


class TestContract(EngineContract):
    @pytest.fixture
    def bench(self) -> SimulatedBench:
        return SimulatedBench()

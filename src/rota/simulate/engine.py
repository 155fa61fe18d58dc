"""The simulated engine: one daemon's hold on the simulated machine. A new daemon gets a new one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rota.engines.contract import Began, Ended, EndOrder, EngineEvent, Noticed, Saved, StartOrder
from rota.simulate.machine import Machine


@dataclass(slots=True)
class SimulatedEngine:
    """Keeps the contract of engines/contract.py over a Machine."""

    machine: Machine
    start_delay_s: Callable[[], float] = lambda: 0.1
    _events: list[EngineEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.machine.report = self._events.append  # whoever listened before has crashed

    def start(self, order: StartOrder) -> None:
        self.machine.start(order, self.start_delay_s())

    def end(self, order: EndOrder) -> None:
        self.machine.end(order)

    def adopt(self, order: StartOrder, was_started: bool) -> None:
        process = self.machine.processes.get(order.turn)
        if process is None and was_started:
            self._events.append(Ended(order.turn, self.machine.clock.wall(), 0.0, is_lost=True))
        elif process is None:
            self.start(order)
        else:
            if process.began_wall is not None:
                self._events.append(Began(order.turn, process.began_wall))
            if process.notice_wall is not None:
                self._events.append(Noticed(order.turn, process.notice_wall))
            if process.saved_wall is not None:
                self._events.append(Saved(order.turn, process.saved_wall, process.work.script.saves_every_s))
            if process.ended is not None:
                self._events.append(process.ended)

    def trouble(self) -> str:
        return ""

    def events(self) -> Sequence[EngineEvent]:
        happened = list(self._events)
        self._events.clear()
        return happened

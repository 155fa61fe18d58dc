"""Faults that strike where the day says: between any two effects of the daemon, at a record, at an engine call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rota.domain.forecasts import Promise
from rota.domain.jobs import Job, Launch, Transition
from rota.domain.turns import Turn
from rota.engines.contract import EndOrder, Engine, EngineEvent, StartOrder
from rota.errors import EngineUnavailable, StoreUnavailable
from rota.simulate.day import Fault, Strikes
from rota.store.contract import Entries, JobFilter, Remembered, Session, Store


class Crash(BaseException):
    """The daemon dies here, as by kill -9. No `except Exception` may catch it."""


@dataclass(slots=True)
class _Armed:
    """A fault on its way: so many points pass, so many then fail."""

    fault: Fault
    passes: int
    times: int


@dataclass(slots=True)
class Faults:
    """What is to go wrong, until the day is over."""

    say: Callable[[str], None] = lambda line: None
    crashes: int = 0
    _armed: list[_Armed] = field(default_factory=list)

    def arm(self, what: Strikes) -> None:
        """From now on its points are counted."""
        self._armed.append(_Armed(what.fault, what.passes, what.times))

    def disarm(self) -> None:
        """From here on everything works."""
        self._armed.clear()

    def strikes(self, fault: Fault) -> bool:
        """One point is reached; whether it fails."""
        is_struck = False
        for armed in [armed for armed in self._armed if armed.fault is fault]:
            if armed.passes > 0:
                armed.passes -= 1
                continue
            is_struck = True
            armed.times -= 1
            if armed.times == 0:
                self._armed.remove(armed)
        return is_struck

    def maybe_crash(self, where: str) -> None:
        """A point between two effects."""
        if self.strikes(Fault.CRASH):
            self.crashes += 1
            self.say(f"the daemon is killed {where}")
            raise Crash


@dataclass(slots=True)
class FaultyStore:
    """A store that sometimes is full or away, in front of one that works."""

    inner: Store
    faults: Faults
    on_record: Callable[[Entries], None] = lambda entries: None

    def record(self, entries: Entries) -> None:
        self.faults.maybe_crash("before it records")
        if self.faults.strikes(Fault.STORE):
            self.faults.say("the disk is full")
            raise StoreUnavailable("The disk is full: nothing was recorded.")
        self.inner.record(entries)
        self.on_record(entries)
        self.faults.maybe_crash("after it has recorded")

    def assure_leading(self) -> None:
        self.inner.assure_leading()

    def remember(self) -> Remembered:
        return self.inner.remember()

    def launch(self, job: int) -> Launch:
        return self.inner.launch(job)

    def jobs(self, wanted: JobFilter) -> Sequence[Job]:
        return self.inner.jobs(wanted)

    def turns_of(self, jobs: Sequence[int]) -> Sequence[Turn]:
        return self.inner.turns_of(jobs)

    def turns_since(self, at: float) -> Sequence[tuple[Turn, str, str]]:
        return self.inner.turns_since(at)

    def promises_since(self, at: float, limit: int) -> Sequence[Promise]:
        return self.inner.promises_since(at, limit)

    def transitions_of(self, job: int) -> Sequence[Transition]:
        return self.inner.transitions_of(job)

    def keep_session(self, session: Session) -> None:
        self.inner.keep_session(session)

    def session(self, token_hash: str, now: float) -> Session | None:
        return self.inner.session(token_hash, now)

    def close(self) -> None:
        """The inner store lives on: it is the disk."""


@dataclass(slots=True)
class FaultyEngine:
    """An engine that sometimes is out of reach, in front of one that works."""

    inner: Engine
    faults: Faults

    def start(self, order: StartOrder) -> None:
        self._point(f"start {order.turn} on {', '.join(gpu.label for gpu in order.gpus)}")
        self.inner.start(order)
        self.faults.maybe_crash("after it has started a turn")

    def end(self, order: EndOrder) -> None:
        self._point(f"end {order.turn}, {order.patience.value}")
        self.inner.end(order)
        self.faults.maybe_crash("after it has ended a turn")

    def adopt(self, order: StartOrder, was_started: bool) -> None:
        self._point(f"adopt {order.turn}")
        self.inner.adopt(order, was_started)
        self.faults.maybe_crash("after it has adopted a turn")

    def events(self) -> Sequence[EngineEvent]:
        happened = self.inner.events()
        for event in happened:
            self.faults.say(f"heard: {type(event).__name__} {event.turn}")
        self.faults.maybe_crash("after it has heard of events")
        return happened

    def trouble(self) -> str:
        return self.inner.trouble()

    def _point(self, call: str) -> None:
        self.faults.maybe_crash(f"before it tells the engine: {call}")
        if self.faults.strikes(Fault.ENGINE):
            self.faults.say(f"the engine does not answer to: {call}")
            raise EngineUnavailable("The engine does not answer.")
        self.faults.say(f"engine: {call}")

"""Faults by seed: the daemon crashes between any two of its steps, the store or the engine does not answer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from rota.domain.jobs import Job, Launch, Transition
from rota.domain.turns import Turn
from rota.engines.contract import EndOrder, Engine, EngineEvent, StartOrder
from rota.errors import EngineUnavailable, StoreUnavailable
from rota.store.contract import Entries, JobFilter, Remembered, Session, Store


class Crash(BaseException):
    """The daemon dies here, as by kill -9. No `except Exception` may catch it."""


@dataclass(frozen=True, slots=True)
class FaultRates:
    """Probabilities at each step point."""

    crash: float = 0.0
    store: float = 0.0
    engine: float = 0.0
    lost_turn: float = 0.0  #: each virtual second, for one running turn
    broken_gpu: float = 0.0  #: each virtual second
    clock_jump: float = 0.0  #: each virtual second


@dataclass(slots=True)
class Faults:
    """Decides at each step point what goes wrong."""

    rates: FaultRates
    random: random.Random
    is_over: bool = False  #: at the end of a run everything works, so that all jobs can end
    crashes: int = 0

    def happens(self, probability: float) -> bool:
        """Whether this one goes wrong."""
        return not self.is_over and probability > 0 and self.random.random() < probability

    def maybe_crash(self) -> None:
        """A step point: between any two effects the daemon may die."""
        if self.happens(self.rates.crash):
            self.crashes += 1
            raise Crash


@dataclass(slots=True)
class FaultyStore:
    """A store that sometimes is full or away, in front of one that works."""

    inner: Store
    faults: Faults

    def record(self, entries: Entries) -> None:
        self.faults.maybe_crash()
        if self.faults.happens(self.faults.rates.store):
            raise StoreUnavailable("The disk is full: nothing was recorded.")
        self.inner.record(entries)
        self.faults.maybe_crash()

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
        self._point()
        self.inner.start(order)
        self.faults.maybe_crash()

    def end(self, order: EndOrder) -> None:
        self._point()
        self.inner.end(order)
        self.faults.maybe_crash()

    def adopt(self, order: StartOrder, was_started: bool) -> None:
        self._point()
        self.inner.adopt(order, was_started)
        self.faults.maybe_crash()

    def events(self) -> Sequence[EngineEvent]:
        happened = self.inner.events()
        self.faults.maybe_crash()
        return happened

    def _point(self) -> None:
        self.faults.maybe_crash()
        if self.faults.happens(self.faults.rates.engine):
            raise EngineUnavailable("The engine does not answer.")

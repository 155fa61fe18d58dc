"""Turns that are no longer expected when it was promised, and what has changed since."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from rota.domain.forecasts import Forecast, Promise, Range
from rota.domain.jobs import Job, JobState
from rota.policy.values import Snapshot

#: Who is to wait a minute more or less need not be told.
LEAST_SHIFT_S = 60.0
#: Another job's end explains a shift when it has moved by this part of it, at least.
LEAST_PART = 0.25


@dataclass(frozen=True, slots=True)
class Shift:
    """The likely begin lies outside of what was promised; what follows are the changes that point the same way."""

    promised: Range
    made_at: float  #: of the promise
    likely: float  #: begin, as it is expected now
    came_before: tuple[int, ...] = ()  #: jobs that were submitted since and go first
    ends_later: tuple[int, ...] = ()  #: jobs in a turn that are expected to be done later than then
    ends_sooner: tuple[int, ...] = ()
    out_of_service: int = 0  #: GPUs that were in service then
    back_in_service: int = 0

    @property
    def is_later(self) -> bool:
        return self.likely > self.promised.late


@dataclass(frozen=True, slots=True)
class Basis:
    """The laboratory when something was promised."""

    at: float
    newest_job: int
    ends: Mapping[int, float]  #: by job in a turn: when it was likely to be done
    out_of_service: frozenset[str]  #: GPUs

    @staticmethod
    def of(snapshot: Snapshot, told: Mapping[int, Forecast]) -> Basis:
        """Of the moment of a snapshot."""
        return Basis(
            at=snapshot.at,
            newest_job=max((job.id for job in snapshot.jobs), default=0),
            ends=_ends(snapshot, told),
            out_of_service=frozenset(snapshot.conditions),
        )


@dataclass(slots=True)
class Shifts:
    """By job: what its promise was based on, as far as this daemon made it, and how its turn has shifted since."""

    of: dict[int, Shift] = field(default_factory=dict)
    _bases: dict[int, Basis] = field(default_factory=dict)

    def promised(self, promises: Iterable[Promise], snapshot: Snapshot, told: Mapping[int, Forecast]) -> None:
        """These promises were made from this snapshot."""
        basis = Basis.of(snapshot, told)
        self._bases.update((promise.job, basis) for promise in promises)

    def forget(self, job: int) -> None:
        """Its promise is kept, broken or void."""
        self.of.pop(job, None)
        self._bases.pop(job, None)

    def look(self, open_promises: Mapping[int, Promise], snapshot: Snapshot, told: Mapping[int, Forecast]) -> None:
        """Compare what is told now with what was promised."""
        now, line = Basis.of(snapshot, told), _Line.of(snapshot, told)
        for job in snapshot.jobs:
            promise, forecast = open_promises.get(job.id), told.get(job.id)
            if promise is None or forecast is None or forecast.begin is None or forecast.turn != promise.turn:
                continue
            likely = forecast.begin.likely
            if is_outside(likely, promise.told):
                self.of[job.id] = _explained(job, promise, likely, self._bases.get(job.id), now, line)
            else:
                self.of.pop(job.id, None)


def is_outside(likely: float, promised: Range) -> bool:
    """Whether it is expected at another time than was promised, by so much that it matters."""
    return likely > promised.late + LEAST_SHIFT_S or likely < promised.early - LEAST_SHIFT_S


@dataclass(frozen=True, slots=True)
class _Line:
    """Jobs by number, and when each is likely to begin."""

    jobs: list[Job]
    begins: list[float]

    @staticmethod
    def of(snapshot: Snapshot, told: Mapping[int, Forecast]) -> _Line:
        jobs = sorted(snapshot.jobs, key=lambda job: job.id)
        return _Line(jobs, [_begin(job, told.get(job.id)) for job in jobs])

    def newer_before(self, job: Job, begin: float, newest: int) -> tuple[int, ...]:
        """Jobs with a higher number than the newest then, that could use the same GPUs and begin before it."""
        first = bisect_right(self.jobs, newest, key=lambda one: one.id)
        return tuple(
            other.id
            for other, its_begin in zip(self.jobs[first:], self.begins[first:], strict=True)
            if its_begin < begin and other.id != job.id and _may_compete(job, other)
        )


def _begin(job: Job, forecast: Forecast | None) -> float:
    if job.state is JobState.RUNNING:
        return -math.inf
    return forecast.begin.likely if forecast and forecast.begin else math.inf


def _may_compete(one: Job, other: Job) -> bool:
    mine, theirs = one.request.tiers, other.request.tiers
    return not mine or not theirs or not set(mine).isdisjoint(theirs)


def _ends(snapshot: Snapshot, told: Mapping[int, Forecast]) -> dict[int, float]:
    finishes = ((turn.job, told[turn.job].finish) for turn in snapshot.turns if turn.job in told)
    return {job: finish.likely for job, finish in finishes if finish is not None}


def _explained(job: Job, promise: Promise, likely: float, then: Basis | None, now: Basis, line: _Line) -> Shift:
    """The shift with its causes; of a promise of an earlier daemon they are not known."""
    shift = Shift(promise.told, promise.made_at, likely)
    if then is None:
        return shift
    by_s = LEAST_PART * abs(likely - promise.told.likely)
    if shift.is_later:
        return replace(
            shift,
            came_before=line.newer_before(job, likely, then.newest_job),
            ends_later=tuple(one for one, end in then.ends.items() if now.ends.get(one, -math.inf) - end >= by_s),
            out_of_service=len(now.out_of_service - then.out_of_service),
        )
    return replace(
        shift,
        ends_sooner=_ended_sooner(then, now, by_s, line),
        back_in_service=len(then.out_of_service - now.out_of_service),
    )


def _ended_sooner(then: Basis, now: Basis, by_s: float, line: _Line) -> tuple[int, ...]:
    """Jobs that are over, or are expected to be, so much sooner than then."""
    on_the_list = {job.id for job in line.jobs}
    ends_now = {one: now.ends.get(one, math.inf if one in on_the_list else now.at) for one in then.ends}
    return tuple(one for one, end in then.ends.items() if end - ends_now[one] >= by_s)

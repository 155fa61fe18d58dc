"""Begins that were told to members: made once for each turn, kept or not when the turn begins."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rota.daemon.books import Books
from rota.daemon.forecasting.orders import Told
from rota.domain.forecasts import END, Promise
from rota.domain.jobs import Job, JobState
from rota.domain.turns import Turn, TurnState
from rota.policy.values import Snapshot
from rota.store.contract import Entries, Store

#: What counts for the score and for the correction of later forecasts.
REMEMBERED_S = 90 * 86400.0
MOST_REMEMBERED = 5000


@dataclass(slots=True)
class Promises:
    """The open ones by job, and those whose turns have begun, in the order of their begin."""

    open: dict[int, Promise] = field(default_factory=dict)
    past: deque[Promise] = field(default_factory=lambda: deque(maxlen=MOST_REMEMBERED))
    open_ends: dict[int, Promise] = field(default_factory=dict)  #: of whole jobs
    past_ends: deque[Promise] = field(default_factory=lambda: deque(maxlen=MOST_REMEMBERED))

    @staticmethod
    def from_store(store: Store, open_jobs: Collection[int], at: float) -> Promises:
        """As they stand after a restart."""
        promises = Promises()
        # A long list of open ones must not crowd out what came of earlier ones, nor be promised anew.
        known = store.promises_since(at - REMEMBERED_S, MOST_REMEMBERED + 2 * len(open_jobs))
        promises.take_over([one for one in known if one.began_at is not None or one.job in open_jobs])
        return promises

    # --- made, and settled ------------------------------------------------------------------------

    def new(self, found: Mapping[int, Told], snapshot: Snapshot, books: Books) -> list[Promise]:
        """What is told for the first time of a turn that has not come, and of the end of a job that is new."""
        made = []
        for seen in snapshot.jobs:
            job, told = books.jobs.get(seen.id), found.get(seen.id)
            if job is None or told is None or job.request != seen.request:
                continue
            if job.id not in self.open and (begin := _begin_promised(job, seen, told)) is not None:
                made.append(begin)
            if job.id not in self.open_ends and (end := _end_promised(job, told)) is not None:
                made.append(end)
        return made

    def settled(self, entries: Entries, books: Books) -> list[Promise]:
        """Open ones about which something is decided by what is being recorded; `books` are as they were before."""
        begun = [
            replace(promise, began_at=began_at, tier=turn.tier)
            for turn in entries.turns
            if (promise := self.open.get(turn.job)) is not None and promise.turn == turn.number
            if (began_at := _began_at(turn)) is not None
        ]
        decided = {promise.job for promise in begun}
        void = [
            replace(promise, is_void=True)
            for job in entries.jobs
            if (promise := self.open.get(job.id)) is not None and job.id not in decided
            if _is_broken_off(job, books.jobs.get(job.id))
        ]
        ends = [
            _end_settled(promise, job)
            for job in entries.jobs
            if (promise := self.open_ends.get(job.id)) is not None
            if job.state.is_final or _is_broken_off(job, books.jobs.get(job.id))
        ]
        return sorted([*begun, *void, *ends], key=_settled_at)  # as the next daemon will read them

    def take_over(self, promises: Sequence[Promise]) -> None:
        """These are recorded."""
        for promise in sorted(promises, key=_settled_at):
            is_end = promise.turn == END
            still_open, past = (self.open_ends, self.past_ends) if is_end else (self.open, self.past)
            if promise.began_at is not None:
                past.append(promise)
            if promise.began_at is not None or promise.is_void:
                still_open.pop(promise.job, None)
            else:
                still_open[promise.job] = promise

    # --- how good they were -----------------------------------------------------------------------

    def begun_since(self, at: float) -> list[Promise]:
        """Those whose turns began at that moment or later."""
        return [promise for promise in self.past if (promise.began_at or 0.0) >= at]

    def ended_since(self, at: float) -> list[Promise]:
        """Those about the ends of jobs that finished at that moment or later."""
        return [promise for promise in self.past_ends if (promise.began_at or 0.0) >= at]

    def kept_since(self, at: float) -> tuple[int, int]:
        """How many of them began by the bound that was told, and how many they are."""
        begun = self.begun_since(at)
        return sum(promise.is_kept is True for promise in begun), len(begun)


def _settled_at(promise: Promise) -> tuple[float, int]:
    """The order in which forecasts learn from promises (feed.py has the same)."""
    return promise.began_at or 0.0, promise.job


def _end_settled(promise: Promise, job: Job) -> Promise:
    """Done, or over in a way that says nothing about how long it would have taken."""
    if job.state is JobState.FINISHED:
        return replace(promise, began_at=job.ended_at)
    return replace(promise, is_void=True)


def _begin_promised(job: Job, seen: Job, told: Told) -> Promise | None:
    """Of a job that still waits as it did in the snapshot."""
    forecast, raw = told.forecast, told.raw_begin
    still_waits = job.state is JobState.WAITING and job.waiting_since == seen.waiting_since
    if not still_waits or forecast.begin is None or raw is None or forecast.turn != job.turns + 1:
        return None
    return Promise(job.id, forecast.turn, job.request.gpus, forecast.tier or "", forecast.made_at, raw, forecast.begin)


def _end_promised(job: Job, told: Told) -> Promise | None:
    """Of a job that waits for its first turn, or is in it."""
    forecast, raw = told.forecast, told.raw_finish
    if job.state is JobState.HELD or job.turns > 1 or forecast.finish is None or raw is None:
        return None
    return Promise(job.id, END, job.request.gpus, forecast.tier or "", forecast.made_at, raw, forecast.finish)


def _began_at(turn: Turn) -> float | None:
    """A turn that ended before its command could run began when it was granted."""
    if turn.began_at is None and turn.state is TurnState.ENDED:
        return turn.granted_at
    return turn.began_at


def _is_broken_off(job: Job, before: Job | None) -> bool:
    """Whether the job as it was forecast is not to have its turn: it is held, over, or asks for something else."""
    if job.state is JobState.HELD or job.state.is_final:
        return True
    return job.state is JobState.WAITING and before is not None and before.request != job.request

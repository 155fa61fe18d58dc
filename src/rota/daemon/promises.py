"""Begins that were told to members: made once for each turn, kept or not when the turn begins."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rota.daemon.books import Books
from rota.daemon.forecasting.orders import Told
from rota.domain.forecasts import Promise
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

    @staticmethod
    def from_store(store: Store, open_jobs: Collection[int], at: float) -> Promises:
        """As they stand after a restart."""
        promises = Promises()
        known = store.promises_since(at - REMEMBERED_S, MOST_REMEMBERED)
        promises.take_over([one for one in known if one.began_at is not None or one.job in open_jobs])
        return promises

    # --- made, and settled ------------------------------------------------------------------------

    def new(self, found: Mapping[int, Told], snapshot: Snapshot, books: Books) -> list[Promise]:
        """What is told for the first time of a turn that has not come: still the same job, and still waiting."""
        made = []
        for seen in snapshot.jobs:
            job, told = books.jobs.get(seen.id), found.get(seen.id)
            if job is None or told is None or job.id in self.open or not _waits_as_then(job, seen):
                continue
            begin, raw = told.forecast.begin, told.raw_begin
            if begin is not None and raw is not None and told.forecast.turn == job.turns + 1:
                tier = told.forecast.tier or ""
                gpus, made_at = job.request.gpus, told.forecast.made_at
                made.append(Promise(job.id, told.forecast.turn, gpus, tier, made_at, raw, begin))
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
        return [*begun, *void]

    def take_over(self, promises: Sequence[Promise]) -> None:
        """These are recorded."""
        for promise in sorted(promises, key=lambda one: one.began_at or 0.0):
            if promise.began_at is not None:
                self.past.append(promise)
            if promise.began_at is not None or promise.is_void:
                self.open.pop(promise.job, None)
            else:
                self.open[promise.job] = promise

    # --- how good they were -----------------------------------------------------------------------

    def begun_since(self, at: float) -> list[Promise]:
        """Those whose turns began at that moment or later."""
        return [promise for promise in self.past if (promise.began_at or 0.0) >= at]

    def kept_since(self, at: float) -> tuple[int, int]:
        """How many of them began by the bound that was told, and how many they are."""
        begun = self.begun_since(at)
        return sum(promise.is_kept is True for promise in begun), len(begun)


def _waits_as_then(job: Job, seen: Job) -> bool:
    is_same = job.request == seen.request and job.waiting_since == seen.waiting_since
    return job.state is JobState.WAITING and is_same


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

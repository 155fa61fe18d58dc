"""What the daemon knows of its own forecasts: the present ones, what was promised, and what is to be forecast anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rota.daemon.books import Books
from rota.daemon.forecasting.feed import Feed
from rota.daemon.forecasting.orders import Begun, Ended, Submitted, Told
from rota.daemon.promises import Promises
from rota.daemon.shifts import Shift, Shifts
from rota.domain.forecasts import END, Forecast, Promise
from rota.domain.jobs import Job, JobState
from rota.policy.values import Snapshot
from rota.store.contract import Entries


@dataclass(slots=True)
class Forecasts:
    """Filled by a forecasting process when there is one; without one it stays empty."""

    promises: Promises = field(default_factory=Promises)
    feed: Feed = field(default_factory=Feed)  #: what such a process learns from
    is_made: bool = False  #: whether there is such a process
    fresh: set[int] = field(default_factory=set)  #: jobs that a person put on the list and that have no forecast since
    news: int = 0  #: grows with everything that a forecast could change by
    pictured: int = 0  #: the news that the latest snapshot shows
    made_at: float | None = None  #: of the latest refresh
    _told: dict[int, Forecast] = field(default_factory=dict)
    _shifts: Shifts = field(default_factory=Shifts)

    # --- what happens in the daemon ---------------------------------------------------------------

    def take_over(self, entries: Entries, books: Books) -> None:
        """This is recorded; `books` are as they were before."""
        self.promises.take_over(entries.promises)
        for promise in entries.promises:
            if promise.turn != END:
                self._shifts.forget(promise.job)
            if promise.began_at is not None:
                self.feed.add(Begun(promise))
        for job in entries.jobs:
            self._take_job(job, books.jobs.get(job.id))
        if entries.jobs or entries.turns or entries.marks or entries.projects:
            self.news += 1

    def _take_job(self, job: Job, before: Job | None) -> None:
        if before is None:
            self.feed.add(Submitted(job))
        if job.state.is_final:
            self.feed.add(Ended(job))
        is_changed = before is not None and before.request != job.request
        if is_changed or job.state not in (JobState.WAITING, JobState.RUNNING):
            self._told.pop(job.id, None)
        if job.state is not JobState.WAITING:
            self.fresh.discard(job.id)
        elif is_changed or before is None or before.state is JobState.HELD:
            self.fresh.add(job.id)  # somebody has just typed something: after a turn, the next refresh is soon enough

    # --- what a forecasting process has found --------------------------------------------------

    def arrived(self, found: Mapping[int, Told], promises: Sequence[Promise], snapshot: Snapshot, books: Books) -> None:
        """Take over the forecasts from a snapshot, and what they promised; what was made from a later one stays."""
        if len(found) == len(snapshot.jobs):
            self.made_at = snapshot.at
        for seen in snapshot.jobs:
            job, told = books.jobs.get(seen.id), found.get(seen.id)
            if told is None or job is None or job.request != seen.request or job.state is JobState.HELD:
                continue
            known = self._told.get(job.id)
            if known is None or known.made_at <= told.forecast.made_at:
                self._told[job.id] = told.forecast
                self.fresh.discard(job.id)
        self._shifts.promised([one for one in promises if one.turn != END], snapshot, self._told)
        if len(found) == len(snapshot.jobs):
            self._shifts.look(self.promises.open, snapshot, self._told)

    # --- what people see -------------------------------------------------------------------------

    def of(self, job: Job) -> Forecast | None:
        """The latest forecast of an open job, without the begin of a turn that has begun meanwhile."""
        told = self._told.get(job.id)
        if told is None or told.turn > job.turns:
            return told
        return replace(told, turn=job.turns + 1, begin=None, tier=None)

    def shift_of(self, job: int) -> Shift | None:
        """How far its turn is from what was promised; None: it is expected as it was."""
        return self._shifts.of.get(job)

"""What the daemon knows of its own forecasts: the present ones, and what is to be forecast anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rota.daemon.books import Books
from rota.daemon.forecasting.feed import Feed
from rota.daemon.forecasting.orders import Lesson
from rota.domain.forecasts import Forecast, Range
from rota.domain.jobs import Job, JobState
from rota.forecast.calibration import Calibration
from rota.policy.values import Snapshot
from rota.store.contract import Entries


@dataclass(slots=True)
class Forecasts:
    """Filled by a forecasting process when there is one; without one it stays empty."""

    is_made: bool = False  #: whether there is such a process
    feed: Feed = field(default_factory=Feed)
    calibration: Calibration = field(default_factory=Calibration)
    fresh: set[int] = field(default_factory=set)  #: jobs that came onto the list and have no forecast since
    news: int = 0  #: grows with everything that a forecast could change by
    pictured: int = 0  #: the news that the latest snapshot shows
    made_at: float | None = None  #: of the latest refresh
    _told: dict[int, Forecast] = field(default_factory=dict)

    # --- what happens in the daemon ---------------------------------------------------------------

    def take_over(self, entries: Entries, books: Books) -> None:
        """Something is being recorded; `books` are as they were before."""
        for job in entries.jobs:
            before = books.jobs.get(job.id)
            if before is None:
                self.feed.add(Lesson(job, has_ended=False))
            if job.state.is_final:
                self.feed.add(Lesson(job, has_ended=True))
            if _is_new_on_the_list(job, before):
                self.fresh.add(job.id)
            if job.state in (JobState.WAITING, JobState.RUNNING):
                if before is not None and before.request != job.request:
                    self._told.pop(job.id, None)
            else:
                self._told.pop(job.id, None)
                self.fresh.discard(job.id)
        if entries.jobs or entries.turns or entries.marks or entries.projects:
            self.news += 1

    # --- what a forecasting process has found --------------------------------------------------

    def arrived(self, found: Mapping[int, Forecast], snapshot: Snapshot, books: Books) -> None:
        """Take over the forecasts from a snapshot; what was made from a later one stays."""
        if len(found) == len(snapshot.jobs):
            self.made_at = snapshot.at
        for job in snapshot.jobs:
            now = books.jobs.get(job.id)
            forecast, known = found.get(job.id), self._told.get(job.id)
            if forecast is None or now is None or now.request != job.request or now.state is JobState.HELD:
                continue
            if known is None or known.made_at <= forecast.made_at:
                self._told[job.id] = self.calibrated(forecast, job.request.gpus)
                self.fresh.discard(job.id)

    # --- what people see -------------------------------------------------------------------------

    def of(self, job: Job) -> Forecast | None:
        """The latest forecast of an open job, without the begin of a turn that has begun meanwhile."""
        told = self._told.get(job.id)
        if told is None or told.turn > job.turns:
            return told
        return replace(told, turn=job.turns + 1, begin=None, tier=None)

    def calibrated(self, forecast: Forecast, gpus: int) -> Forecast:
        """As it is told to people, by what earlier promises were worth."""
        return _calibrated(forecast, gpus, self.calibration)


def _calibrated(forecast: Forecast, gpus: int, calibration: Calibration) -> Forecast:
    """The begin corrected, the end moved by as much and never before it."""
    if forecast.begin is None:
        return forecast
    begin = calibration.told(forecast.begin, forecast.made_at, gpus)
    finish, later_s = forecast.finish, begin.likely - forecast.begin.likely
    if finish is not None:
        finish = Range(
            max(finish.early + later_s, begin.early),
            max(finish.likely + later_s, begin.likely),
            max(finish.late + later_s, begin.late),
        )
    return replace(forecast, begin=begin, finish=finish)


def _is_new_on_the_list(job: Job, before: Job | None) -> bool:
    if job.state is not JobState.WAITING:
        return False
    return before is None or before.state is not JobState.WAITING or before.request != job.request

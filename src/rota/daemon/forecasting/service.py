"""When which forecasts are made: all of them after news, those of new jobs at once. Beside the daemon's own loop."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from rota.daemon.core import Core
from rota.daemon.forecasting.feed import PAST_JOBS, Feed
from rota.daemon.forecasting.orders import Told
from rota.daemon.forecasting.pace import Refresh, next_refresh_at
from rota.daemon.forecasting.process import Forecasting
from rota.daemon.service import Service
from rota.domain.forecasts import Forecast
from rota.domain.jobs import JobState
from rota.policy.values import Snapshot
from rota.store.contract import JobFilter

log = structlog.get_logger()

#: A refresh gives way to the laboratory's jobs; a quick forecast, for which somebody waits, does not.
REFRESH_NICENESS, QUICK_NICENESS = 10, 0
#: A quick forecast runs through so many jobs over all its futures: about a fifth of a second.
QUICK_JOBS_IN_ALL = 600
FEWEST_QUICK, MOST_QUICK = 2, 16
MOST_AT_ONCE = 20  # jobs of one submit that are forecast quickly; the refresh has the others
#: After a failure, and twice as long after each further one.
FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 300.0
TROUBLE = "Forecasts cannot be made now, and those shown grow old; turns are not affected. Rota tries again by itself."


class Forecaster(Protocol):
    """A forecasting process, as far as this service needs it."""

    async def forecast(
        self, snapshot: Snapshot, *, seed: int, futures: int | None = None, only: frozenset[int] | None = None
    ) -> Mapping[int, Told]:
        """By job. Raises ForecastUnavailable."""

    async def prepare(self) -> None:
        """Have it ready for the next order. Raises ForecastUnavailable."""

    async def end(self) -> None:
        """End it; the next order begins another."""


@dataclass(slots=True)
class ForecastService:
    """Two forecasters, so that nobody who has just submitted waits for a refresh."""

    service: Service
    seed: int  #: the same for all forecasts, so that they differ by news and not by chance
    refresher: Forecaster
    quick: Forecaster
    monotonic: Callable[[], float]
    _latest: Refresh | None = None
    _refreshed: int = -1  #: the news that the latest refresh has seen

    @property
    def core(self) -> Core:
        return self.service.core

    async def run(self) -> None:
        """Until it is cancelled; its processes end with it."""
        self.core.forecasts.is_made = True
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._keep(self._refresh, is_told=True))
                both.create_task(self._keep(self._answer_quickly, is_told=False))
        finally:
            self.core.forecasts.is_made = False
            await self.refresher.end()
            await self.quick.end()

    async def what_if(self, snapshot: Snapshot, job: int) -> Forecast | None:
        """Of a job that is in this snapshot only. Raises ForecastUnavailable."""
        found = await self.quick.forecast(
            snapshot, seed=self.seed, futures=quick_futures(snapshot), only=frozenset({job})
        )
        told = found.get(job)
        return told.forecast if told else None

    async def _keep(self, step: Callable[[], Awaitable[None]], *, is_told: bool) -> None:
        """One step after the other; what fails is tried again later and later, and people are told if it is to be."""
        retry_s = FIRST_RETRY_S
        while True:
            try:
                await step()
                retry_s = FIRST_RETRY_S
                if is_told:
                    self.core.trouble.pop("forecasts", None)
            except Exception as failed:  # whatever is wrong with a forecast, the daemon goes on without
                log.warning("no forecast", why=str(failed), again_in_s=retry_s)
                if is_told:  # a quick forecast that fails is made up for by the next refresh
                    self.core.trouble["forecasts"] = TROUBLE
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, LONGEST_RETRY_S)

    # --- all of them ------------------------------------------------------------------------------

    async def _refresh(self) -> None:
        while (rest_s := self._due_at() - self.monotonic()) > 0:
            await self._until_changed(rest_s)
        snapshot, seen, began_at = self.core.snapshot, self.core.forecasts.pictured, self.monotonic()
        assert snapshot is not None, "without one it is never due"
        await self.quick.prepare()  # before somebody waits for its first answer
        found = await self.refresher.forecast(snapshot, seed=self.seed)
        self.service.take_forecasts(found, snapshot)
        self._latest, self._refreshed = Refresh(began_at, self.monotonic()), seen

    def _due_at(self) -> float:
        snapshot = self.core.snapshot
        if snapshot is None or not snapshot.jobs:
            return math.inf
        return next_refresh_at(
            self._latest,
            has_news=self.core.forecasts.pictured != self._refreshed,
            somebody_waits=any(job.state is JobState.WAITING for job in snapshot.jobs),
        )

    async def _until_changed(self, longest_s: float) -> None:
        try:
            async with asyncio.timeout(None if longest_s == math.inf else longest_s):
                await self.service.changed()
        except TimeoutError:
            pass

    # --- those of new jobs ------------------------------------------------------------------------

    async def _answer_quickly(self) -> None:
        while not (wanted := self._wanted()):
            await self.service.changed()
        snapshot = self.core.snapshot
        assert snapshot is not None, "it has the jobs that are wanted"
        self.core.forecasts.fresh.difference_update(wanted)
        found = await self.quick.forecast(snapshot, seed=self.seed, futures=quick_futures(snapshot), only=wanted)
        self.service.take_forecasts(found, snapshot)

    def _wanted(self) -> frozenset[int]:
        """New jobs that wait and that the latest snapshot shows; of a large array the first ones."""
        snapshot, fresh = self.core.snapshot, self.core.forecasts.fresh
        if snapshot is None or not fresh:
            return frozenset()
        shown = sorted(fresh.intersection(job.id for job in snapshot.jobs if job.state is JobState.WAITING))
        fresh.difference_update(shown[MOST_AT_ONCE:])
        return frozenset(shown[:MOST_AT_ONCE])


def quick_futures(snapshot: Snapshot) -> int:
    """How many futures a quick forecast looks at."""
    return min(max(QUICK_JOBS_IN_ALL // max(len(snapshot.jobs), 1), FEWEST_QUICK), MOST_QUICK)


def past_and_present(core: Core) -> Feed:
    """What a forecasting process learns first: the latest jobs, open ones included, and what promises were worth."""
    past, promises = core.laboratory.store.jobs(JobFilter(is_final=True, limit=PAST_JOBS)), core.forecasts.promises
    return Feed.of([*past, *core.books.jobs.values()], [*promises.past, *promises.past_ends])


def forecast_service(service: Service, *, seed: int, monotonic: Callable[[], float]) -> ForecastService:
    """With its two processes, which begin with the first order. Raises StoreUnavailable."""
    forecasts = service.core.forecasts
    forecasts.feed = past_and_present(service.core)
    refresher, quick = (Forecasting(forecasts.feed, nice) for nice in (REFRESH_NICENESS, QUICK_NICENESS))
    return ForecastService(service, seed, refresher, quick, monotonic)

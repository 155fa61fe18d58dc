"""When forecasts are made: after news but not too often, at once for new jobs, never while nobody needs them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from rota.daemon.commands import Submit, Task
from rota.daemon.core import Core
from rota.daemon.forecasting import pace
from rota.daemon.forecasting.feed import Feed
from rota.daemon.forecasting.orders import Begun, Ended, Submitted
from rota.daemon.forecasting.pace import Refresh, next_refresh_at
from rota.daemon.forecasting.service import ForecastService
from rota.daemon.service import Service
from rota.domain.jobs import JobState
from rota.domain.members import Member
from rota.errors import StoreUnavailable
from rota.simulate.machine import Script
from tests.builders import a_job, a_launch, a_promise, a_request
from tests.daemon.forecasting import FakeForecaster
from tests.daemon.live import a_live

KIM = Member("kim", 1001)


# --- how often -----------------------------------------------------------------------------------


def test_without_news_and_without_anybody_waiting_nothing_is_due() -> None:
    assert next_refresh_at(None, has_news=False, somebody_waits=False) == math.inf
    assert next_refresh_at(Refresh(0.0, 2.0), has_news=False, somebody_waits=False) == math.inf


def test_the_first_is_due_at_once_and_the_next_rests_in_proportion_to_what_it_costs() -> None:
    assert next_refresh_at(None, has_news=True, somebody_waits=True) == 0.0
    assert next_refresh_at(Refresh(10.0, 12.0), has_news=True, somebody_waits=True) == 12.0 + pace.REST_FACTOR * 2.0
    assert next_refresh_at(Refresh(10.0, 10.01), has_news=True, somebody_waits=True) == 10.01 + pace.LEAST_REST_S


def test_who_waits_has_no_forecast_older_than_ten_minutes() -> None:
    assert next_refresh_at(Refresh(10.0, 12.0), has_news=False, somebody_waits=True) == 610.0


# --- what is learnt ------------------------------------------------------------------------------


def test_a_process_that_begins_learns_the_past_in_its_order_and_then_what_is_new() -> None:
    over = a_job(1, submitted_at=1.0, state=JobState.FINISHED, ended_at=30.0)
    waits = a_job(2, submitted_at=20.0)
    kept = a_promise(1, began_at=10.0)
    feed = Feed.of([waits, over], [kept])
    lessons, number = feed.since(0)
    assert list(lessons) == [Submitted(over), Begun(kept), Submitted(waits), Ended(over)]
    feed.add(Ended(waits))
    assert feed.since(number)[0] == (Ended(waits),)


def test_a_long_past_is_forgotten_and_nobody_is_told_twice() -> None:
    feed = Feed(most=4)
    read: list[int] = []
    number = 0
    for job in range(1, 20):
        feed.add(Submitted(a_job(job)))
        lessons, number = feed.since(number)
        read += [lesson.job.id for lesson in lessons if isinstance(lesson, Submitted)]
    assert read == list(range(1, 20))
    assert 4 <= len(feed.since(0)[0]) <= 5


# --- the service ---------------------------------------------------------------------------------


class Bench:
    """A daemon over the simulated machine, its forecast service, and the clock that paces it."""

    def __init__(self) -> None:
        self.live = a_live()
        self.service = Service(self.live.core, lambda: self.live.at)
        self.refresher, self.quick = FakeForecaster(), FakeForecaster()
        self.now = 0.0
        self.forecasting = ForecastService(self.service, 1, self.refresher, self.quick, lambda: self.now)

    async def submit(self, jobs: int = 1) -> list[int]:
        """Jobs that are on the list, in the daemon's latest plan."""
        tasks = tuple(Task("job", a_launch(*Script(1e9, saves_every_s=1e9).to_argv()), "train.py") for _ in range(jobs))
        answer = await self.service.ask(Submit(KIM, "kim", "vision", a_request(), tasks))
        async with asyncio.timeout(10):
            while not self._is_planned(answer.jobs[-1]):
                await asyncio.sleep(0.001)
        await settled()
        return list(answer.jobs)

    def _is_planned(self, job: int) -> bool:
        snapshot = self.live.core.snapshot
        return snapshot is not None and job in {one.id for one in snapshot.jobs}

    async def pass_s(self, seconds: float) -> None:
        """Time passes for the pace; whoever waits looks again."""
        self.now += seconds
        self.service.tell_watchers()
        await settled()


async def settled() -> None:
    """Everything that can go on without time passing has done so."""
    for _ in range(200):
        await asyncio.sleep(0)


@asynccontextmanager
async def running() -> Iterator[Bench]:  # type: ignore[misc]  # an async generator
    bench = Bench()
    tasks = [asyncio.create_task(bench.service.run()), asyncio.create_task(bench.forecasting.run())]
    await settled()
    yield bench
    bench.service.stop()
    tasks[1].cancel()
    await asyncio.wait(tasks)
    assert bench.refresher.has_ended
    assert bench.quick.has_ended


def in_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """A test that runs in an event loop."""

    def run() -> None:
        asyncio.run(test())  # type: ignore[arg-type]  # a coroutine

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@in_loop
async def test_an_empty_laboratory_asks_for_no_forecast() -> None:
    async with running() as bench:
        await bench.pass_s(10_000.0)
        assert bench.refresher.asked == bench.quick.asked == []


@in_loop
async def test_a_new_job_is_answered_while_a_refresh_is_still_running() -> None:
    async with running() as bench:
        first, second = await bench.submit(2)
        assert bench.refresher.asked == [None]  # and it does not answer yet
        bench.quick.may_answer.set()
        await settled()
        assert bench.quick.asked == [frozenset({second})]  # the first has its turn already
        assert bench.live.core.forecasts.of(bench.live.core.books.jobs[second]) is not None
        assert bench.live.core.forecasts.promises.open.keys() == {second}
        assert first not in bench.live.core.forecasts.fresh


@in_loop
async def test_many_submits_become_one_refresh_after_a_rest() -> None:
    async with running() as bench:
        bench.refresher.may_answer.set()
        for _ in range(6):
            await bench.submit()
        assert len(bench.refresher.asked) == 1
        await bench.pass_s(pace.LEAST_REST_S + 0.1)
        assert len(bench.refresher.asked) == 2
        await bench.pass_s(pace.LEAST_REST_S + 0.1)
        assert len(bench.refresher.asked) == 2  # no news since


@in_loop
async def test_the_daemon_goes_on_while_a_forecast_takes_for_ever() -> None:
    async with running() as bench:
        for _ in range(3):
            await bench.submit()  # is planned
        assert bench.refresher.asked == [None]


@in_loop
async def test_forecasts_that_could_not_be_recorded_are_made_again() -> None:
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr("rota.daemon.forecasting.service.FIRST_RETRY_S", 0.01)
        async with running() as bench:
            bench.refresher.may_answer.set()
            with pytest.MonkeyPatch.context() as broken:
                broken.setattr(Core, "take_forecasts", fails)
                (job,) = await bench.submit()
                assert bench.live.core.trouble
            async with asyncio.timeout(10):
                while bench.live.core.trouble:
                    await asyncio.sleep(0.001)
            assert bench.live.core.forecasts.of(bench.live.core.books.jobs[job]) is not None


def fails(*_: object) -> None:
    raise StoreUnavailable("the disk is full")


@in_loop
async def test_a_forecaster_that_fails_is_told_as_trouble_and_harms_nothing() -> None:
    async with running() as bench:
        bench.refresher.fails = True
        (job,) = await bench.submit()
        assert "turns are not affected" in bench.live.core.trouble["forecasts"]
        assert bench.live.core.books.jobs[job].state is JobState.RUNNING
        assert (await bench.submit())[0] == job + 1

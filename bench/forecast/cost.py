"""What forecasts cost: a refresh for a busy laboratory, the first answer at submit, and the daemon's plan beside it."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from statistics import median

from bench.replay.laboratory import Laboratory
from bench.replay.targets import Target, say_targets
from rota.forecast.forecaster import Forecaster
from rota.policy.follow import Follower

GPUS, WAITING = 200, 1000
QUICK_FUTURES = 1
PLANS, RUNS = 60, 5


def show_cost() -> None:
    """CPU seconds, medians."""
    laboratory = Laboratory(GPUS, WAITING)
    forecaster = Forecaster()
    for job in sorted(laboratory.jobs.values(), key=lambda job: job.submitted_at):
        forecaster.submitted(job)
    snapshot = laboratory.snapshot()
    newest = max(laboratory.jobs)
    whole_s = _median_s(lambda: forecaster.forecast(snapshot, seed=1))
    quick_s = _median_s(lambda: forecaster.forecast(snapshot, seed=1, futures=QUICK_FUTURES, only=(newest,)))
    alone_s, beside_s = _plan_s(forecaster)
    print(f"{GPUS} GPUs, {WAITING:,} waiting jobs, one core, medians of {RUNS}")
    print(
        say_targets(
            [
                Target("all forecasts refreshed", whole_s, 2.0, " s"),
                Target("first rough answer at submit", 1000 * quick_s, 200.0, " ms", 0),
                Target("the daemon's plan while forecasts are made, against without", beside_s / alone_s, 1.1),
            ]
        ),
        flush=True,
    )


def _median_s(work: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return median(times)


def _plan_s(forecaster: Forecaster) -> tuple[float, float]:
    """Of one plan, without and with forecasts being made in a process of their own."""
    alone_s = _plans()
    context = multiprocessing.get_context("spawn")
    is_over, has_begun = context.Event(), context.Event()
    beside = context.Process(target=_forecast_until, args=(forecaster, has_begun, is_over), daemon=True)
    beside.start()
    has_begun.wait()
    try:
        return alone_s, _plans()
    finally:
        is_over.set()
        beside.join()


def _plans() -> float:
    laboratory, follower, times = Laboratory(GPUS, WAITING), Follower(), []
    for _ in range(PLANS):
        began = time.perf_counter()
        plan = follower.plan(laboratory.snapshot(), wants_reasons=False)
        times.append(time.perf_counter() - began)
        laboratory.carry_out(plan)
        laboratory.go_on(laboratory.step_s)
    return median(times)


def _forecast_until(forecaster: Forecaster, has_begun: Event, is_over: Event) -> None:
    snapshot = Laboratory(GPUS, WAITING).snapshot()
    has_begun.set()
    while not is_over.is_set():
        forecaster.forecast(snapshot, seed=1, futures=1)

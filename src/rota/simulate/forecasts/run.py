"""A trace replayed under Rota's policy, with somebody who makes forecasts."""

from __future__ import annotations

import time
from collections.abc import Callable

from rota.policy.contract import Rota
from rota.policy.quantum import Pace
from rota.simulate.forecasts.judge import Judge
from rota.simulate.forecasts.report import Report, report_of
from rota.simulate.replay.compare import Setting, information_of
from rota.simulate.replay.watch import WatchedReplay

#: About so many forecasts are made, spread evenly over those who wait, unless it is said.
USUAL_FORECASTS = 6000


def usual_every(jobs: int) -> int:
    """Each so-many-th job that waits gets a forecast."""
    return max(round(jobs / USUAL_FORECASTS), 1)


def judge_forecasts(
    setting: Setting, judge: Judge, on_progress: Callable[[int], None] = lambda finished: None
) -> Report | None:
    """The whole replay. Raises ValueError when the fleet cannot serve a job."""
    began = time.perf_counter()
    replay = WatchedReplay(
        setting.trace,
        setting.fleet,
        Rota(),
        information_of("rota", setting.information),
        setting.rules,
        seed=setting.seed,
        pace=Pace.at_first(setting.bounds),
        keeps_turns=False,
        on_progress=on_progress,
    )
    replay.watched_by(judge).run()
    return report_of(judge.judged, judge.waited, time.perf_counter() - began)

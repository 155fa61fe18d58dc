"""A trace replayed under Rota's policy, with somebody who makes forecasts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from rota.domain.estimates import Estimate
from rota.domain.jobs import Job
from rota.policy.contract import Rota
from rota.policy.quantum import Pace
from rota.policy.values import Snapshot
from rota.simulate.forecasts.judge import Judge
from rota.simulate.forecasts.report import Report, report_of
from rota.simulate.replay.compare import Setting, information_of
from rota.simulate.replay.watch import WatchedReplay

#: At most about so many forecasts are made, spread evenly over those who wait, unless it is said.
MOST_FORECASTS = 1500


def judge_forecasts(
    setting: Setting, every: int | None, on_progress: Callable[[int], None], *, has_ends: bool = False
) -> Report | None:
    """The whole replay; each `every`-th job that waits gets a forecast. Raises ValueError when it cannot serve a job.

    `on_progress` hears how many jobs are done.
    """
    began = time.perf_counter()
    if every is None:
        waited = _Counts()
        _replay(setting, lambda finished: None).watched_by(waited).run()
        every = max(math.ceil(waited.jobs / MOST_FORECASTS), 1)
    judge = Judge(setting.seed, every=every, has_ends=has_ends)
    _replay(setting, on_progress).watched_by(judge).run()
    return report_of(judge.judged, judge.waited, time.perf_counter() - began, judge.ends)


def _replay(setting: Setting, on_progress: Callable[[int], None]) -> WatchedReplay:
    return WatchedReplay(
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


class _Counts:
    """Looks on, and counts who has to wait."""

    jobs = 0

    def submitted(self, job: Job, estimate: Estimate | None) -> None:
        """Not of interest."""

    def waits(self, job: Job, snapshot: Callable[[], Snapshot]) -> None:
        """One more."""
        self.jobs += 1

    def began(self, job: Job, at: float, tier: str) -> None:
        """Not of interest."""

    def ended(self, job: Job, stated: Estimate | None, has_reported: bool) -> None:
        """Not of interest."""

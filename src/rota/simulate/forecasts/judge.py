"""Makes a forecast for each job that has to wait for its first turn, and keeps it until that turn has begun."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from statistics import fmean

from rota.domain.estimates import Estimate
from rota.domain.forecasts import END, Promise, Range
from rota.domain.jobs import Job
from rota.forecast.arrivals import Arrivals
from rota.forecast.calibration import Calibration
from rota.forecast.futures import Habits, forecast_from
from rota.forecast.lengths import Lengths
from rota.policy.values import Snapshot
from rota.simulate.forecasts.yardsticks import backfill, mean_walk
from rota.simulate.replay.run import COST_S

#: Fewer than live: what came of earlier forecasts says how far off they may be, and a trace has thousands of them.
FUTURES = 6
#: In a replay a stop frees the GPUs at once, and the job repeats so much work.
HABITS = Habits(saves_in_s=0.0, resumes_in_s=COST_S)
#: A time limit that sites give to jobs that state none (slurm.conf, DefaultTime); seconds.
DEFAULT_LIMIT_S = 86400.0
#: The mean run time is that of the latest so many jobs; as long as none has ended, an hour.
MEAN_OF, FIRST_MEAN_S = 1000, 3600.0


@dataclass(frozen=True, slots=True)
class Judged:
    """One forecast, what came, and what others would have said. Seconds of the trace."""

    promise: Promise
    mean_walk_at: float
    backfill_at: float


@dataclass(slots=True)
class Judge:
    """Looks on (watch.py). `every`: of the jobs that wait, each so-many-th gets a forecast."""

    seed: int
    futures: int = FUTURES
    every: int = 1
    has_yardsticks: bool = True
    has_ends: bool = False  #: whether the ends of jobs are forecast as well, which takes several times as long
    judged: list[Judged] = field(default_factory=list)  #: in the order in which they began
    lengths: Lengths = field(default_factory=Lengths)
    arrivals: Arrivals = field(default_factory=Arrivals)
    calibration: Calibration = field(default_factory=Calibration)
    ends: list[Promise] = field(default_factory=list)  #: about the ends of jobs, in the order in which they ended
    of_ends: Calibration = field(default_factory=Calibration)
    _open_ends: dict[int, Promise] = field(default_factory=dict)
    waited: int = 0  #: jobs that had to wait for their first turn
    _open: dict[int, Judged] = field(default_factory=dict)
    _run_s: deque[float] = field(default_factory=lambda: deque(maxlen=MEAN_OF))

    def submitted(self, job: Job, estimate: Estimate | None) -> None:
        """One more that may come again some day."""
        self.arrivals.add(job, estimate)

    def waits(self, job: Job, snapshot: Callable[[], Snapshot]) -> None:
        """The forecast that its member is given."""
        self.waited += 1
        if self.waited % self.every:
            return
        moment = snapshot()
        made = forecast_from(
            moment, self.lengths, self.arrivals, seed=self.seed, futures=self.futures, only=(job.id,), habits=HABITS,
            wants_finish=self.has_ends,
        )[job.id]  # fmt: skip
        raw = made.begin or Range(moment.at, moment.at, moment.at)
        told = self.calibration.told(raw, moment.at, job.request.gpus)
        promise = Promise(job.id, 1, job.request.gpus, made.tier or "", moment.at, raw, told)
        mean_s = fmean(self._run_s) if self._run_s else FIRST_MEAN_S
        walk, filled = moment.at, moment.at
        if self.has_yardsticks:
            walk, filled = mean_walk(moment, job.id, mean_s), backfill(moment, job.id, DEFAULT_LIMIT_S)
        self._open[job.id] = Judged(promise, walk, filled)
        if self.has_ends and made.finish is not None:
            end = self.of_ends.told(made.finish, moment.at, job.request.gpus)
            self._open_ends[job.id] = Promise(job.id, END, job.request.gpus, "", moment.at, made.finish, end)

    def began(self, job: Job, at: float, tier: str) -> None:
        """What came of the forecast."""
        judged = self._open.pop(job.id, None)
        if judged is not None:
            promise = replace(judged.promise, began_at=at, tier=tier)
            self.judged.append(replace(judged, promise=promise))
            self.calibration.learn(promise)

    def ended(self, job: Job, stated: Estimate | None, has_reported: bool) -> None:
        """There is something to learn."""
        if (end := self._open_ends.pop(job.id, None)) is not None and job.ended_at is not None:
            self.ends.append(replace(end, began_at=job.ended_at))
            self.of_ends.learn(self.ends[-1])
        self.lengths.learn(job, stated.total_s if stated is not None else None, has_reported)
        self._run_s.append(job.attained_gpu_s / job.request.gpus)

"""What the laboratory's past says of its future: one object that learns and is asked, in daemon and replay alike."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from rota.domain.estimates import Estimate
from rota.domain.forecasts import Forecast
from rota.domain.jobs import Job
from rota.forecast.arrivals import Arrivals
from rota.forecast.durations import LikeJobs, stated
from rota.forecast.futures import forecast_from
from rota.forecast.lengths import Lengths
from rota.policy.values import Snapshot


@dataclass(slots=True)
class Forecaster:
    """Learns from submits and ends in the order in which they happen. Can be pickled."""

    lengths: Lengths = field(default_factory=Lengths)
    arrivals: Arrivals = field(default_factory=Arrivals)
    like_jobs: LikeJobs = field(default_factory=LikeJobs)  #: what the policy believes of a job that comes

    def submitted(self, job: Job, estimate: Estimate | None = None) -> None:
        """A job has come onto the list, at `job.submitted_at`; `estimate` is what was believed of it then."""
        self.arrivals.add(job, estimate or stated(job) or self.like_jobs.estimate(job))

    def ended(self, job: Job) -> None:
        """A job has ended, as recorded: finished, failed or cancelled."""
        self.lengths.learn(job)
        self.like_jobs.add(job)

    def forecast(
        self, snapshot: Snapshot, *, seed: int, futures: int | None = None, only: Collection[int] | None = None
    ) -> dict[int, Forecast]:
        """By job, before calibration: the policy run forward from this snapshot over sampled futures.

        `only`: jobs that are asked about (default: all), which lets a future end sooner. `futures`: how many (default:
        as many as cost about two seconds). The same snapshot, past and seed give the same forecasts.
        """
        return forecast_from(snapshot, self.lengths, self.arrivals, seed=seed, futures=futures, only=only)

"""What a replay came to: the figures by which policies are held against each other; docs/replay.md defines each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any

from rota.simulate.replay.fairness import finish_time_fairness
from rota.simulate.replay.values import Replayed, Trace

#: Slowdowns of shorter jobs say little: a minute's wait is nothing to a person and much to a job of ten seconds.
LONG_S = 600.0


@dataclass(frozen=True, slots=True)
class Report:
    """One policy's figures, by the names that `--json` prints. Times in seconds."""

    policy: str
    information: str
    jobs: int
    avg_jct_s: float
    median_jct_s: float
    p99_jct_s: float
    mean_first_wait_s: float
    p99_first_wait_s: float
    longest_first_wait_s: float
    max_slowdown: float  #: of all jobs
    p999_slowdown_long: float | None  #: 99.9th percentile, of jobs longer than LONG_S; none: there are none
    rho_p95: float  #: finish-time fairness, 95th percentile
    preemptions: int
    cost_part: float  #: of the GPU time used, what went into work done twice
    makespan_s: float  #: first submit to last finish
    wall_s: float  #: how long the replay took


def report_of(replayed: Replayed) -> Report:
    """The figures of one replay, of at least one job."""
    jobs = replayed.jobs
    jcts = sorted(job.jct_s for job in jobs)
    waits = sorted(job.first_wait_s for job in jobs)
    long_slowdowns = sorted(job.slowdown for job in jobs if job.job.duration_s > LONG_S)
    return Report(
        policy=replayed.policy,
        information=replayed.information,
        jobs=len(jobs),
        avg_jct_s=fmean(jcts),
        median_jct_s=median(jcts),
        p99_jct_s=quantile(jcts, 0.99),
        mean_first_wait_s=fmean(waits),
        p99_first_wait_s=quantile(waits, 0.99),
        longest_first_wait_s=waits[-1],
        max_slowdown=max(job.slowdown for job in jobs),
        p999_slowdown_long=quantile(long_slowdowns, 0.999) if long_slowdowns else None,
        rho_p95=quantile(sorted(finish_time_fairness(jobs, len(replayed.gpus))), 0.95),
        preemptions=sum(job.turns - 1 for job in jobs),
        cost_part=replayed.cost_gpu_s / replayed.spent_gpu_s,
        makespan_s=max(job.finish_s for job in jobs) - min(job.job.submit_s for job in jobs),
        wall_s=replayed.wall_s,
    )


def as_json(report: Report) -> dict[str, Any]:
    """The report as `--json` prints it; seconds to the millisecond."""
    return {name: round(value, 3) if name.endswith("_s") else value for name, value in asdict(report).items()}


def quantile(ascending: Sequence[float], part: float) -> float:
    """The value below which this part lies, interpolated linearly between neighbours (Hyndman and Fan's type 7).

    >>> quantile([10.0, 20.0, 30.0, 40.0], 0.5), quantile([7.0], 0.99)
    (25.0, 7.0)
    """
    place = part * (len(ascending) - 1)
    below = int(place)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (place - below) * (ascending[above] - ascending[below])


def offered_load(trace: Trace, gpus: float) -> float | None:
    """GPU time that was asked for against the GPU time there was while jobs were submitted; none for one moment.

    `gpus` counts a slower GPU for less, as it does less of the work in a second.
    """
    submits_s = trace.jobs[-1].submit_s - trace.jobs[0].submit_s
    if submits_s <= 0:
        return None
    return sum(job.duration_s * job.gpus for job in trace.jobs) / (submits_s * gpus)

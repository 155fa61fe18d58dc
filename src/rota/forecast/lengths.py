"""How long a job may run in all: a distribution, learnt from the laboratory's own past.

Jobs are expected to be like the jobs that are most like them, and as far as those are few, like more general ones: same
member, project, script, GPUs and stated time first, the whole laboratory last, and before there is any past, like the
jobs of a published trace. Each level counts for n / (n + STRENGTH) of what the more special ones leave over, n being
the past jobs that it has seen (the back-off of a hierarchical Dirichlet process: Teh, Jordan, Beal, Blei 2006).

A job that has run for a while is at least that long: what is shorter drops out, and levels that expected it to be
shorter count for less (Bayes). A measured total (progress) overrides all of it.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from statistics import NormalDist
from typing import NamedTuple

from rota.domain.estimates import Estimate, Source
from rota.domain.jobs import Job
from rota.forecast.durations import script_of

#: So many past jobs of a level count as much as everything more general.
STRENGTH = 3.0
#: The latest so many of a kind are remembered: what a member does changes.
REMEMBERED, REMEMBERED_OF_ALL = 48, 256
#: A total that is derived from progress is wrong by a log-normal factor of about this sigma.
PROGRESS_SIGMA = 0.12
#: As long as nobody's stated times are known to be better: off by a factor of e, on average right.
STATED_SIGMA = 1.0
#: A job that has used up what was measured needs at least this part more.
LEAST_LEFT_PART = 0.02
#: A job that runs longer than any before may take at most this many times as long.
LEAST_TAIL = 0.02

#: Run times of jobs, as (probability, seconds): rounded from four virtual clusters of Microsoft's Philly trace
#: (74,693 jobs; Jeon et al., USENIX ATC 2019; CC BY 4.0), for up to four GPUs and for more.
NARROW_PRIOR = (
    (0.0, 5.0), (0.1, 60.0), (0.25, 150.0), (0.5, 1e3), (0.75, 3e3), (0.9, 1e4), (0.98, 8e4), (0.999, 1e6), (1.0, 2e6),
)  # fmt: skip
WIDE_PRIOR = (
    (0.0, 30.0), (0.1, 240.0), (0.25, 600.0), (0.5, 9e3), (0.75, 5e4), (0.9, 2e5), (0.98, 6e5), (0.999, 1.2e6),
    (1.0, 2e6),
)  # fmt: skip
WIDE_GPUS = 5
#: A prior is a distribution of this many equally likely run times.
PRIOR_VALUES, NORMAL_VALUES = 64, 16

Kind = tuple[object, ...]


class Distribution:
    """Seconds with probabilities. Immutable once made."""

    __slots__ = ("_cumulative", "_values")

    def __init__(self, weighted: list[tuple[float, float]]) -> None:
        """From (seconds, weight) pairs, at least one of them with a weight above 0."""
        weighted.sort()
        self._values = [value for value, _ in weighted]
        self._cumulative = list(accumulate(weight for _, weight in weighted))

    def quantile(self, part: float, above: float = 0.0) -> float:
        """Of the values above that one, the value below which this part lies.

        Beyond the longest that is known, half end before twice the time, and so on (a Pareto tail of index 1).
        """
        values, cumulative = self._values, self._cumulative
        out = bisect_right(values, above)
        if out == len(values):
            return above / max(1.0 - part, LEAST_TAIL)
        gone = cumulative[out - 1] if out else 0.0
        place = bisect_right(cumulative, gone + part * (cumulative[-1] - gone))
        return values[min(place, len(values) - 1)]


class Length(NamedTuple):
    """How long one job may run in all."""

    distribution: Distribution
    scale: float  #: the distribution is in units of so many seconds
    ran_s: float  #: it is longer than that

    def quantile(self, part: float) -> float:
        """Seconds; above `ran_s`."""
        return self.scale * self.distribution.quantile(part, self.ran_s / self.scale)


@dataclass(slots=True)
class _Seen:
    """Past values of one kind: in order of time, and of size."""

    latest: deque[float]
    ascending: list[float] = field(default_factory=list)

    def add(self, value: float) -> None:
        if len(self.latest) == self.latest.maxlen:
            del self.ascending[bisect_left(self.ascending, self.latest.popleft())]
        self.latest.append(value)
        insort(self.ascending, value)


@dataclass(slots=True)
class Lengths:
    """Run times of past jobs by kind, and how wrong members' stated times were."""

    _run_s: dict[Kind, _Seen] = field(default_factory=dict)
    _per_stated: dict[Kind, _Seen] = field(default_factory=dict)  #: run time against stated time
    _reporting: deque[bool] = field(default_factory=lambda: deque(maxlen=REMEMBERED_OF_ALL))
    _fresh: dict[Kind, Distribution] = field(default_factory=dict)  #: of jobs that have not run yet, since `learn`

    def learn(self, job: Job, stated_s: float | None = None, has_reported: bool | None = None) -> None:
        """A job has ended, in whatever way: so long it used its GPUs. One that never ran says nothing."""
        run_s = job.attained_gpu_s / job.request.gpus
        if run_s <= 0:
            return
        stated_s = stated_s or job.request.time_s
        self._fresh.clear()
        self._reporting.append(job.progress is not None if has_reported is None else has_reported)
        for kind in _kinds(job, stated_s):
            self._remember(self._run_s, kind, run_s)
        if stated_s:
            for kind in _stated_kinds(job):
                self._remember(self._per_stated, kind, run_s / stated_s)

    def of(self, job: Job, ran_s: float, estimate: Estimate | None) -> Length:
        """Total run time of a job that has run `ran_s` seconds and is not done."""
        if estimate is not None and estimate.is_measured:
            return Length(_MEASURED, estimate.total_s, max(ran_s, ran_s + LEAST_LEFT_PART * estimate.total_s))
        stated_s = estimate.total_s if estimate is not None and estimate.source is Source.STATED else None
        script = script_of(job.command)
        is_by_stated_time_alone = stated_s is not None and not script
        kind: Kind = (job.project, job.member, script, job.request.gpus, None if is_by_stated_time_alone else stated_s)
        kind = (*kind, stated_s is not None)
        if kind not in self._fresh:
            self._fresh[kind] = self._mixture(job, 1.0 if is_by_stated_time_alone else stated_s)
        return Length(self._fresh[kind], stated_s if stated_s and is_by_stated_time_alone else 1.0, ran_s)

    @property
    def reporting_part(self) -> float:
        """The part of jobs that tell how far they are; half, as long as none has ended."""
        return (sum(self._reporting) + 1.0) / (len(self._reporting) + 2.0)

    def _remember(self, seen: dict[Kind, _Seen], kind: Kind, value: float) -> None:
        if kind not in seen:
            seen[kind] = _Seen(deque(maxlen=REMEMBERED if len(kind) > 1 else REMEMBERED_OF_ALL))
        seen[kind].add(value)

    def _mixture(self, job: Job, stated_s: float | None) -> Distribution:
        weighted: list[tuple[float, float]] = []
        left = 1.0
        for values in self._levels(job, stated_s):
            part = left * len(values) / (len(values) + STRENGTH)
            left -= part
            weighted += [(value, part / len(values)) for value in values]
        prior = [stated_s * factor for factor in _STATED] if stated_s else _prior(job.request.gpus)
        weighted += [(value, left / len(prior)) for value in prior]
        return Distribution(weighted)

    def _levels(self, job: Job, stated_s: float | None) -> Iterator[list[float]]:
        """Past run times of jobs like this one, ascending; the most alike first."""
        for kind in _kinds(job, stated_s):
            if stated_s and len(kind) <= _LEAST_SCRIPT_KIND:
                break  # its own stated time says more than what others of its size took
            if (seen := self._run_s.get(kind)) is not None:
                yield seen.ascending
        if stated_s:
            for kind in _stated_kinds(job):
                if (seen := self._per_stated.get(kind)) is not None:
                    yield [ratio * stated_s for ratio in seen.ascending]


#: Kinds with a script have more entries than those without.
_LEAST_SCRIPT_KIND = 3


def _kinds(job: Job, stated_s: float | None) -> list[Kind]:
    """The kinds that a job belongs to, the most special first; of all jobs: one entry."""
    gpus, script = job.request.gpus, script_of(job.command)
    kinds: list[Kind] = []
    if script:
        whose = (job.project, job.member, script, gpus)
        kinds += [(*whose, round(math.log2(stated_s)))] if stated_s else []
        kinds += [whose, ("script", job.member, script, "")]
    if job.member:
        kinds += [("member", job.member, gpus), ("member", job.member)]
    return [*kinds, ("gpus", gpus), ("all",)]


def _stated_kinds(job: Job) -> list[Kind]:
    return [("stated", job.member), ("stated",)] if job.member else [("stated",)]


def _prior(gpus: int) -> list[float]:
    return _WIDE if gpus >= WIDE_GPUS else _NARROW


def _values(table: tuple[tuple[float, float], ...]) -> list[float]:
    """Equally likely values of a table of quantiles, between its points on a logarithmic scale."""
    values = []
    for step in range(PRIOR_VALUES):
        part = (step + 0.5) / PRIOR_VALUES
        after = next(place for place, (level, _) in enumerate(table) if level >= part)
        (low, low_s), (high, high_s) = table[after - 1], table[after]
        values.append(low_s * (high_s / low_s) ** ((part - low) / (high - low)))
    return values


def _log_normal(sigma: float) -> list[float]:
    """Equally likely factors."""
    return [math.exp(sigma * NormalDist().inv_cdf((step + 0.5) / NORMAL_VALUES)) for step in range(NORMAL_VALUES)]


_NARROW, _WIDE = _values(NARROW_PRIOR), _values(WIDE_PRIOR)
_STATED = _log_normal(STATED_SIGMA)
_MEASURED = Distribution([(factor, 1.0) for factor in _log_normal(PROGRESS_SIGMA)])

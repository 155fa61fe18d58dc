"""The policy run forward: one possible future after the other, and for each job the quantiles over them."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rota.domain.forecasts import LEVELS, Forecast, Range
from rota.domain.jobs import Job, JobState
from rota.forecast.arrivals import Arrivals
from rota.forecast.future import Coming, Fate, Future, Start, Told, Way
from rota.forecast.lengths import Lengths
from rota.policy.values import Snapshot

#: A refresh is to cost about two seconds: so many jobs are run through over all its futures.
JOBS_IN_ALL = 4_000
FEWEST, MOST = 3, 24
#: A moment that a future did not reach is so many times as far off as it looked.
BEYOND_FACTOR = 2.0


@dataclass(frozen=True, slots=True)
class Habits:
    """What a stop costs in this laboratory. Seconds."""

    saves_in_s: float = 20.0  #: from the notice to free GPUs, where the job has not shown how often it saves
    resumes_in_s: float = 40.0  #: work that is done twice after a stop (Tiresias, NSDI 2019: 62 s on average)
    most_saving_s: float = 1200.0  #: the longest grace

    def stop_s(self, job: Job) -> float:
        """How long this job takes to leave its GPUs: half of its saving interval, if it has one."""
        interval_s = job.saving_interval_s
        return self.saves_in_s if interval_s is None else min(interval_s / 2, self.most_saving_s)


def forecast_from(
    snapshot: Snapshot,
    lengths: Lengths,
    arrivals: Arrivals,
    *,
    seed: int,
    futures: int | None = None,
    only: Collection[int] | None = None,
    habits: Habits | None = None,
    wants_finish: bool = True,
) -> dict[int, Forecast]:
    """By job on the list or in a turn, as `Forecaster.forecast` says."""
    wanted = frozenset(job.id for job in snapshot.jobs if only is None or job.id in only)
    if not wanted:
        return {}
    count = futures or min(max(JOBS_IN_ALL // len(snapshot.jobs), FEWEST), MOST)
    habits = habits or Habits()
    start = Start(snapshot)
    fates = _Fates(start, lengths, seed, count)
    told = []
    for number in range(count):
        coming = _coming(snapshot, lengths, arrivals, random.Random(seed * 1_000_003 + number))
        way = Way(habits.stop_s, habits.resumes_in_s, partial(fates.of, number), coming)
        told.append(Future(start, way).run(wanted, wants_finish=wants_finish))
    jobs = [job for job in snapshot.jobs if job.id in wanted]
    return {job.id: _forecast(job, snapshot.at, [] if job.id in start.never else told) for job in jobs}


class _Fates:
    """Each present job has one of its equally likely lengths in each future, in an order of its own.

    What is drawn depends on the job's number and the seed alone: from one refresh to the next a forecast moves because
    of news, not by chance. It is drawn when somebody asks: most of a long list is not reached.
    """

    def __init__(self, start: Start, lengths: Lengths, seed: int, futures: int) -> None:
        self._start, self._lengths, self._seed, self._futures = start, lengths, seed, futures
        self._drawn: dict[int, list[Fate]] = {}

    def of(self, future: int, job: int) -> Fate:
        if job not in self._drawn:
            self._drawn[job] = self._draw(self._start.jobs[job])
        return self._drawn[job][future]

    def _draw(self, job: Job) -> list[Fate]:
        snapshot, chance = self._start.snapshot, random.Random(self._seed * 7_368_787 + job.id)
        ran_s = job.attained_gpu_s / job.request.gpus
        if (turn := self._start.turns.get(job.id)) is not None:
            ran_s += max(snapshot.at - turn.granted_at, 0.0)
        length = self._lengths.of(job, ran_s, snapshot.estimates.get(job.id))
        strata = list(range(self._futures))
        chance.shuffle(strata)
        offset, reports = chance.random(), chance.random() < self._lengths.reporting_part
        return [Fate(length.quantile((stratum + offset) / self._futures), reports) for stratum in strata]


def _coming(snapshot: Snapshot, lengths: Lengths, arrivals: Arrivals, chance: random.Random) -> Iterator[Coming]:
    next_id, reporting_part = max(job.id for job in snapshot.jobs) + 1, lengths.reporting_part
    for number, one in enumerate(arrivals.draw(snapshot.at, chance), start=next_id):
        like = one.job
        job = Job(
            number, like.name, like.member, like.project, like.request, one.at, JobState.WAITING, one.at,
            command=like.command,
        )  # fmt: skip
        total_s = lengths.of(job, 0.0, one.estimate).quantile(chance.random())
        yield Coming(job, one.estimate, Fate(total_s, chance.random() < reporting_part))


def _forecast(job: Job, at: float, told: Sequence[Told]) -> Forecast:
    tiers = [one.tiers[job.id] for one in told if job.id in one.tiers]
    if job.state is JobState.RUNNING:  # more often than not it is done in its present turn, or there is another
        begins = [one.begins[job.id] for one in told if job.id in one.begins]
        begin = _range(begins) if len(begins) * 2 > len(told) else None
    else:
        begin = _range(_reached(job.id, at, told, [one.begins for one in told]))
    return Forecast(
        job=job.id,
        turn=job.turns + 1,
        made_at=at,
        begin=begin,
        finish=_range(_reached(job.id, at, told, [one.finishes for one in told])),
        tier=max(sorted(set(tiers)), key=tiers.count) if tiers else None,
    )


def _reached(job: int, at: float, told: Sequence[Told], moments: Sequence[Mapping[int, float]]) -> list[float]:
    """When it comes in each future. One that did not look so far is taken to have it as far beyond."""
    return [
        moment.get(job, math.inf if one.is_at_an_end else at + BEYOND_FACTOR * (one.until - at))
        for one, moment in zip(told, moments, strict=True)
    ]


def _range(moments: Sequence[float]) -> Range | None:
    """Quantiles of equally likely moments; None: in most futures it never comes."""
    reached = sorted(moment for moment in moments if moment < math.inf)
    if len(reached) * 2 <= len(moments):
        return None
    early, likely, late = (_quantile(reached, level) for level in LEVELS)
    return Range(early, likely, late)


def _quantile(ascending: Sequence[float], level: float) -> float:
    """Between the middles of equally likely values (Hyndman and Fan's type 5), the outer ones beyond."""
    place = min(max(level * len(ascending) - 0.5, 0.0), len(ascending) - 1.0)
    below = int(place)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (place - below) * (ascending[above] - ascending[below])

"""Who was served how fairly, and when: by finish time for each job, by share for each project. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rota.simulate.replay.values import PastJob, Replayed

WEEK_S = 7 * 86400.0


def finish_time_fairness(jobs: Sequence[PastJob], gpus: int) -> list[float]:
    """Themis' rho of each job, in their order: its JCT against its JCT alone on its equal share of the fleet.

    rho = T_shared / T_ind (Mahajan et al., NSDI 2020, section 3). T_ind is the JCT on an exclusive 1/N of the `gpus`,
    where N is the number of jobs in the system (submitted, not finished), averaged over time from this job's submit to
    its finish; Shockwave (Zheng et al., NSDI 2023) calls this the contention factor. A job whose share is at least what
    it asks for runs at full speed, one whose share is smaller in proportion slower:
    T_ind = duration * max(1, N * gpus asked / gpus). Above 1: the job would have done better alone on its share.
    """
    crowd = _Crowd(jobs)
    return [job.jct_s / (job.job.duration_s * max(1.0, crowd.average(job) * job.job.gpus / gpus)) for job in jobs]


class _Crowd:
    """The number of jobs in the system over time, as its integral at each change."""

    def __init__(self, jobs: Sequence[PastJob]) -> None:
        steps: dict[float, int] = defaultdict(int)
        for job in jobs:
            steps[job.job.submit_s] += 1
            steps[job.finish_s] -= 1
        self._times = sorted(steps)
        self._counts: list[int] = []
        self._integrals: list[float] = []
        count, integral, before = 0, 0.0, 0.0
        for at in self._times:
            integral += count * (at - before)
            count += steps[at]
            self._counts.append(count)
            self._integrals.append(integral)
            before = at

    def average(self, job: PastJob) -> float:
        """From its submit to its finish; itself included."""
        return (self._until(job.finish_s) - self._until(job.job.submit_s)) / job.jct_s

    def _until(self, at: float) -> float:
        place = bisect_right(self._times, at) - 1
        return self._integrals[place] + self._counts[place] * (at - self._times[place])


@dataclass(frozen=True, slots=True)
class WeekShare:
    """What one project had in one week, as parts of the fleet's GPU time."""

    week: int  #: 1 is the first
    project: str
    received: float
    entitled: float


def weekly_shares(replayed: Replayed, weights: Mapping[str, float]) -> list[WeekShare]:
    """Received and entitled, for each week until the last submit and each project.

    Entitled: at each moment, the fleet divided between the projects that ask for GPUs, by weight, none getting more
    than it asks for (weighted max-min). So who asks for less than its share is not wronged by what others took of it.
    """
    jobs = {past.job.id: past.job for past in replayed.jobs}
    until_s = max(job.submit_s for job in jobs.values())
    weeks = int(until_s // WEEK_S) + 1
    received: dict[tuple[int, str], float] = defaultdict(float)
    for turn in replayed.turns:
        for week, overlap_s in _by_week(turn.began_s, min(turn.ended_s, until_s)):
            received[week, jobs[turn.job].project] += overlap_s * len(turn.gpus)
    entitled: dict[tuple[int, str], float] = defaultdict(float)
    for began_s, ended_s, gpus in entitlements(replayed, weights):
        for week, overlap_s in _by_week(began_s, min(ended_s, until_s)):
            for project, share in gpus.items():
                entitled[week, project] += overlap_s * share
    projects = sorted({job.project for job in jobs.values()})
    shares = []
    for week in range(1, weeks + 1):
        whole_gpu_s = len(replayed.gpus) * (min(week * WEEK_S, until_s) - (week - 1) * WEEK_S)
        if whole_gpu_s > 0:
            shares += [
                WeekShare(week, name, received[week, name] / whole_gpu_s, entitled[week, name] / whole_gpu_s)
                for name in projects
            ]
    return shares


def _by_week(began_s: float, ended_s: float) -> list[tuple[int, float]]:
    """(week, seconds in it) of a span."""
    spans = []
    while began_s < ended_s:
        week = int(began_s // WEEK_S)
        end_s = min(ended_s, (week + 1) * WEEK_S)
        spans.append((week + 1, end_s - began_s))
        began_s = end_s
    return spans


def entitlements(replayed: Replayed, weights: Mapping[str, float]) -> Iterator[tuple[float, float, dict[str, float]]]:
    """(from, to, GPUs by project): what each is entitled to of all that is submitted and not finished."""
    changes: defaultdict[float, list[tuple[str, int]]] = defaultdict(list)
    for past in replayed.jobs:
        changes[past.job.submit_s].append((past.job.project, past.job.gpus))
        changes[past.finish_s].append((past.job.project, -past.job.gpus))
    asked: defaultdict[str, int] = defaultdict(int)
    before = 0.0
    for at in sorted(changes):
        yield before, at, divide(len(replayed.gpus), asked, weights)
        for project, gpus in changes[at]:
            asked[project] += gpus
        before = at


def divide(gpus: float, asked: Mapping[str, float], weights: Mapping[str, float]) -> dict[str, float]:
    """Weighted max-min: everybody gets by weight, nobody more than asked for; a project without a weight weighs 1.

    >>> divide(13, {"a": 1, "b": 9, "c": 9}, {"b": 2})
    {'a': 1.0, 'b': 8.0, 'c': 4.0}
    """
    # Whoever asks for least against its weight is satisfied first, and leaves the rest to the others.
    hungry = sorted((name for name in asked if asked[name] > 0), key=lambda name: asked[name] / weights.get(name, 1.0))
    weight_left, left = sum(weights.get(name, 1.0) for name in hungry), float(gpus)
    given = {}
    for name in hungry:
        weight = weights.get(name, 1.0)
        given[name] = min(float(asked[name]), left * weight / weight_left)
        left, weight_left = left - given[name], weight_left - weight
    return given

"""What others tell those who wait: one moment, from a walk along the queue. Pure.

Both know which jobs run and wait, and nothing of rotation: that a turn ends with its job is how their makers think.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Sequence

from rota.domain.jobs import Job, JobState
from rota.policy.values import Snapshot

#: Slurm tells no start for jobs that come after so many in the queue (slurm.conf, bf_max_job_test: 500 at busy sites);
#: they are taken to follow the last of these.
MOST_PLANNED = 500


def mean_walk(snapshot: Snapshot, job: int, mean_s: float) -> float:
    """When it begins if every job takes the mean, one after the other in the order of submit; epoch seconds."""
    free_at = _free_times(snapshot, lambda ran_s: max(mean_s - ran_s, 0.0))
    for waiting in _queue(snapshot, job):
        begin = _take(free_at, waiting.request.gpus, mean_s, snapshot.at)
    return begin


def backfill(snapshot: Snapshot, job: int, limit_s: float) -> float:
    """When it begins by conservative backfill (Slurm's sched/backfill), where everybody has this time limit.

    Each job in the order of submit gets the earliest time at which its GPUs are free for as long as its limit.
    """
    ends = [
        (max(turn.granted_at + limit_s, snapshot.at + 60.0), len(turn.gpus)) for turn in snapshot.turns
    ]  # one that is over its limit ends within the minute
    profile = _Profile(snapshot.at, len(snapshot.gpus), ends)
    queue = _queue(snapshot, job)
    begin = snapshot.at
    for waiting in [*queue[:-1][:MOST_PLANNED], queue[-1]]:
        begin = profile.reserve(waiting.request.gpus, limit_s)
    return begin


def _queue(snapshot: Snapshot, job: int) -> Sequence[Job]:
    """Those that wait, by submit, up to and with this one."""
    waiting = sorted(
        (one for one in snapshot.jobs if one.state is JobState.WAITING), key=lambda one: (one.submitted_at, one.id)
    )
    place = next(place for place, one in enumerate(waiting) if one.id == job)
    return waiting[: place + 1]


def _free_times(snapshot: Snapshot, left_s: Callable[[float], float]) -> list[float]:
    """When each GPU is free, ascending."""
    jobs = {job.id: job for job in snapshot.jobs}
    times: list[float] = []
    for turn in snapshot.turns:
        job = jobs[turn.job]
        ran_s = job.attained_gpu_s / job.request.gpus + snapshot.at - turn.granted_at
        times += [snapshot.at + left_s(ran_s)] * len(turn.gpus)
    times += [snapshot.at] * (len(snapshot.gpus) - len(times))
    return sorted(times)


def _take(free_at: list[float], gpus: int, lasts_s: float, at: float) -> float:
    """The GPUs that are free first, together; they are free again when the job is done."""
    begin = max(free_at[gpus - 1], at)
    del free_at[:gpus]
    for _ in range(gpus):
        insort(free_at, begin + lasts_s)
    return begin


class _Profile:
    """How many GPUs are free from when on."""

    def __init__(self, at: float, gpus: int, ends: Sequence[tuple[float, int]]) -> None:
        self._times = [at]
        self._free = [gpus - sum(count for _, count in ends)]
        for end, count in sorted(ends):
            if end > self._times[-1]:
                self._times.append(end)
                self._free.append(self._free[-1])
            self._free[-1] += count

    def reserve(self, gpus: int, lasts_s: float) -> float:
        """The earliest time at which so many are free for so long; they are taken."""
        place = 0
        while True:
            begin = self._times[place]
            end = begin + lasts_s
            short = next(
                (
                    later
                    for later in range(place, len(self._times))
                    if self._times[later] < end and self._free[later] < gpus
                ),
                None,
            )
            if short is None:
                self._split(end)
                for later in range(place, len(self._times)):
                    if self._times[later] < end:
                        self._free[later] -= gpus
                return begin
            place = short + 1

    def _split(self, at: float) -> None:
        """A step of its own begins there."""
        place = next((place for place, time in enumerate(self._times) if time >= at), len(self._times))
        if place == len(self._times) or self._times[place] != at:
            self._times.insert(place, at)
            self._free.insert(place, self._free[place - 1])

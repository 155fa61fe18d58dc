"""Law 3: a member who floods the list does not lengthen another member's first wait by more than a quantum. Pure.

The same trace is replayed twice, once with 1,000 more jobs of one member submitted at one moment. A member's first wait
is that of a job submitted while its member has nothing else on the list or running, in either replay: who already has
jobs competes with them, too, and has to share with one member more for as long as the flood lasts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from rota.simulate.replay.values import PastJob, Replayed, Trace, TraceJob

FLOOD_JOBS = 1000


@dataclass(frozen=True, slots=True)
class Lengthened:
    """By how much the flood lengthened one job's first wait; in quanta, below 0 if it became shorter."""

    job: TraceJob
    quanta: float
    is_first: bool  #: its member had nothing else submitted and unfinished, in either replay


def flooded(trace: Trace, member: str, at_s: float, gpus: int, duration_s: float, jobs: int = FLOOD_JOBS) -> Trace:
    """The trace with so many jobs more, all of this member's and all at once."""
    project = next(job.project for job in trace.jobs if job.member == member)
    number = max(job.id for job in trace.jobs)
    flood = [TraceJob(number + n, at_s, gpus, duration_s, member, project) for n in range(1, jobs + 1)]
    return replace(trace, jobs=tuple(sorted([*trace.jobs, *flood], key=lambda job: job.submit_s)))


def lengthened(without: Replayed, with_flood: Replayed, member: str, quantum_s: float) -> list[Lengthened]:
    """For each job of another member submitted from the flood on."""
    plain = {past.job.id: past for past in without.jobs}
    at_s = min(past.job.submit_s for past in with_flood.jobs if past.job.id not in plain)
    alone = _submitted_alone(without.jobs) & _submitted_alone(with_flood.jobs)
    found = []
    for past in with_flood.jobs:
        job = past.job
        if job.member == member or job.submit_s < at_s:
            continue
        longer_s = past.first_turn_s - plain[job.id].first_turn_s
        found.append(Lengthened(job, longer_s / quantum_s, job.id in alone))
    return found


def _submitted_alone(jobs: Iterable[PastJob]) -> set[int]:
    """Jobs whose member had no other that was submitted earlier and not finished."""
    busy_until: defaultdict[str, float] = defaultdict(float)
    alone = set()
    for past in sorted(jobs, key=lambda past: past.job.submit_s):
        if busy_until[past.job.member] <= past.job.submit_s:
            alone.add(past.job.id)
        busy_until[past.job.member] = max(busy_until[past.job.member], past.finish_s)
    return alone

"""Jobs that come to no turn as things stand: a future would look for them to its very end, and call them far off."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from rota.domain.jobs import AfterTurn, Job, JobState
from rota.policy.bays import Bays
from rota.policy.values import Snapshot


def never_served(snapshot: Snapshot, bays: Bays) -> frozenset[int]:
    """Those that are to be held when their turn ends, fit nowhere, or wait for a job that will not be done."""

    @cache
    def fits(tiers: tuple[str, ...], gpus: int, gpu_memory_bytes: int) -> bool:
        return any(bays.could_hold(tier, gpus, gpu_memory_bytes) for tier in tiers or snapshot.tiers)

    def is_never_served(job: Job) -> bool:
        if job.state is JobState.RUNNING:
            return job.after_turn is AfterTurn.HOLD
        request = job.request
        return not fits(request.tiers, request.gpus, request.gpu_memory_bytes)

    here = {job.id for job in snapshot.jobs}
    never = {job.id for job in snapshot.jobs if is_never_served(job)}
    while behind := _behind(snapshot, never, here):
        never |= behind
    return frozenset(never)


def _behind(snapshot: Snapshot, never: Collection[int], here: Collection[int]) -> set[int]:
    """More of them: jobs that follow one of these, or one that is not on the list (held)."""
    return {
        job
        for job, unmet in snapshot.is_blocked_by.items()
        if job not in never and any(one in never or one not in here for one in unmet)
    }

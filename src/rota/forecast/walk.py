"""The waiting list walked forward: when each job's next turn begins at the latest.

Assumes that every turn uses its whole quantum (or, without checkpoint, its whole time), that nobody joins the list,
no GPU fails, and saving takes no time. Turns that end early make it earlier; new jobs of members with less usage, or a
slow checkpoint, can make it later.
"""

from __future__ import annotations

from bisect import insort

from rota.domain.jobs import Job
from rota.domain.turns import TurnState
from rota.policy.values import Plan, Snapshot


def latest_begins(snapshot: Snapshot, plan: Plan) -> dict[int, float]:
    """By job on the waiting list: epoch seconds. A job that waits for others or fits nowhere now has none."""
    free_at = _free_times(snapshot, plan)
    jobs = {job.id: job for job in snapshot.jobs}
    begins: dict[int, float] = {}
    for wait in plan.waits:
        job = jobs.get(wait.job)
        if job is None or job.id in snapshot.is_blocked_by:
            continue
        lasts_s = _lasts_s(job, snapshot)
        slot = _earliest(job, free_at, snapshot)
        if slot is None:
            continue
        key, begin = slot
        begins[job.id] = begin
        times = free_at[key]
        del times[: job.request.gpus]
        for _ in range(job.request.gpus):
            insort(times, begin + lasts_s)
    return begins


def _earliest(
    job: Job, free_at: dict[tuple[str, str, int], list[float]], snapshot: Snapshot
) -> tuple[tuple[str, str, int], float] | None:
    """The node on which enough GPUs are free together first."""
    request, best = job.request, None
    for key, times in free_at.items():
        _, tier, memory_bytes = key
        if len(times) < request.gpus or memory_bytes < request.gpu_memory_bytes:
            continue
        if request.tiers and tier not in request.tiers:
            continue
        begin = times[request.gpus - 1]
        if best is None or begin < best[1]:
            best = (key, begin)
    return best


def _free_times(snapshot: Snapshot, plan: Plan) -> dict[tuple[str, str, int], list[float]]:
    """By node, tier and memory: when each GPU in service is free, ascending."""
    busy_until = {gpu: begin.guaranteed_until for begin in plan.begins for gpu in begin.gpus}
    for turn in snapshot.turns:
        until = snapshot.at if turn.state is TurnState.ENDING else turn.limit_at or turn.guaranteed_until
        busy_until.update(dict.fromkeys(turn.gpus, max(until, snapshot.at)))
    free_at: dict[tuple[str, str, int], list[float]] = {}
    for gpu in snapshot.gpus:
        if gpu.uuid not in snapshot.conditions:
            key = (gpu.node, gpu.tier, gpu.memory_bytes)
            insort(free_at.setdefault(key, []), busy_until.get(gpu.uuid, snapshot.at))
    return free_at


def _lasts_s(job: Job, snapshot: Snapshot) -> float:
    if job.request.is_resumable:
        return snapshot.rules.quantum_s
    return job.request.time_s or snapshot.rules.default_limit_s

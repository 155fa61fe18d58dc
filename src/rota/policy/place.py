"""Where a candidate goes: on free GPUs now, on GPUs that are freed for it, or on a node kept for its gang."""

from __future__ import annotations

from dataclasses import dataclass

from rota.domain.gpus import Gpu
from rota.domain.jobs import Job, Request
from rota.policy.shadow import NodeState, Shadow, Slot


@dataclass(frozen=True, slots=True)
class Place:
    """GPUs for a job; more than one node only when it fits on none."""

    gpus: tuple[Gpu, ...]
    backfill_before: NodeState | None = None  #: a node kept for a gang, into whose gap this fits


def tiers_in_preference(request: Request, shadow: Shadow, short_tiers: frozenset[str]) -> tuple[str, ...]:
    """The tiers a job accepts, the preferred first.

    A job that accepts any leaves the tiers alone that choosy jobs are short of, and takes the best of the others.
    """
    if request.tiers:
        return request.tiers
    tiers = shadow.snapshot.tiers
    return tuple(sorted(tiers, key=lambda tier: (tier in short_tiers, tiers.index(tier))))


def place_now(job: Job, needs_s: float, tiers: tuple[str, ...], shadow: Shadow) -> Place | None:
    """Free GPUs, in the first tier that has them; kept ones only when the job fits into the gap."""
    for tier in tiers:
        best = _best_node(job.request, tier, shadow, Slot.FREE, needs_s)
        if best is not None:
            node, gpus = best
            is_kept = node.kept_for is not None and any(gpu.uuid in node.kept for gpu in gpus)
            return Place(tuple(gpus), node if is_kept else None)
        if spread := _spread(job.request, tier, shadow, Slot.FREE):
            return Place(tuple(spread))
    return None


def place_soon(job: Job, tiers: tuple[str, ...], shadow: Shadow) -> Place | None:
    """GPUs that are free, are being freed, or belong to turns that rank after this job."""
    for tier in tiers:
        best = _best_node(job.request, tier, shadow, Slot.OPEN, needs_s=float("inf"))
        if best is not None:
            return Place(tuple(best[1]))
        if spread := _spread(job.request, tier, shadow, Slot.OPEN):
            return Place(tuple(spread))
    return None


def _best_node(
    request: Request, tier: str, shadow: Shadow, worst: Slot, needs_s: float
) -> tuple[NodeState, list[Gpu]] | None:
    """Best fit: disturb the fewest turns, the last-ranked of them, then leave the fewest free GPUs behind."""
    best: tuple[tuple[int, int, int], NodeState, list[Gpu]] | None = None
    for node in shadow.nodes.values():
        if tier not in node.tier_gpus:
            continue
        gpus = shadow.gpus(node, tier, request, worst)
        if node.kept_for is not None and shadow.snapshot.at + needs_s > node.kept_from:
            gpus = [gpu for gpu in gpus if gpu.uuid not in node.kept]
        chosen = _with_room_beside(gpus, node, request, shadow)
        if not chosen:
            continue
        open_turns = {shadow.holder[gpu.uuid].id for gpu in chosen if shadow.slots[gpu.uuid] is Slot.OPEN}
        rank = -min((shadow.rank[turn] for turn in open_turns), default=0)
        key = (len(open_turns), rank, len(gpus) - request.gpus)
        if best is None or key < best[0]:
            best = (key, node, chosen)
    return (best[1], best[2]) if best else None


def _with_room_beside(gpus: list[Gpu], node: NodeState, request: Request, shadow: Shadow) -> list[Gpu]:
    """The first GPUs that leave the node enough CPUs and memory, if need be those whose turns would make room."""
    for preference in (gpus, gpus[::-1]):
        chosen = preference[: request.gpus]
        if len(chosen) == request.gpus and not shadow.host_lacks(node, request, chosen):
            return chosen
    return []


def _spread(request: Request, tier: str, shadow: Shadow, worst: Slot) -> list[Gpu]:
    """A gang that fits on no node of the tier: whole nodes, and the remainder on one more. Empty when it cannot be."""
    sizes = [len(node.tier_gpus.get(tier, ())) for node in shadow.nodes.values()]
    if request.gpus <= max(sizes, default=0):
        return []
    whole: list[Gpu] = []
    partly: list[list[Gpu]] = []
    for node in shadow.nodes.values():
        gpus = [] if node.kept_for is not None else shadow.gpus(node, tier, request, worst)
        if gpus and len(gpus) == len(node.tier_gpus[tier]) and len(whole) + len(gpus) <= request.gpus:
            whole += gpus
        elif gpus:
            partly.append(gpus)
    left = request.gpus - len(whole)
    if left == 0:
        return whole
    enough = [gpus for gpus in partly if len(gpus) >= left]
    return whole + min(enough, key=len)[:left] if enough else []


def keep_node(job: Job, tiers: tuple[str, ...], shadow: Shadow) -> tuple[NodeState, int, float] | None:
    """Keep for a gang the free GPUs of the node on which it is whole earliest.

    Returns the node, how many of its GPUs are free now, and when it is whole; None when no node could take it.
    """
    best: tuple[float, NodeState, list[Gpu]] | None = None
    for tier in tiers:
        for node in shadow.nodes.values():
            if node.kept_for is not None:
                continue
            gpus = shadow.gpus(node, tier, job.request, Slot.PINNED)
            if len(gpus) < job.request.gpus:
                continue
            chosen = sorted(gpus, key=shadow.free_at)[: job.request.gpus]
            whole_at = shadow.free_at(chosen[-1])
            if best is None or whole_at < best[0]:
                best = (whole_at, node, chosen)
    if best is None:
        return None
    whole_at, node, chosen = best
    node.kept_for, node.kept_from = job.id, whole_at
    node.kept = {gpu.uuid for gpu in chosen}
    return node, sum(shadow.slots[gpu.uuid] is Slot.FREE for gpu in chosen), whole_at

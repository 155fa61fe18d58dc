"""Requests that no GPU of this fleet could ever serve are refused at submit, with what would work."""

from __future__ import annotations

import difflib
from collections import Counter

from rota.domain.gpus import Fleet, Gpu, in_slices
from rota.domain.jobs import Request
from rota.domain.sizes import say_size
from rota.errors import BadRequest


def refuse_impossible(request: Request, fleet: Fleet) -> None:
    """Raises BadRequest, naming what the fleet has, when the request could never be served."""
    if request.gpus < 1:
        raise BadRequest(f"--gpus must be at least 1, and {request.gpus} is not.")
    _refuse_unknown_tiers(request, fleet)
    sliced = in_slices(fleet.gpus)
    gpus = [gpu for gpu in fleet.gpus if gpu.uuid not in sliced and (not request.tiers or gpu.tier in request.tiers)]
    large = [gpu for gpu in gpus if gpu.memory_bytes >= request.gpu_memory_bytes]
    if not large:
        most = max(gpu.memory_bytes for gpu in gpus)
        raise BadRequest(
            f"No GPU {_of(request)}has {say_size(request.gpu_memory_bytes)} of memory (the largest has "
            f"{say_size(most)}). Ask for --gpu-memory {say_size(most)} or less."
        )
    _refuse_too_many(request, large, fleet)
    _refuse_too_much_host(request, large, fleet)


def _refuse_unknown_tiers(request: Request, fleet: Fleet) -> None:
    for tier in request.tiers:
        if tier not in fleet.tiers:
            near = difflib.get_close_matches(tier, fleet.tiers, 1)
            meant = f" Did you mean {near[0]}?" if near else ""
            raise BadRequest(f"There is no tier {tier!r} here.{meant} Tiers: {', '.join(fleet.tiers)}; or --tier any.")


def _refuse_too_many(request: Request, gpus: list[Gpu], fleet: Fleet) -> None:
    """One node when it fits on one; otherwise whole nodes of one tier."""
    per_node = Counter(gpu.node for gpu in gpus)
    per_tier = Counter(gpu.tier for gpu in gpus)
    largest_node, largest_tier = max(per_node.values()), max(per_tier.values())
    if request.gpus <= largest_node:
        return
    if len(fleet.nodes) > 1 and request.gpus <= largest_tier:
        return
    elsewhere = Counter(gpu.node for gpu in fleet.gpus if gpu.memory_bytes >= request.gpu_memory_bytes)
    advice = f"Ask for --gpus {largest_node}"
    if request.tiers and max(elsewhere.values()) >= request.gpus:
        advice += ", or --tier any"
    raise BadRequest(
        f"No node has {request.gpus} GPUs {_of(request)}(the largest has {largest_node}, "
        f"all together {largest_tier}). {advice}."
    )


def _refuse_too_much_host(request: Request, gpus: list[Gpu], fleet: Fleet) -> None:
    nodes = [node for node in fleet.nodes if any(gpu.node == node.name for gpu in gpus)]
    cpus, memory_bytes = max(node.cpus for node in nodes), max(node.memory_bytes for node in nodes)
    if request.cpus > cpus:
        raise BadRequest(f"No node has {request.cpus} CPUs (the largest has {cpus}). Ask for --cpus {cpus} or fewer.")
    if request.memory_bytes > memory_bytes:
        raise BadRequest(
            f"No node has {say_size(request.memory_bytes)} of memory (the largest has {say_size(memory_bytes)}). "
            f"Ask for --mem {say_size(memory_bytes)} or less."
        )


def _of(request: Request) -> str:
    return f"of tier {' or '.join(request.tiers)} " if request.tiers else ""

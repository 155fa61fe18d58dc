"""Fleets as people write them: `h100:8,rtx3090:4` (one node each) or `2x h100:8, 5x rtx3090:4` (several)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from rota.domain.gpus import Fleet, Gpu, Node
from rota.errors import BadRequest
from rota.fleet.tiers import GIB, memory_of, order_tiers

CPUS_PER_GPU = 16
MEMORY_PER_GPU_BYTES = 64 * GIB
MOST_GPUS = 100_000
_PART = re.compile(r"(?:(\d+)\s*x\s*)?([a-z][a-z0-9._-]*)\s*:\s*(\d+)", re.IGNORECASE | re.ASCII)


def parse_fleet(text: str, stated_order: Sequence[str] = ()) -> Fleet:
    """A simulated fleet. Nodes are named by tier: h100-1, h100-2, rtx3090-1.

    >>> [gpu.label for gpu in parse_fleet("2x h100:1, t4:2").gpus]
    ['h100-1:0', 'h100-2:0', 't4-1:0', 't4-1:1']

    Raises BadRequest with an example.
    """
    nodes: list[Node] = []
    gpus: list[Gpu] = []
    named: Counter[str] = Counter()
    for part in text.split(","):
        for tier, per_node in _nodes_of(part, text):
            named[tier] += 1
            name = f"{tier}-{named[tier]}"
            nodes.append(Node(name, CPUS_PER_GPU * per_node, MEMORY_PER_GPU_BYTES * per_node))
            gpus.extend(_gpu(tier, name, index) for index in range(per_node))
            if len(gpus) > MOST_GPUS:
                raise BadRequest(f"A simulated fleet has at most {MOST_GPUS:,} GPUs, and {text!r} has more.")
    return Fleet(tuple(nodes), tuple(gpus), order_tiers(named, stated_order), is_simulated=True)


def _nodes_of(part: str, text: str) -> list[tuple[str, int]]:
    """(tier, GPUs) for each node of one part."""
    match = _PART.fullmatch(part.strip())
    if not match or len(match[3]) > 6 or len(match[1] or "") > 6:
        raise BadRequest(f"{text!r} is not a fleet. Write it like h100:8,rtx3090:4 or 2x h100:8, 5x rtx3090:4.")
    many, tier, per_node = int(match[1] or 1), match[2].lower(), int(match[3])
    if not many or not per_node:
        raise BadRequest(f"A node has at least one GPU, and {part.strip()!r} has none. Write it like h100:8.")
    return [(tier, per_node)] * many


def _gpu(tier: str, node: str, index: int) -> Gpu:
    model = f"Simulated {tier.upper()}"
    return Gpu(f"SIM-{node}-{index}", index, node, tier, model, memory_of(tier), is_simulated=True)

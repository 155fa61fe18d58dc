"""GPU models, the tiers they belong to, and how capable they are.

Speeds: training throughput of one GPU against an H100 SXM; geometric mean of seven fp16 PyTorch benchmarks
(Lambda deeplearning-benchmark, 2025-12; L40S and T4 are estimates). Good to about a third for a given model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a tier."""

    tier: str
    pattern: str  #: found in the driver's name of the model, lower case
    memory_bytes: int  #: for simulated fleets
    speed: float  #: H100 SXM = 1


#: In the order of search: the more special name first.
MODELS = (
    Model("b200", r"b200", 180 * GIB, 1.61),
    Model("h200", r"h200", 141 * GIB, 1.17),
    Model("gh200", r"gh200", 96 * GIB, 1.04),
    Model("h100", r"h100", 80 * GIB, 1.00),
    Model("a100", r"a100", 80 * GIB, 0.54),
    Model("l40s", r"l40s", 48 * GIB, 0.37),
    Model("rtx6000ada", r"rtx 6000 ada", 48 * GIB, 0.35),
    Model("rtx4090", r"rtx 4090|rtx4090", 24 * GIB, 0.37),
    Model("a6000", r"rtx a6000|\ba6000", 48 * GIB, 0.26),
    Model("a40", r"\ba40\b", 48 * GIB, 0.23),
    Model("v100", r"v100", 32 * GIB, 0.24),
    Model("rtx3090", r"rtx 3090|rtx3090", 24 * GIB, 0.23),
    Model("a5000", r"rtx a5000|\ba5000", 24 * GIB, 0.20),
    Model("rtx2080ti", r"rtx 2080 ti|rtx2080ti", 11 * GIB, 0.13),
    Model("t4", r"\bt4\b", 16 * GIB, 0.07),
)
_BY_TIER = {model.tier: model for model in MODELS}
UNKNOWN_MEMORY_BYTES = 24 * GIB  # of a simulated GPU of a tier that nobody knows


def tier_of(model_name: str) -> str:
    """The tier of a model as the driver names it; an unknown one is a tier of its own.

    >>> tier_of("NVIDIA H100 80GB HBM3"), tier_of("NVIDIA GeForce RTX 3090"), tier_of("NVIDIA Thing 7")
    ('h100', 'rtx3090', 'thing7')
    """
    name = model_name.lower()
    for model in MODELS:
        if re.search(model.pattern, name):
            return model.tier
    return re.sub(r"[^a-z0-9]", "", name.replace("nvidia", "").replace("geforce", "")) or "gpu"


def memory_of(tier: str) -> int:
    """Bytes on a simulated GPU of this tier."""
    known = _BY_TIER.get(tier)
    return known.memory_bytes if known else UNKNOWN_MEMORY_BYTES


def order_tiers(tiers: Iterable[str], stated: Sequence[str]) -> tuple[str, ...]:
    """Best first: the laboratory's stated order, then by known speed, then by name."""

    def key(tier: str) -> tuple[int, float, str]:
        known = _BY_TIER.get(tier)
        place = stated.index(tier) if tier in stated else len(stated)
        return place, -known.speed if known else 0.0, tier

    return tuple(sorted(set(tiers), key=key))

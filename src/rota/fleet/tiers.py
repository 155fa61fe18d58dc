"""GPU models and the tiers they belong to. How fast they are is in speeds.py."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rota.fleet.speeds import speed_of

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a tier."""

    tier: str
    pattern: str  #: found in the driver's name of the model, lower case
    memory_bytes: int  #: for simulated fleets


#: In the order of search: the more special name first.
MODELS = (
    Model("b200", r"b200", 180 * GIB),
    Model("gh200", r"gh200", 96 * GIB),
    Model("h200", r"h200", 141 * GIB),
    Model("h100", r"h100", 80 * GIB),
    Model("a100", r"a100", 80 * GIB),
    Model("l40s", r"l40s", 48 * GIB),
    Model("rtx6000ada", r"rtx 6000 ada", 48 * GIB),
    Model("rtx4090", r"rtx 4090|rtx4090", 24 * GIB),
    Model("a6000", r"rtx a6000|\ba6000", 48 * GIB),
    Model("a40", r"\ba40\b", 48 * GIB),
    Model("v100", r"v100", 32 * GIB),
    Model("rtx3090", r"rtx 3090|rtx3090", 24 * GIB),
    Model("a5000", r"rtx a5000|\ba5000", 24 * GIB),
    Model("rtx2080ti", r"rtx 2080 ti|rtx2080ti", 11 * GIB),
    Model("t4", r"\bt4\b", 16 * GIB),
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
        place = stated.index(tier) if tier in stated else len(stated)
        return place, -(speed_of(tier) or 0.0), tier

    return tuple(sorted(set(tiers), key=key))

"""How fast GPU models train against each other: the table of docs/speeds.md, which has the sources."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rota.domain.gpus import Fleet

#: So far off can the table be for a given model of a network.
GOOD_TO = 0.35


@dataclass(frozen=True, slots=True)
class ModelSpeed:
    """Training throughput of one GPU; H100 SXM = 1."""

    model: str  #: as docs/speeds.md names it
    pattern: str  #: found in the driver's name of the model, lower case
    speed: float
    note: str = ""  #: "*": another data set of the same source; "e": an estimate


#: In the order of search: the more special name first, then the usual variant of a name that says no more.
SPEEDS = (
    ModelSpeed("B200", r"b200", 1.61),
    ModelSpeed("GH200", r"gh200", 1.04),
    ModelSpeed("H200", r"h200", 1.17, "*"),
    ModelSpeed("H100 PCIe", r"h100.*pcie", 0.68),
    ModelSpeed("H100 SXM", r"h100", 1.00),
    ModelSpeed("A100 40 GB", r"a100.*40gb", 0.43),
    ModelSpeed("A100 80 GB PCIe", r"a100.*pcie", 0.52),
    ModelSpeed("A100 80 GB SXM", r"a100", 0.54),
    ModelSpeed("L40S", r"l40s", 0.37, "e"),
    ModelSpeed("RTX 6000 Ada", r"rtx 6000 ada|rtx6000ada", 0.35),
    ModelSpeed("RTX 4090", r"rtx 4090|rtx4090", 0.37),
    ModelSpeed("A6000", r"\ba6000", 0.26),
    ModelSpeed("A40", r"\ba40\b", 0.23, "*"),
    ModelSpeed("V100 16 GB", r"v100.*16gb", 0.19),
    ModelSpeed("V100 32 GB", r"v100", 0.24, "*"),
    ModelSpeed("RTX 3090", r"rtx 3090|rtx3090", 0.23),
    ModelSpeed("A5000", r"\ba5000", 0.20, "*"),
    ModelSpeed("RTX 2080 Ti", r"rtx 2080 ti|rtx2080ti", 0.13, "*"),
    ModelSpeed("T4", r"\bt4\b", 0.07, "e"),
)


def speed_of(name: str) -> float | None:
    """The table's speed of a model as the driver names it, or of a tier; None when it is not in the table.

    >>> speed_of("NVIDIA H100 PCIe"), speed_of("h100"), speed_of("thing7")
    (0.68, 1.0, None)
    """
    name = name.lower()
    return next((known.speed for known in SPEEDS if re.search(known.pattern, name)), None)


def table_speeds(fleet: Fleet) -> dict[str, float]:
    """By tier, from the models that are there; the slowest where a tier has several. Unknown tiers are left out."""
    speeds: dict[str, float] = {}
    for tier, model in sorted({(gpu.tier, gpu.model) for gpu in fleet.gpus}):
        speed = speed_of(model) or speed_of(tier)
        if speed is not None:
            speeds[tier] = min(speed, speeds.get(tier, speed))
    return speeds

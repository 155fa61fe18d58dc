"""Deadlines: a project may have some of its own share early, and pays it back afterwards.

From `early` before the deadline on it may be ahead of the others: after t seconds by what its share brings in t
seconds. With half of the fleet that is three quarters until the deadline; nobody else is left with nothing. Then it
ends. What it had early stays in its usage, so that it comes after the others until they have had as much: nobody's
share but its own is spent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a project's results must be there."""

    project: str
    at: float  #: epoch seconds
    early_s: float  #: for how long before it may be ahead, and so at most by how much of its share

    @property
    def begins_at(self) -> float:
        return self.at - self.early_s

    @property
    def repaid_at(self) -> float:
        """When its share has brought as much as it could have early; until then it may owe the others time."""
        return self.at + self.early_s


def advances_gpu_s(
    deadlines: Iterable[Deadline], weights: Mapping[str, float], capacity: float, at: float
) -> dict[str, float]:
    """By project: how many GPU-seconds it may be ahead of its share now.

    `weights` are those of all projects that run or wait; `capacity` is the fleet in GPUs, weighted by tier. Of two
    deadlines of a project that overlap, the larger counts: a share cannot be had early twice.
    """
    advances: dict[str, float] = {}
    whole = sum(weights.values())
    for deadline in deadlines:
        if deadline.project in weights and deadline.begins_at < at < deadline.at:
            early = weights[deadline.project] / whole * capacity * (at - deadline.begins_at)
            advances[deadline.project] = max(early, advances.get(deadline.project, 0.0))
    return advances


def debtors(deadlines: Iterable[Deadline], at: float) -> frozenset[str]:
    """Projects that have, or may still owe, what they had early: the others are not to be lifted up to them."""
    return frozenset(one.project for one in deadlines if one.begins_at < at < one.repaid_at)

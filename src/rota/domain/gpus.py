"""GPUs, slices, nodes and tiers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Condition(StrEnum):
    """Whether turns may begin on a GPU."""

    HEALTHY = "healthy"
    DRAINED = "drained"  # an administrator asked that no further turn begins
    FAILED = "failed"  # lost or broken: whatever ran there has ended or must end
    TAKEN = "taken"  # somebody uses it outside the list; a turn that is there goes on


@dataclass(frozen=True, slots=True)
class Gpu:
    """One schedulable GPU: a whole one, or a MIG slice of one.

    >>> Gpu("GPU-1", 0, "lab", "h100", "NVIDIA H100", 80 * 2**30).label
    'lab:0'
    """

    uuid: str
    index: int  #: its number on the node, in PCI order (slices: within the node's list)
    node: str
    tier: str
    model: str
    memory_bytes: int
    pci_bus_id: str = ""
    slice_of: str | None = None  #: UUID of the whole GPU that this is a part of
    is_simulated: bool = False

    @property
    def label(self) -> str:
        """What people call it: `node:index`."""
        return f"{self.node}:{self.index}"


@dataclass(frozen=True, slots=True)
class Node:
    """A server that holds GPUs."""

    name: str
    cpus: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Fleet:
    """Which GPUs there are, and their tiers ordered by capability (best first)."""

    nodes: tuple[Node, ...]
    gpus: tuple[Gpu, ...]
    tiers: tuple[str, ...]
    is_simulated: bool = False


def in_slices(gpus: Iterable[Gpu]) -> set[str]:
    """UUIDs of the whole GPUs that are in slices: no turn may begin on one of them beside its slices."""
    return {gpu.slice_of for gpu in gpus if gpu.slice_of}

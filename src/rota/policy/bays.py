"""The fleet in bays, one for each tier on a node, and which of them have how many GPUs free."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rota.domain.gpus import Gpu, Node, in_slices


@dataclass(slots=True)
class NodeRoom:
    """What a node has beside its GPUs."""

    name: str
    cpus: int  #: not asked for by anybody who is there
    memory_bytes: int


@dataclass(slots=True)
class Bay:
    """The GPUs of one tier on one node."""

    index: int  #: in the order of the fleet
    node: NodeRoom
    tier: str
    gpus: list[Gpu] = field(default_factory=list)  #: those that turns may begin on
    free: list[int] = field(default_factory=list)  #: places in `gpus`, ascending
    least_memory_bytes: int = 0  #: of its smallest GPU


class FreeIndex:
    """The bays of one tier by how many of their GPUs are free, so that the tightest fit is found at once."""

    def __init__(self, largest: int, bays: Iterable[Bay] = ()) -> None:
        self.by_count: list[list[int]] = [[] for _ in range(largest + 1)]
        for bay in bays:
            self.by_count[len(bay.free)].append(bay.index)

    def copy(self) -> FreeIndex:
        """Another one to try things on."""
        twin = FreeIndex(0)
        twin.by_count = [bays[:] for bays in self.by_count]
        return twin

    def move(self, bay: int, before: int, after: int) -> None:
        """A bay had `before` GPUs free and has `after` now."""
        bays = self.by_count[before]
        del bays[bisect_left(bays, bay)]
        insort(self.by_count[after], bay)

    def with_at_least(self, gpus: int) -> Iterator[int]:
        """Bays with so many GPUs free, the tightest first."""
        for count in range(gpus, len(self.by_count)):
            yield from self.by_count[count]

    @property
    def free(self) -> int:
        """GPUs free in the whole tier."""
        return sum(count * len(bays) for count, bays in enumerate(self.by_count))


Held = tuple[Bay, list[int]]  #: places of GPUs in a bay


class Bays:
    """The whole fleet."""

    def __init__(self, nodes: Mapping[str, Node], gpus: Iterable[Gpu], out: Iterable[str]) -> None:
        rooms = {name: NodeRoom(name, node.cpus, node.memory_bytes) for name, node in nodes.items()}
        self.all: list[Bay] = []
        self.of_node: dict[tuple[str, str], Bay] = {}
        self.place_of: dict[str, tuple[Bay, int]] = {}  #: by UUID
        self.rooms = rooms
        gpus = tuple(gpus)
        out = in_slices(gpus).union(out)
        for gpu in gpus:
            bay = self.of_node.get((gpu.node, gpu.tier))
            if bay is None:
                bay = Bay(len(self.all), rooms[gpu.node], gpu.tier)
                self.all.append(bay)
                self.of_node[gpu.node, gpu.tier] = bay
            self.place_of[gpu.uuid] = (bay, len(bay.gpus))
            if gpu.uuid not in out:
                bay.free.append(len(bay.gpus))
            bay.gpus.append(gpu)
        self.out = out
        self.in_service: dict[str, int] = {}  #: by tier: the most GPUs of it on one node
        self.indexes: dict[str, FreeIndex] = {}
        self.free_gpus = sum(len(bay.free) for bay in self.all)
        for bay in self.all:
            bay.least_memory_bytes = min(gpu.memory_bytes for gpu in bay.gpus)
        for tier in dict.fromkeys(bay.tier for bay in self.all):
            bays = [bay for bay in self.all if bay.tier == tier]
            self.in_service[tier] = max(len(bay.gpus) for bay in bays)
            self.indexes[tier] = FreeIndex(self.in_service[tier], bays)

    def could_hold(self, tier: str, gpus: int, gpu_memory_bytes: int) -> bool:
        """Whether so many GPUs of a tier are in service where a job could have them together, if nobody were there."""
        sizes = [
            sum(gpu.uuid not in self.out and gpu.memory_bytes >= gpu_memory_bytes for gpu in bay.gpus)
            for bay in self.all
            if bay.tier == tier
        ]
        return max(sizes, default=0) >= gpus or (gpus > self.in_service.get(tier, 0) and sum(sizes) >= gpus)

    def take(self, uuids: Iterable[str]) -> list[Held]:
        """These GPUs are held now; returns their places by bay, without those that are out of service or unknown."""
        held: dict[int, list[int]] = {}
        for uuid in uuids:
            found = self.place_of.get(uuid)  # a GPU may have left the fleet
            if found is not None and uuid not in self.out:
                held.setdefault(found[0].index, []).append(found[1])
        taken = [(self.all[index], places) for index, places in held.items()]
        for bay, places in taken:
            self._set_free(bay, [place for place in bay.free if place not in places])
        return taken

    def give_back(self, held: Iterable[Held]) -> None:
        """What `take` returned is free again."""
        for bay, places in held:
            self._set_free(bay, sorted([*bay.free, *places]))

    def _set_free(self, bay: Bay, free: list[int]) -> None:
        before, after = len(bay.free), len(free)
        bay.free = free
        if after != before:
            self.free_gpus += after - before
            self.indexes[bay.tier].move(bay.index, before, after)

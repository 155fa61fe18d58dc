"""The fleet as the policy goes through its candidates: what is free, what could be had, what is spoken for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from rota.domain.gpus import Gpu
from rota.domain.jobs import Job, Request
from rota.domain.turns import Turn, TurnState
from rota.policy.values import Snapshot


class Slot(IntEnum):
    """What a GPU is to the next candidate. The order is that of preference."""

    FREE = 0
    FREEING = 1  # its turn is ending; whoever is placed here waits for that
    OPEN = 2  # its turn is past the quantum and competes
    PINNED = 3  # its turn is guaranteed for longer
    TAKEN = 4  # spoken for in this plan
    OUT = 5  # drained, failed, or a whole GPU whose slices are scheduled


@dataclass(slots=True)
class NodeState:
    """One node: its GPUs' slots, and the CPUs and memory beside them."""

    name: str
    tier_gpus: dict[str, list[Gpu]] = field(default_factory=dict)
    cpus_free: int = 0  #: now
    memory_free_bytes: int = 0
    cpus_freeing: int = 0  #: what turns that are ending hold
    memory_freeing_bytes: int = 0
    kept_for: int | None = None  #: a gang for which free GPUs are kept
    kept_from: float = 0.0  #: when the gang needs them
    kept: set[str] = field(default_factory=set)


class Shadow:
    """Mutable state of one planning; made from a snapshot, thrown away after the plan."""

    def __init__(self, snapshot: Snapshot, open_turns: dict[str, Turn], rank: dict[str, int]) -> None:
        self.snapshot = snapshot
        self.open_turns = open_turns
        self.rank = rank  #: of competing turns; the last in order is the first to end
        self.holder: dict[str, Turn] = {gpu: turn for turn in snapshot.turns for gpu in turn.gpus}
        self.slots: dict[str, Slot] = {}
        self.nodes: dict[str, NodeState] = {}
        self._jobs: dict[int, Job] = {job.id: job for job in snapshot.jobs}
        self._fill()

    def _fill(self) -> None:
        snapshot = self.snapshot
        sliced = {gpu.slice_of for gpu in snapshot.gpus if gpu.slice_of}
        for name, node in snapshot.nodes.items():
            self.nodes[name] = NodeState(name, {}, node.cpus, node.memory_bytes)
        for gpu in snapshot.gpus:
            self.nodes[gpu.node].tier_gpus.setdefault(gpu.tier, []).append(gpu)
            is_out = gpu.uuid in snapshot.conditions or gpu.uuid in sliced
            self.slots[gpu.uuid] = Slot.OUT if is_out else self._slot_of(self.holder.get(gpu.uuid))
        for turn in snapshot.turns:
            self._count_host(turn)

    def _slot_of(self, turn: Turn | None) -> Slot:
        if turn is None:
            return Slot.FREE
        if turn.state is TurnState.ENDING:
            return Slot.FREEING
        return Slot.OPEN if turn.id in self.open_turns else Slot.PINNED

    def _count_host(self, turn: Turn) -> None:
        job, node = self._jobs.get(turn.job), self.nodes.get(turn.node)
        if job is None or node is None:
            return
        node.cpus_free -= job.request.cpus
        node.memory_free_bytes -= job.request.memory_bytes
        if turn.state is TurnState.ENDING:
            node.cpus_freeing += job.request.cpus
            node.memory_freeing_bytes += job.request.memory_bytes

    # --- asking -------------------------------------------------------------------------------

    def gpus(self, node: NodeState, tier: str, request: Request, worst: Slot) -> list[Gpu]:
        """GPUs of a node that this request could have, the preferred first, none worse than `worst`."""
        fitting = [
            gpu
            for gpu in node.tier_gpus.get(tier, ())
            if self.slots[gpu.uuid] <= worst and gpu.memory_bytes >= request.gpu_memory_bytes
        ]
        fitting.sort(key=lambda gpu: (self.slots[gpu.uuid], -self._rank_of(gpu), gpu.index))
        return fitting

    def _rank_of(self, gpu: Gpu) -> int:
        turn = self.holder.get(gpu.uuid)
        return self.rank.get(turn.id, -1) if turn else -1

    def host_lacks(self, node: NodeState, request: Request, chosen: list[Gpu]) -> str:
        """What the node has too little of beside these GPUs, "cpus" or "memory"; "" when there is enough.

        What their present turns hold counts as free, and so does what ending turns hold, unless all of them are
        free: then the job begins now.
        """
        is_now = all(self.slots[gpu.uuid] is Slot.FREE for gpu in chosen)
        ending = {self.holder[gpu.uuid].job for gpu in chosen if self.slots[gpu.uuid] is Slot.OPEN}
        cpus = node.cpus_free + sum(self._jobs[job].request.cpus for job in ending)
        memory_bytes = node.memory_free_bytes + sum(self._jobs[job].request.memory_bytes for job in ending)
        if not is_now:
            cpus, memory_bytes = cpus + node.cpus_freeing, memory_bytes + node.memory_freeing_bytes
        if request.cpus > cpus:
            return "cpus"
        return "memory" if request.memory_bytes > memory_bytes else ""

    def free_at(self, gpu: Gpu) -> float:
        """When this GPU can be had, as far as is guaranteed."""
        turn = self.holder.get(gpu.uuid)
        if turn is None or self.slots[gpu.uuid] in (Slot.FREE, Slot.FREEING, Slot.OPEN):
            return self.snapshot.at
        return max(turn.limit_at or turn.guaranteed_until, self.snapshot.at)

    # --- taking -------------------------------------------------------------------------------

    def take(self, gpus: list[Gpu], request: Request) -> None:
        """These GPUs are spoken for."""
        for gpu in gpus:
            self.slots[gpu.uuid] = Slot.TAKEN
        node = self.nodes[gpus[0].node]
        node.cpus_free -= request.cpus
        node.memory_free_bytes -= request.memory_bytes

    def free_by_ending(self, turn: Turn) -> None:
        """A turn is told to end: what it holds can be had soon."""
        for gpu in turn.gpus:
            if self.slots.get(gpu) in (Slot.OPEN, Slot.PINNED):
                self.slots[gpu] = Slot.FREEING
        job, node = self._jobs.get(turn.job), self.nodes.get(turn.node)
        if job is not None and node is not None:
            node.cpus_freeing += job.request.cpus
            node.memory_freeing_bytes += job.request.memory_bytes

"""The fleet as one decision goes through its candidates: what is free, what could be had, what is spoken for."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rota.domain.jobs import Job, Request
from rota.policy.bays import Bay, FreeIndex, NodeRoom
from rota.policy.order import Contender, lowest_first
from rota.policy.reservations import admits
from rota.policy.standing import Running, Standing


@dataclass(slots=True)
class Hold:
    """A bay in which GPUs are kept idle for a gang."""

    gang: int
    from_at: float  #: when it needs them


class Floor:
    """Made for one decision and thrown away. It changes nothing in the Standing."""

    def __init__(self, standing: Standing, contenders: list[Contender], at: float) -> None:
        self.standing, self.at = standing, at
        self._competing = contenders
        self._lowest_first: list[Running] | None = None
        self.bays = standing.bays.all
        self.free_gpus = standing.bays.free_gpus
        self.holds: dict[int, Hold] = {}  #: by bay
        self.kept_going: dict[int, int] = {}  #: by bay: GPUs of turns past their quantum that go on for now
        self.kept = standing.kept_gpus(at)
        self.claimed_soon: dict[str, int] = {}  #: by tier: GPUs promised to jobs that wait for them to be freed
        # By bay: turns that could be stopped, the first to stop at the front. Made when a job of several GPUs asks.
        self._contenders: dict[int, list[Running]] | None = None
        self._stoppable_gpus: dict[int, int] = {}
        self._soon: dict[str, FreeIndex] = {}  # by tier: bays by how many GPUs could come together; made when asked for
        self._soon_counts: dict[int, int] = {}
        self._heights: dict[str, int] = {}
        self.freeing: dict[int, list[int]] = {}  #: by bay: places of GPUs whose turns are ending
        self.stoppable: dict[str, Running] = {one.running.turn.id: one.running for one in contenders}
        for running in standing.ending.values():
            self._count_as_freeing(running)
        self._free: dict[int, list[int]] = {}
        self._stopped: set[str] = set()
        self._indexes: dict[str, FreeIndex] = {}
        self._rooms: dict[str, NodeRoom] = {}
        self._rooms_soon: dict[str, tuple[int, int]] = {}
        for running in standing.ending.values():
            self._add_room_soon(running)

    # --- asking -------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether nothing is left to give, now or soon."""
        return not self.free_gpus and not self.stoppable and not self.freeing

    def index(self, tier: str) -> FreeIndex:
        return self._indexes.get(tier) or self.standing.bays.indexes[tier]

    def free_in(self, bay: Bay) -> list[int]:
        """Places of the GPUs that are free and not spoken for."""
        mine = self._free.get(bay.index)
        return bay.free if mine is None else mine

    def fitting(self, places: list[int], bay: Bay, job: Job, needs_s: float) -> list[int]:
        """Those among these GPUs that this job may hold for so long."""
        hold = self.holds.get(bay.index)
        if hold is not None and hold.gang != job.id and self.at + needs_s > hold.from_at:
            return []
        memory_bytes = job.request.gpu_memory_bytes
        if memory_bytes > bay.least_memory_bytes:
            places = [place for place in places if bay.gpus[place].memory_bytes >= memory_bytes]
        if self.kept:
            until = self.at + needs_s
            places = [p for p in places if admits(self.kept.get(bay.gpus[p].uuid, ()), job, self.at, until)]
        return places

    def lacks(self, bay: Bay, request: Request, stopped: Iterable[Running] = (), is_soon: bool = False) -> str:
        """What the node has too little of beside its GPUs, "cpus" or "memory"; "" when there is enough.

        With `is_soon` what ending turns hold counts as free, and so does what those hold that would be stopped.
        """
        if not request.cpus and not request.memory_bytes:
            return ""
        room = self._rooms.get(bay.node.name, bay.node)
        cpus, memory_bytes = room.cpus, room.memory_bytes
        if is_soon:
            more = self._rooms_soon.get(bay.node.name, (0, 0))
            cpus, memory_bytes = cpus + more[0], memory_bytes + more[1]
        for running in stopped:
            cpus, memory_bytes = cpus + running.job.request.cpus, memory_bytes + running.job.request.memory_bytes
        if request.cpus > cpus:
            return "cpus"
        return "memory" if request.memory_bytes > memory_bytes else ""

    @property
    def lowest_first(self) -> list[Running]:
        """The turns that could be stopped when this decision began, the first to stop at the front."""
        if self._lowest_first is None:
            ordered = lowest_first(self.standing, self._competing, self.at)
            self._lowest_first = [contender.running for contender in ordered]
        return self._lowest_first

    def contenders_in(self, bay: Bay) -> list[Running]:
        """Turns in a bay that could be stopped, the first to stop at the front."""
        return self._by_bay().get(bay.index, [])

    def _by_bay(self) -> dict[int, list[Running]]:
        if self._contenders is None:
            self._contenders = {}
            for running in self.lowest_first:
                if running.turn.id in self.stoppable:
                    for bay, places in running.bays:
                        self._contenders.setdefault(bay.index, []).append(running)
                        more = self._stoppable_gpus.get(bay.index, 0) + len(places)
                        self._stoppable_gpus[bay.index] = more
        return self._contenders

    def height(self, running: Running) -> int:
        """How high a turn that could be stopped ranks among all that could; 0 is the first to stop."""
        if not self._heights:
            self._heights = {one.turn.id: height for height, one in enumerate(self.lowest_first)}
        return self._heights[running.turn.id]

    def contested(self, tier: str, gpus: int) -> Iterator[Bay]:
        """Bays of a tier in which turns end or could be stopped, so that this many GPUs could come together."""
        contenders, index = self._by_bay(), self._soon.get(tier)
        if index is None:
            bays = [bay for bay in self.bays if bay.tier == tier]
            index = self._soon[tier] = FreeIndex(self.standing.bays.in_service[tier])
            for bay in bays:
                count = self._soon_counts[bay.index] = self._soon_in(bay)
                index.by_count[count].append(bay.index)
        for number in index.with_at_least(gpus):
            if number in contenders or number in self.freeing:
                yield self.bays[number]

    def _soon_in(self, bay: Bay) -> int:
        """How many GPUs of a bay are free, become free, or could."""
        return len(self.free_in(bay)) + len(self.freeing.get(bay.index, ())) + self._stoppable_gpus.get(bay.index, 0)

    def _recount(self, bay: Bay) -> None:
        """Something was claimed or is no longer to be had."""
        if bay.tier in self._soon:
            before, after = self._soon_counts[bay.index], self._soon_in(bay)
            if after != before:
                self._soon[bay.tier].move(bay.index, before, after)
                self._soon_counts[bay.index] = after

    def is_stopped(self, running: Running) -> bool:
        """Whether this decision has told it to end."""
        return running.turn.id in self._stopped

    # --- taking -------------------------------------------------------------------------------

    def claim_free(self, bay: Bay, places: list[int]) -> None:
        """These free GPUs are spoken for."""
        if not places:
            return
        before = self.free_in(bay)
        taken = set(places)
        after = [place for place in before if place not in taken]
        index = self._indexes.get(bay.tier)
        if index is None:
            index = self._indexes[bay.tier] = self.standing.bays.indexes[bay.tier].copy()
        index.move(bay.index, len(before), len(after))
        self._free[bay.index] = after
        self.free_gpus -= len(places)
        self._recount(bay)

    def claim_room(self, bay: Bay, request: Request) -> None:
        """The CPUs and memory beside them, too."""
        if request.cpus or request.memory_bytes:
            room = self._rooms.setdefault(bay.node.name, NodeRoom(bay.node.name, bay.node.cpus, bay.node.memory_bytes))
            room.cpus -= request.cpus
            room.memory_bytes -= request.memory_bytes

    def claim_freeing(self, bay: Bay, places: set[int]) -> None:
        """These GPUs are spoken for as soon as their turns have ended."""
        self.claimed_soon[bay.tier] = self.claimed_soon.get(bay.tier, 0) + len(places)
        left = [place for place in self.freeing.get(bay.index, ()) if place not in places]
        if left:
            self.freeing[bay.index] = left
        else:
            self.freeing.pop(bay.index, None)
        self._recount(bay)

    def stop(self, running: Running) -> None:
        """A turn is told to end: what it holds can be had soon."""
        self._stopped.add(running.turn.id)
        if running.turn.id in self.stoppable:
            self._forget(running)
        self._count_as_freeing(running)
        self._add_room_soon(running)

    def keep_going(self, running: Running) -> None:
        """A turn past its quantum goes on: nobody before it needs its GPUs."""
        if running.turn.id not in self.stoppable:
            return  # somebody before it has taken them
        self._forget(running)
        for bay, places in running.bays:
            self.kept_going[bay.index] = self.kept_going.get(bay.index, 0) + len(places)

    def _forget(self, running: Running) -> None:
        self.stoppable.pop(running.turn.id, None)
        if self._contenders is None:
            return
        for bay, places in running.bays:
            self._stoppable_gpus[bay.index] -= len(places)
            left = self._contenders[bay.index]
            left.remove(running)
            if not left:
                del self._contenders[bay.index]
            self._recount(bay)

    def _count_as_freeing(self, running: Running) -> None:
        for bay, places in running.bays:
            for place in places:
                insort(self.freeing.setdefault(bay.index, []), place)
            self._recount(bay)

    def _add_room_soon(self, running: Running) -> None:
        request = running.job.request
        if request.cpus or request.memory_bytes:
            cpus, memory_bytes = self._rooms_soon.get(running.turn.node, (0, 0))
            self._rooms_soon[running.turn.node] = (cpus + request.cpus, memory_bytes + request.memory_bytes)

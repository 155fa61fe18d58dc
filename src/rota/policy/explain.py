"""Why a job waits, with the numbers; and what is known already of requests of the same shape."""

from __future__ import annotations

from rota.domain.gpus import Gpu
from rota.domain.jobs import Job, Request
from rota.domain.reasons import (
    AheadOfYou,
    GangForms,
    GapTooShort,
    NodeIsFull,
    NothingFits,
    PlaceKept,
    Reason,
    TooLongInOnePiece,
)
from rota.policy.order import Candidate
from rota.policy.place import Place
from rota.policy.shadow import NodeState, Shadow, Slot
from rota.policy.values import Snapshot

Shape = tuple[int, int, int, int, tuple[str, ...], bool, float | None]


class Refusals:
    """Reasons to wait. A shape that found no place finds none later in the same plan: places only become fewer."""

    def __init__(self, snapshot: Snapshot, shadow: Shadow, waiting: list[Candidate]) -> None:
        self._snapshot, self._shadow = snapshot, shadow
        self._known: dict[Shape, Reason] = {}
        self._first_turns = [c.job for c in waiting if c.job.turns == 0 and c.job.request.is_resumable]
        self.short_tiers = _short_tiers(waiting, snapshot, shadow)

    def known(self, job: Job, ahead: int) -> Reason | None:
        """The reason that a job of the same shape was given, with this job's own place in it."""
        reason = self._known.get(_shape(job.request))
        if isinstance(reason, AheadOfYou):
            return AheadOfYou(ahead, reason.turns, reason.next_free_at)
        if isinstance(reason, GangForms):  # only the first gang has the node kept for it
            return AheadOfYou(ahead, *self._turns_on(_accepted(job.request, self._snapshot), job.request))
        return reason

    def refuse(
        self, job: Job, tiers: tuple[str, ...], kept: tuple[NodeState, int, float] | None, needs_s: float, ahead: int
    ) -> Reason:
        """Why no place was found for this job."""
        reason = self._why(job, tiers, kept, needs_s, ahead)
        self._known[_shape(job.request)] = reason
        return reason

    def _why(
        self, job: Job, tiers: tuple[str, ...], kept: tuple[NodeState, int, float] | None, needs_s: float, ahead: int
    ) -> Reason:
        request, shadow = job.request, self._shadow
        if kept is not None:
            node, free_now, whole_at = kept
            return GangForms(node.name, request.gpus, free_now, whole_at)
        if not self._fits_when_empty(request, tiers):
            return NothingFits(request.gpus, tiers)
        for node in shadow.nodes.values():
            free = [gpu for tier in tiers for gpu in shadow.gpus(node, tier, request, Slot.FREE)]
            if len(free) < request.gpus:
                continue
            if node.kept_for is not None:
                return GapTooShort(node.kept_for, node.kept_from - self._snapshot.at, needs_s)
            if what := shadow.host_lacks(node, request, free[: request.gpus]):
                return NodeIsFull(node.name, what)
        return AheadOfYou(ahead, *self._turns_on(tiers, request))

    def _fits_when_empty(self, request: Request, tiers: tuple[str, ...]) -> bool:
        """Whether the GPUs in service could take it if nobody else were there."""
        shadow, total = self._shadow, 0
        for tier in tiers:
            sizes = [len(shadow.gpus(node, tier, request, Slot.TAKEN)) for node in shadow.nodes.values()]
            if max(sizes, default=0) >= request.gpus:
                return True
            total = max(total, sum(sizes))
        is_wide = all(len(gpus) < request.gpus for node in shadow.nodes.values() for gpus in node.tier_gpus.values())
        return is_wide and total >= request.gpus

    def _turns_on(self, tiers: tuple[str, ...], request: Request) -> tuple[int, float | None]:
        """How many turns hold GPUs that it could use, and when the first of them may be ended."""
        usable = {
            gpu.uuid
            for gpu in self._snapshot.gpus
            if gpu.tier in tiers and gpu.memory_bytes >= request.gpu_memory_bytes
        }
        turns = [turn for turn in self._snapshot.turns if not usable.isdisjoint(turn.gpus)]
        ends = [turn.limit_at or turn.guaranteed_until for turn in turns]
        return len(turns), min((at for at in ends if at > self._snapshot.at), default=None)

    def place_kept(self, place: Place) -> Reason:
        """GPUs are being freed for it."""
        shadow = self._shadow
        turns = [shadow.holder[gpu.uuid] for gpu in place.gpus if gpu.uuid in shadow.holder]
        names = tuple(dict.fromkeys(turn.id for turn in turns))
        return PlaceKept(names, place.gpus[0].node)

    def too_long(self, job: Job, place: Place, needs_s: float) -> Reason | None:
        """A job that cannot be stopped may not take the last GPUs from others' first turns for over a quantum."""
        quantum_s = self._snapshot.rules.quantum_s
        if job.request.is_resumable or needs_s <= quantum_s:
            return None
        tier = place.gpus[0].tier
        others = [other for other in self._first_turns if not other.request.tiers or tier in other.request.tiers]
        if not others:
            return None
        left = self._rotating_gpus(tier) - len(place.gpus)
        if left >= min(other.request.gpus for other in others):
            return None
        return TooLongInOnePiece(needs_s, quantum_s, len(others))

    def _rotating_gpus(self, tier: str) -> int:
        """GPUs of a tier in service that no turn holds for longer than a quantum from now."""
        soon = self._snapshot.at + self._snapshot.rules.quantum_s

        def rotates(gpu: Gpu) -> bool:
            turn = self._shadow.holder.get(gpu.uuid)
            return turn is None or turn.limit_at is None or turn.limit_at <= soon

        gpus = (gpu for gpu in self._snapshot.gpus if gpu.tier == tier)
        return sum(self._shadow.slots[gpu.uuid] is not Slot.OUT and rotates(gpu) for gpu in gpus)


def _shape(request: Request) -> Shape:
    one_piece_s = None if request.is_resumable else request.time_s
    return (
        request.gpus,
        request.gpu_memory_bytes,
        request.cpus,
        request.memory_bytes,
        request.tiers,
        request.is_resumable,
        one_piece_s,
    )


def _accepted(request: Request, snapshot: Snapshot) -> tuple[str, ...]:
    return request.tiers or snapshot.tiers


def _short_tiers(waiting: list[Candidate], snapshot: Snapshot, shadow: Shadow) -> frozenset[str]:
    """Tiers of which jobs that accept only them could use every free GPU."""
    wanted: dict[str, int] = {}
    for candidate in waiting:
        if len(candidate.job.request.tiers) == 1:
            tier = candidate.job.request.tiers[0]
            wanted[tier] = wanted.get(tier, 0) + candidate.job.request.gpus
    free = dict.fromkeys(snapshot.tiers, 0)
    for gpu in snapshot.gpus:
        free[gpu.tier] = free.get(gpu.tier, 0) + (shadow.slots[gpu.uuid] is Slot.FREE)
    return frozenset(tier for tier, gpus in wanted.items() if gpus >= free.get(tier, 0))

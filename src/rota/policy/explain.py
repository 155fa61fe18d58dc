"""Why a job waits, with the numbers; and what is known already of requests of the same shape."""

from __future__ import annotations

from collections.abc import Mapping

from rota.domain.jobs import Job
from rota.domain.reasons import (
    AheadOfYou,
    GangForms,
    GapTooShort,
    NodeIsFull,
    NothingFits,
    PlaceKept,
    Reason,
    ReservedFor,
    SoonerElsewhere,
)
from rota.policy.bays import Bay
from rota.policy.compare import why_before
from rota.policy.floor import Floor
from rota.policy.line import Candidate
from rota.policy.order import Contender, Served
from rota.policy.place import Place
from rota.policy.shapes import Shape
from rota.policy.standing import Standing


class Explainer:
    """Reasons to wait. A shape that found no place finds none later in the same plan: places only become fewer."""

    def __init__(self, standing: Standing, floor: Floor) -> None:
        self._standing, self._floor = standing, floor
        self._known: dict[Shape, Reason] = {}
        self._turns: dict[tuple[tuple[str, ...], int], tuple[int, float | None]] = {}
        #: By tier: as the how manieth the one was served who was served last there, who, and whether before all.
        self._latest: dict[str, tuple[int, Served, bool]] = {}
        self._served = 0

    def note(self, served: Served, goes_first: bool) -> None:
        """Somebody was served, or waits, or goes on: whoever comes next on these GPUs comes after them."""
        self._served += 1
        if isinstance(served, Contender):
            self._latest[served.running.turn.tier] = (self._served, served, goes_first)
            return
        for tier in served.job.request.tiers or self._standing.tiers:
            self._latest[tier] = (self._served, served, goes_first)

    def why(self, candidate: Candidate, found: Reason | None, ahead: int) -> Reason:
        """The reason found when its place was looked for, or that of its shape with the job's own place in it."""
        shape = candidate.shape
        if found is not None:
            self._known.setdefault(shape, AheadOfYou(0, *self._turns_on(shape)))
            return found
        known = self._known.get(shape)
        if known is None:
            known = self._known[shape] = self._find(candidate.job, shape)
        if isinstance(known, AheadOfYou):
            return self._ahead(candidate, known, ahead)
        return known

    def _ahead(self, candidate: Candidate, known: AheadOfYou, ahead: int) -> AheadOfYou:
        """With the one that comes right before it."""
        tiers = candidate.job.request.tiers or self._standing.tiers
        latest = max(
            (self._latest[tier] for tier in tiers if tier in self._latest), default=None, key=lambda entry: entry[0]
        )
        if latest is None:
            return AheadOfYou(ahead, known.turns, known.next_free_at)
        _, before, goes_first = latest
        first = why_before(self._standing, before, candidate, self._floor.at, goes_first=goes_first)
        return AheadOfYou(
            ahead, known.turns, known.next_free_at, first.job.id, first.job.member, first.job.project,
            first.because.value, first.theirs, first.yours,
        )  # fmt: skip

    def place_kept(self, place: Place) -> Reason:
        """GPUs are being freed for it."""
        standing = self._standing
        wanted = {gpu.uuid for gpu in place.gpus}
        turns = {*standing.ending, *(stop.turn.id for stop in place.stops)}
        turns = {turn_id for turn_id in turns if not wanted.isdisjoint(standing.running[turn_id].turn.gpus)}
        return PlaceKept(tuple(sorted(turns)), place.gpus[0].node)

    @staticmethod
    def gang_forms(job: Job, bays: list[Bay], free_now: int, whole_at: float) -> Reason:
        """Free GPUs are kept idle for it until it is whole."""
        nodes = " + ".join(bay.node.name for bay in bays)
        return GangForms(nodes, job.request.gpus, free_now, whole_at)

    @staticmethod
    def sooner(tier: str, better: tuple[str, float], speeds: Mapping[str, float]) -> Reason:
        """Waiting for the faster tier finishes it sooner."""
        other, wait_s = better
        return SoonerElsewhere(tier, other, wait_s, speeds.get(other, 1.0) / speeds.get(tier, 1.0))

    def _find(self, job: Job, shape: Shape) -> Reason:
        standing, floor = self._standing, self._floor
        tiers = shape.tiers or standing.tiers
        if not any(standing.bays.could_hold(tier, shape.gpus, shape.gpu_memory_bytes) for tier in tiers):
            return NothingFits(shape.gpus, tiers)
        for bay in floor.bays:
            if bay.tier in tiers and len(floor.free_in(bay)) >= shape.gpus and (why := self._not_in(bay, job, shape)):
                return why
        return AheadOfYou(0, *self._turns_on(shape))

    def _not_in(self, bay: Bay, job: Job, shape: Shape) -> Reason | None:
        """Why not on the free GPUs of this bay."""
        floor, at = self._floor, self._floor.at
        needs_s = self._standing.rules.quantum_s if shape.needs_s is None else shape.needs_s
        places = [p for p in floor.free_in(bay) if bay.gpus[p].memory_bytes >= shape.gpu_memory_bytes]
        if len(places) < shape.gpus:
            return None
        hold = floor.holds.get(bay.index)
        if hold is not None and hold.gang != job.id:
            return GapTooShort(hold.gang, hold.from_at - at, needs_s)
        if len(floor.fitting(places, bay, job, needs_s)) < shape.gpus:
            kept = [one for p in places for one in floor.kept.get(bay.gpus[p].uuid, ())]
            one = min(kept, key=lambda reservation: reservation.begins_at)
            return ReservedFor(one.name, one.begins_at, needs_s)
        what = floor.lacks(bay, job.request)
        return NodeIsFull(bay.node.name, what) if what else None

    def _turns_on(self, shape: Shape) -> tuple[int, float | None]:
        """How many turns hold GPUs that it could use, and when the first of them may be ended."""
        key = (shape.tiers, shape.gpu_memory_bytes)
        if key not in self._turns:
            tiers = shape.tiers or self._standing.tiers
            turns = [
                running
                for running in self._standing.running.values()
                if any(
                    bay.tier in tiers and bay.gpus[0].memory_bytes >= shape.gpu_memory_bytes for bay, _ in running.bays
                )
            ]
            ends = [running.until for running in turns]
            self._turns[key] = len(turns), min((at for at in ends if at > self._floor.at), default=None)
        return self._turns[key]

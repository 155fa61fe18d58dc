"""The policy, whole: a snapshot goes in, a plan comes out.

1. End what must end: failed GPUs, time that is over, drained GPUs after their quantum.
2. Sort out who may be served: waiting jobs, and turns past their quantum, which compete again.
3. Put them in order (order.py).
4. Give each in turn a place (place.py): free GPUs now, GPUs of turns that rank lower, a node kept for a gang.
5. Everybody else waits, with the reason (explain.py).
"""

from __future__ import annotations

from rota.domain.gpus import Condition
from rota.domain.jobs import Job, JobState
from rota.domain.reasons import Backfilled, FollowsJobs, GpuOutOfService, Reason, SomebodyWaits, TimeIsOver, YourTurn
from rota.domain.turns import Turn, TurnState
from rota.policy.explain import Refusals
from rota.policy.order import Candidate, in_order
from rota.policy.place import Place, keep_node, place_now, place_soon, tiers_in_preference
from rota.policy.shadow import Shadow, Slot
from rota.policy.values import Begin, End, Plan, Snapshot, Wait

#: How often turns past their quantum are weighed anew against those who wait, as a part of the quantum.
REVIEW_PART = 0.05


def plan(snapshot: Snapshot) -> Plan:
    """What to do now. Pure: the same snapshot gives the same plan."""
    forced = _forced_ends(snapshot)
    waiting, competing, pinned = _sort_out(snapshot, {end.turn for end in forced})
    order = in_order([*waiting, *competing], pinned, snapshot)
    rank = {candidate.turn.id: place for place, candidate in enumerate(order) if candidate.turn}
    shadow = Shadow(snapshot, {c.turn.id: c.turn for c in competing if c.turn}, rank)
    for end in forced:
        shadow.free_by_ending(next(turn for turn in snapshot.turns if turn.id == end.turn))
    walk = _Walk(snapshot, shadow, waiting, list(forced))
    for candidate in order:
        walk.serve(candidate)
    blocked = [(job, FollowsJobs(unmet)) for job, unmet in sorted(snapshot.is_blocked_by.items())]
    waits = tuple(Wait(job, place, why) for place, (job, why) in enumerate([*walk.waits, *blocked], start=1))
    look_again_at = _look_again_at(snapshot, walk.begins, bool(walk.waits))
    return Plan(tuple(walk.begins), tuple(walk.ends), waits, look_again_at)


def limit_s(job: Job, snapshot: Snapshot) -> float:
    """How long a job without checkpoint may run in its one turn."""
    return job.request.time_s or snapshot.rules.default_limit_s


# --- 1 and 2 -------------------------------------------------------------------------------------


def _forced_ends(snapshot: Snapshot) -> list[End]:
    """Turns that end whether or not somebody waits."""
    ends = []
    for turn in snapshot.turns:
        if turn.state is not TurnState.ENDING and (why := _must_end(turn, snapshot)):
            ends.append(End(turn.id, None, why))
    return ends


def _must_end(turn: Turn, snapshot: Snapshot) -> Reason | None:
    if turn.limit_at is not None and turn.limit_at <= snapshot.at:
        return TimeIsOver(turn.limit_at - turn.granted_at)
    for gpu in turn.gpus:
        condition = snapshot.conditions.get(gpu)
        is_over = turn.limit_at is None and turn.guaranteed_until <= snapshot.at
        if condition is Condition.FAILED or (condition is Condition.DRAINED and is_over):
            return GpuOutOfService(gpu, condition.value)
    return None


def _sort_out(snapshot: Snapshot, forced: set[str]) -> tuple[list[Candidate], list[Candidate], list[tuple[Job, Turn]]]:
    """Waiting candidates, competing ones, and the turns that nobody may touch now."""
    jobs = {job.id: job for job in snapshot.jobs}
    waiting = [
        Candidate(job, None, job.attained_gpu_s)
        for job in snapshot.jobs
        if job.state is JobState.WAITING and job.id not in snapshot.is_blocked_by
    ]
    competing, pinned = [], []
    for turn in snapshot.turns:
        job = jobs.get(turn.job)
        if job is None or turn.state is TurnState.ENDING or turn.id in forced:
            continue
        if turn.limit_at is None and turn.guaranteed_until <= snapshot.at:
            attained = job.attained_gpu_s + (snapshot.at - turn.granted_at) * len(turn.gpus)
            competing.append(Candidate(job, turn, attained))
        else:
            pinned.append((job, turn))
    return waiting, competing, pinned


# --- 4 -------------------------------------------------------------------------------------------


class _Walk:
    """Goes through the candidates in order and gives each its place."""

    def __init__(self, snapshot: Snapshot, shadow: Shadow, waiting: list[Candidate], ends: list[End]) -> None:
        self.snapshot, self.shadow, self.waiting, self.ends = snapshot, shadow, waiting, ends
        self.begins: list[Begin] = []
        self.waits: list[tuple[int, Reason]] = []
        self._refusals = Refusals(snapshot, shadow, waiting)

    def serve(self, candidate: Candidate) -> None:
        """A place now, a place soon, or a reason to wait."""
        if candidate.turn is not None:
            self._go_on(candidate.turn)
            return
        job = candidate.job
        known = self._refusals.known(job, len(self.waits))
        if known is not None:
            self.waits.append((job.id, known))
            return
        tiers = tiers_in_preference(job.request, self.shadow, self._refusals.short_tiers)
        needs_s = self.snapshot.rules.quantum_s if job.request.is_resumable else limit_s(job, self.snapshot)
        place = place_now(job, needs_s, tiers, self.shadow)
        if place is not None and (too_long := self._refusals.too_long(job, place, needs_s)):
            self.waits.append((job.id, too_long))
        elif place is not None:
            self._begin(candidate, place)
        elif (place := place_soon(job, tiers, self.shadow)) is not None and not (
            too_long := self._refusals.too_long(job, place, needs_s)
        ):
            self.waits.append((job.id, self._make_room(job, place)))
        else:
            kept = keep_node(job, tiers, self.shadow) if job.request.gpus > 1 else None
            self.waits.append((job.id, self._refusals.refuse(job, tiers, kept, needs_s, len(self.waits))))

    def _go_on(self, turn: Turn) -> None:
        """A turn past its quantum goes on when nobody before it has claimed its GPUs."""
        if all(self.shadow.slots.get(gpu) is Slot.OPEN for gpu in turn.gpus):
            for gpu in turn.gpus:
                self.shadow.slots[gpu] = Slot.TAKEN

    def _begin(self, candidate: Candidate, place: Place) -> None:
        job, at, rules = candidate.job, self.snapshot.at, self.snapshot.rules
        limit_at = None if job.request.is_resumable else at + limit_s(job, self.snapshot)
        reason: Reason = YourTurn(job.attained_gpu_s, len(self.waiting))
        if place.backfill_before is not None and place.backfill_before.kept_for is not None:
            reason = Backfilled(place.backfill_before.kept_for, place.backfill_before.kept_from - at)
        self.shadow.take(list(place.gpus), job.request)
        self.begins.append(
            Begin(
                job=job.id,
                gpus=tuple(gpu.uuid for gpu in place.gpus),
                node=place.gpus[0].node,
                tier=place.gpus[0].tier,
                guaranteed_until=limit_at or at + rules.quantum_s,
                limit_at=limit_at,
                reason=reason,
            )
        )

    def _make_room(self, job: Job, place: Place) -> Reason:
        """End the turns that rank lower on these GPUs; the job begins when they have saved."""
        shadow = self.shadow
        for gpu in place.gpus:
            if shadow.slots[gpu.uuid] is Slot.OPEN:
                turn = shadow.holder[gpu.uuid]
                why = SomebodyWaits(job.id, job.member, self.snapshot.rules.quantum_s)
                self.ends.append(End(turn.id, job.id, why))
                shadow.free_by_ending(turn)
        reason = self._refusals.place_kept(place)
        shadow.take(list(place.gpus), job.request)
        return reason


# --- when to look again --------------------------------------------------------------------------


def _look_again_at(snapshot: Snapshot, begins: list[Begin], somebody_waits: bool) -> float | None:
    """When time alone could change the plan."""
    times = [turn.limit_at for turn in snapshot.turns if turn.limit_at is not None]
    times += [begin.guaranteed_until for begin in begins if somebody_waits or begin.limit_at is not None]
    # A turn past its quantum keeps its GPU only while it ranks first, and its service grows.
    is_contested = somebody_waits and any(
        t.limit_at is None and t.guaranteed_until <= snapshot.at for t in snapshot.turns
    )
    if is_contested:
        times.append(snapshot.at + REVIEW_PART * snapshot.rules.quantum_s)
    drained = {gpu for gpu, condition in snapshot.conditions.items() if condition is Condition.DRAINED}
    for turn in snapshot.turns:
        if turn.limit_at is None and (somebody_waits or not drained.isdisjoint(turn.gpus)):
            times.append(turn.guaranteed_until)
    if somebody_waits:
        waiting = (job for job in snapshot.jobs if job.state is JobState.WAITING)
        times += [job.waiting_since + snapshot.rules.patience_s for job in waiting]
    return min((at for at in times if at > snapshot.at), default=None)

"""The decision itself, over a Standing.

1. End what must end: failed GPUs, time that is over, drained or reserved GPUs after their quantum.
2. Put in order who may be served: waiting jobs, and turns past their quantum, which compete again (order.py).
3. Give each in turn a place (place.py): free GPUs now, GPUs of turns that rank lower, a node kept for a gang.
   Stop as soon as nothing is left to give.
4. Everybody else waits; whoever wants to know why asks explain.py.
"""

from __future__ import annotations

from rota.domain.gpus import Condition
from rota.domain.jobs import Job
from rota.domain.reasons import (
    Backfilled,
    GpuOutOfService,
    MovesUp,
    Reason,
    ReservationBegins,
    SavesForGang,
    SomebodyWaits,
    SoonerElsewhere,
    TimeIsOver,
    YourTurn,
)
from rota.policy.explain import Explainer
from rota.policy.floor import Floor
from rota.policy.hold import hold_for_gang
from rota.policy.line import Candidate
from rota.policy.look import look_again_at
from rota.policy.one_piece import too_long
from rota.policy.order import Contender, Order, Served, in_order
from rota.policy.place import Place, place_now, place_soon
from rota.policy.rank import NEVER
from rota.policy.reservations import admits
from rota.policy.shapes import Shape
from rota.policy.standing import Running, Standing
from rota.policy.tiers import WORTH_MOVING, better_by_waiting, in_preference, short_tiers
from rota.policy.values import Account, Begin, End

#: Nothing is known about what is left of a job: it may as well take as long again, at least this many seconds.
UNKNOWN_LEFT_S = 3600.0


class Decision:
    """What to do now. `waits` is filled only for an explainer."""

    __slots__ = ("begins", "ends", "look_again_at", "waits")

    def __init__(self, ends: list[End] | None = None) -> None:
        self.begins: list[Begin] = []
        self.ends = ends if ends is not None else []
        self.waits: list[tuple[int, Reason]] = []
        self.look_again_at: float | None = None


def decide(standing: Standing, at: float, wants_reasons: bool = False) -> Decision:
    """What to do at this moment. With `wants_reasons`, each waiting job is told why it waits, at the cost of time."""
    standing.advance(at)
    decision = Decision(ends=forced_ends(standing, at))
    forced = {end.turn for end in decision.ends}
    if standing.somebody_waits or standing.open:
        contenders = _contenders(standing, forced, at, wants_reasons)
        if not (contenders or wants_reasons or decision.ends or standing.ending or standing.bays.free_gpus):
            decision.look_again_at = look_again_at(standing, decision, at)
            return decision
        floor = Floor(standing, contenders, at)
        for end in decision.ends:
            floor.stop(standing.running[end.turn])
        if standing.somebody_waits and (wants_reasons or not floor.is_full):
            walk = _Walk(standing, floor, decision, wants_reasons)
            walk.through(in_order(standing, contenders, at))
        if standing.rules.speeds and len(standing.tiers) > 1:
            _move_up(standing, floor, decision)
    decision.look_again_at = look_again_at(standing, decision, at)
    return decision


def _contenders(standing: Standing, forced: set[str], at: float, wants_all: bool) -> list[Contender]:
    """The turns past their quantum that somebody could come before."""
    key_of = standing.key_of
    if wants_all or len(standing.lines) != 1:
        return [Contender(r, key_of(r, at)) for r in standing.open.values() if r.turn.id not in forced]
    # With one account, whoever comes before the first in line goes on without more ado.
    first = next(iter(standing.lines.values())).first_key()
    if first is None:
        return []
    level, first_rank = first[0], first[1] if first[0] else -NEVER
    contenders = []
    for running in standing.open.values():
        if running.rank <= first_rank and at < running.worsens_at and (level == 2 or running.due_at <= at):
            continue
        key = key_of(running, at)
        if key > first and running.turn.id not in forced:
            contenders.append(Contender(running, key))
    return contenders


# --- 1 -------------------------------------------------------------------------------------------


def forced_ends(standing: Standing, at: float) -> list[End]:
    """Turns that end whether or not somebody waits."""
    ends = [
        End(running.turn.id, TimeIsOver((running.turn.limit_at or at) - running.turn.granted_at))
        for running in standing.over_limit(at)
    ]
    if standing.conditions or standing.reservations:
        over = {end.turn for end in ends}
        for running in standing.running.values():
            if running.turn.id in standing.ending or running.turn.id in over:
                continue
            if why := _off_its_gpus(running, standing, at):
                ends.append(End(running.turn.id, why))
    return ends


def _off_its_gpus(running: Running, standing: Standing, at: float) -> Reason | None:
    is_open = running.turn.id in standing.open
    for gpu in running.turn.gpus:
        condition = standing.conditions.get(gpu)
        if condition is Condition.FAILED or (condition is Condition.DRAINED and is_open):
            return GpuOutOfService(gpu, condition.value)
    if is_open and standing.reservations:
        for gpu in running.turn.gpus:
            for one in standing.kept_gpus(at).get(gpu, ()):
                if not admits((one,), running.job, at, at + 1e-3):
                    return ReservationBegins(one.name)
    return None


# --- 3 -------------------------------------------------------------------------------------------


class _Walk:
    """Goes through the candidates in order and gives each its place."""

    def __init__(self, standing: Standing, floor: Floor, decision: Decision, wants_reasons: bool) -> None:
        self._standing, self._floor, self._decision = standing, floor, decision
        self._at, self._rules = floor.at, standing.rules
        self._short = short_tiers(standing) if len(standing.tiers) > 1 else frozenset[str]()
        self._refused: set[Shape] = set()
        self._saving: dict[Account, Job] = {}  #: accounts that are served no more until their overdue gang was
        self._waiting = sum(standing.shapes.values())
        self._explainer = Explainer(standing, floor) if wants_reasons else None

    def through(self, order: Order) -> None:
        """Until nothing is left to give, or, when reasons are wanted, to the end."""
        floor, refused, explainer = self._floor, self._refused, self._explainer
        shapes = len(self._standing.shapes)
        for served in order:
            if self._saving and (gang := self._saving.get((served.job.project, served.job.member))) is not None:
                self._save_for(gang, served)
            elif isinstance(served, Contender):
                floor.keep_going(served.running)
            elif served.shape not in refused:
                self._serve(served, order)
            elif explainer is not None:
                self._wait(served, None)
            else:
                continue
            if explainer is not None:
                explainer.note(served, order.goes_first)
            elif floor.is_full or (len(refused) == shapes and not self._saving):
                return

    def _serve(self, candidate: Candidate, order: Order) -> None:
        """A place now, a place soon, or a reason to wait."""
        job, shape = candidate.job, candidate.shape
        needs_s = self._rules.quantum_s if shape.needs_s is None else shape.needs_s
        tiers = in_preference(shape.tiers, self._standing.tiers, self._short)
        blocked: Reason | None = None
        for tier in tiers:
            if tier not in self._standing.bays.indexes:
                continue
            place = place_now(job, needs_s, tier, self._floor)
            if place is None:
                continue
            blocked = self._better_to_wait(job, shape, place, tiers, needs_s)
            if blocked is None:
                self._begin(job, place)
                return
        for tier in tiers:
            if tier in self._standing.bays.indexes and (place := place_soon(job, needs_s, tier, self._floor)):
                blocked = self._better_to_wait(job, shape, place, tiers, needs_s)
                if blocked is None:
                    self._make_room(job, place)
                    return
        if not isinstance(blocked, SoonerElsewhere):  # that depends on what is left of this very job
            self._refused.add(shape)
        self._wait(candidate, blocked or self._hold(candidate, tiers, order))

    def _better_to_wait(
        self, job: Job, shape: Shape, place: Place, tiers: tuple[str, ...], needs_s: float
    ) -> Reason | None:
        if shape.needs_s is not None and (reason := too_long(self._standing, place, shape.needs_s, self._at)):
            return reason
        if len(tiers) == 1 or not self._rules.speeds:
            return None
        left_s = self._left_s(job)
        better = better_by_waiting(place.tier, tiers, left_s, needs_s, shape.gpus, self._floor, self._rules.speeds)
        if better is None:
            return None
        return Explainer.sooner(place.tier, better, self._rules.speeds)

    def _left_s(self, job: Job) -> float:
        ran_s = job.attained_gpu_s / job.request.gpus
        estimate = self._standing.estimates.get(job.id)
        return max(ran_s, UNKNOWN_LEFT_S) if estimate is None else max(estimate.total_s - ran_s, 0.0)

    def _hold(self, candidate: Candidate, tiers: tuple[str, ...], order: Order) -> Reason | None:
        """A gang's GPUs become free one after the other: what is free of them is kept idle until it is whole."""
        job = candidate.job
        if job.request.gpus == 1:
            return None
        held = hold_for_gang(job, tiers, self._floor, lambda running: order.comes_after(running, candidate))
        is_spread = all(job.request.gpus > self._standing.bays.in_service.get(tier, 0) for tier in tiers)
        if candidate.key[0] == 0 and (is_spread or held is None) and self._others_are_there(job, tiers):
            self._saving[job.project, job.member] = job
        return Explainer.gang_forms(job, *held) if held else None

    def _others_are_there(self, gang: Job, tiers: tuple[str, ...]) -> bool:
        """Whether turns of other accounts, which rotate, keep a gang from GPUs that it could have."""
        standing, request = self._standing, gang.request
        account = gang.project, gang.member
        return any(
            turn_id not in self._floor.stoppable
            and running.turn.limit_at is None
            and running.turn.tier in tiers
            and (running.job.project, running.job.member) != account
            for turn_id, running in standing.running.items()
        ) and any(standing.bays.could_hold(tier, request.gpus, request.gpu_memory_bytes) for tier in tiers)

    def _save_for(self, gang: Job, served: Served) -> None:
        """What its own account goes on using keeps an overdue gang behind other accounts for ever: it is saved up.

        Others may have these GPUs meanwhile; as they use them they catch up, and the gang's turn comes.
        """
        if not isinstance(served, Contender):
            self._wait(served, SavesForGang(gang.id, gang.request.gpus))
            return
        running = served.running
        if running.turn.tier not in (gang.request.tiers or self._standing.tiers):
            self._floor.keep_going(running)
        elif running.turn.id in self._floor.stoppable:  # else somebody before it has taken its GPUs
            why = SomebodyWaits(gang.id, gang.member, self._rules.quantum_s)
            self._decision.ends.append(End(running.turn.id, why))
            self._floor.stop(running)

    def _begin(self, job: Job, place: Place) -> None:
        at, rules = self._at, self._rules
        limit_at = None if job.request.is_resumable else at + rules.limit_s(job)
        for bay, places in place.bays:
            self._floor.claim_free(bay, list(places))
            self._floor.claim_room(bay, job.request)
        reason: Reason = YourTurn(job.attained_gpu_s, self._waiting)
        if place.fills_gap is not None and place.fills_gap.gang != job.id:
            reason = Backfilled(place.fills_gap.gang, place.fills_gap.from_at - at)
        gpus = place.gpus
        until = limit_at or at + rules.quantum_s
        names = tuple([gpu.uuid for gpu in gpus])
        self._decision.begins.append(Begin(job.id, names, gpus[0].node, gpus[0].tier, until, limit_at, reason))

    def _make_room(self, job: Job, place: Place) -> None:
        """End the turns that rank lower on these GPUs; the job begins when they have saved."""
        floor = self._floor
        if self._explainer is not None:
            self._decision.waits.append((job.id, self._explainer.place_kept(place)))
        for running in place.stops:
            why = SomebodyWaits(job.id, job.member, self._rules.quantum_s)
            self._decision.ends.append(End(running.turn.id, why))
            floor.stop(running)
        for bay, places in place.bays:
            chosen = set(places)
            floor.claim_free(bay, [gpu for gpu in floor.free_in(bay) if gpu in chosen])
            floor.claim_freeing(bay, chosen)
            floor.claim_room(bay, job.request)

    def _wait(self, candidate: Candidate, reason: Reason | None) -> None:
        if self._explainer is not None:
            ahead = len(self._decision.waits)
            self._decision.waits.append((candidate.job.id, self._explainer.why(candidate, reason, ahead)))


def _move_up(standing: Standing, floor: Floor, decision: Decision) -> None:
    """Turns past their quantum leave a slow tier when a faster one that they accept is free and nobody wants it."""
    speeds, short = standing.rules.speeds, short_tiers(standing)
    stopped = {end.turn for end in decision.ends}
    for turn_id, running in sorted(standing.open.items()):
        job, here = running.job, speeds.get(running.turn.tier, 1.0)
        # Only to a tier that it would be given before this one: else it came back here, and the stop were for nothing.
        preferred = in_preference(job.request.tiers, standing.tiers, short)
        for tier in preferred[: preferred.index(running.turn.tier)] if running.turn.tier in preferred else preferred:
            faster = speeds.get(tier, 1.0) / here
            if turn_id in stopped or faster < WORTH_MOVING or tier not in standing.bays.indexes:
                continue
            place = place_now(job, standing.rules.quantum_s, tier, floor)
            if place is not None:
                decision.ends.append(End(turn_id, MovesUp(tier, faster)))
                for bay, places in place.bays:
                    floor.claim_free(bay, list(places))
                break

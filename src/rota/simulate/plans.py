"""What must hold of each plan, with the books as they are once it is recorded (design.md: The policy)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rota.daemon.core import Core
from rota.domain.gpus import Gpu, in_slices
from rota.domain.jobs import Job, JobState
from rota.domain.reasons import (
    FollowsJobs,
    GangForms,
    MovesUp,
    NodeIsFull,
    NothingFits,
    PlaceKept,
    Reason,
    SavesForGang,
    SoonerElsewhere,
    TooLongInOnePiece,
)
from rota.domain.turns import Turn
from rota.policy.bays import Bays
from rota.policy.plan import plan
from rota.policy.reservations import Kept, admits, kept_gpus
from rota.policy.values import Plan, Snapshot
from rota.simulate.broken import require

TOLD = "every waiting job has one place and a reason"
BUSY = "no healthy GPU idles while a waiting job may use it now"
PURE = "a plan depends on its snapshot alone"
MOVES = "a turn that ends to move up is next on a faster tier, while one is free"
RESERVED = "no turn begins that would be on reserved GPUs when they are needed"

#: Reasons for which it does not begin on a free GPU: the job's own, and those it shares with all that ask for the same.
_OWN = (FollowsJobs, SoonerElsewhere, SavesForGang)
_SHARED = (NodeIsFull, TooLongInOnePiece)


@dataclass(slots=True)
class _Left:
    """What nobody has and nobody is kept: GPUs, and CPUs by node."""

    gpus: list[Gpu]
    cpus: Counter[str]


def check_plan(core: Core, why_stopped: Callable[[int], Reason | None]) -> None:
    """The latest plan against the books. Raises Broken.

    `why_stopped` says of a job why its turn before was told to end.
    """
    snapshot = core.snapshot
    if snapshot is None:
        return
    _check_pure(core, plan(snapshot))
    waiting = [job for job in core.books.jobs.values() if job.state is JobState.WAITING]
    reasons = {wait.job: wait.reason for wait in core.plan.waits}
    named = sorted(wait.job for wait in core.plan.waits)
    require(named == sorted(job.id for job in waiting), TOLD, f"{named} were told, {[j.id for j in waiting]} wait")
    places = [wait.place for wait in core.plan.waits]
    require(places == list(range(1, len(places) + 1)), TOLD, f"places {places}")
    kept = _kept(snapshot)
    known = {turn.id for turn in snapshot.turns}
    begun = [turn for turn in core.books.turns.values() if turn.id not in known]
    for turn in begun:
        _check_reserved(turn, core.books.jobs[turn.job], kept, snapshot.at)
    left = _left(core, snapshot)
    for turn in begun:
        if isinstance(why_stopped(turn.job), MovesUp):
            _check_moved(turn, core.books.jobs[turn.job], left, snapshot, kept)
    if not any(turn.number == 1 for turn in begun):
        _check_first_turns(waiting, reasons)
    shared = {_asked(job, snapshot) for job in waiting if isinstance(reasons[job.id], _SHARED)}
    for job in waiting if left.gpus else ():
        if not isinstance(reasons[job.id], _OWN) and _asked(job, snapshot) not in shared:
            _check_busy(job, reasons[job.id], left, snapshot, kept)


def _check_pure(core: Core, fresh: Plan) -> None:
    """The daemon brings what it knows from plan to plan up to date; one that knows only the snapshot decides alike.

    So it does without reasons, which is how it decides. It may look again sooner: a needless look changes nothing.
    """
    require(core.plan.waits == fresh.waits, PURE, f"the daemon says {core.plan.waits}, and made afresh {fresh.waits}")
    for made in (core.decided, core.plan):
        is_same = (made.begins, made.ends) == (fresh.begins, fresh.ends)
        require(is_same, PURE, f"the daemon's is {made}, and made afresh it is {fresh}")
        at, fresh_at = made.look_again_at, fresh.look_again_at
        is_in_time = fresh_at is None or (at is not None and at <= fresh_at)
        require(is_in_time, PURE, f"the daemon looks again at {at}, and should at {fresh_at}")


def _kept(snapshot: Snapshot) -> Kept:
    """GPUs by the reservations that they are part of."""
    if not snapshot.reservations:
        return {}
    bays = Bays(snapshot.nodes, snapshot.gpus, snapshot.conditions)
    return kept_gpus(snapshot.reservations, bays, snapshot.tiers, snapshot.at)


def _check_reserved(turn: Turn, job: Job, kept: Kept, at: float) -> None:
    """A turn on reserved GPUs is its own members', or its promise is over before they need them."""
    until = turn.limit_at or turn.guaranteed_until
    for gpu in turn.gpus:
        may = admits(kept.get(gpu, ()), job, at, until)
        require(may, RESERVED, f"{turn.id} is promised {gpu} until {until}: {kept.get(gpu)}")


def _check_moved(turn: Turn, job: Job, left: _Left, snapshot: Snapshot, kept: Kept) -> None:
    """A stop costs its job something, so it must be for something."""
    speeds = snapshot.rules.speeds
    here = speeds.get(turn.tier, 1.0)
    usable = _usable(job, snapshot.rules.quantum_s, left, snapshot, kept)
    faster = Counter(gpu.node for gpu in usable if speeds.get(gpu.tier, 1.0) > here)
    said = f"{turn.id} is on {turn.tier} of {turn.node}, and there are faster free GPUs: {dict(faster)}"
    require(max(faster.values(), default=0) < job.request.gpus, MOVES, said)


def _usable(job: Job, needs_s: float, left: _Left, snapshot: Snapshot, kept: Kept) -> Iterator[Gpu]:
    """What is left that this job may have for so long."""
    request, until = job.request, snapshot.at + needs_s
    for gpu in left.gpus:
        if (
            (not request.tiers or gpu.tier in request.tiers)
            and gpu.memory_bytes >= request.gpu_memory_bytes
            and left.cpus[gpu.node] >= request.cpus
            and admits(kept.get(gpu.uuid, ()), job, snapshot.at, until)
        ):
            yield gpu


def _left(core: Core, snapshot: Snapshot) -> _Left:
    turns, jobs = core.books.turns.values(), core.books.jobs
    out = in_slices(snapshot.gpus) | {gpu for turn in turns for gpu in turn.gpus} | snapshot.conditions.keys()
    free = [gpu for gpu in snapshot.gpus if gpu.uuid not in out]
    cpus = Counter({node.name: node.cpus for node in snapshot.nodes.values()})
    for turn in turns:
        cpus[turn.node] -= jobs[turn.job].request.cpus
    for wait in core.plan.waits:
        request = jobs[wait.job].request
        if isinstance(wait.reason, GangForms):
            free = [gpu for gpu in free if gpu.node not in wait.reason.node.split(" + ")]
        elif isinstance(wait.reason, PlaceKept):
            cpus[wait.reason.node] -= request.cpus
            free = _without_claimed(free, wait.reason.node, request.gpus, snapshot)
    return _Left(free, cpus)


def _without_claimed(free: list[Gpu], node: str, gpus: int, snapshot: Snapshot) -> list[Gpu]:
    """Free GPUs may be spoken for by a gang: all it needs but the one, at least, that is being freed."""
    if gpus > sum(gpu.node == node for gpu in snapshot.gpus):
        return []  # it is spread: who knows where
    here = [gpu for gpu in free if gpu.node == node]
    claimed = here[: gpus - 1] if not snapshot.reservations or gpus == 1 else here  # who knows which of them
    return [gpu for gpu in free if gpu not in claimed]


def _check_first_turns(waiting: list[Job], reasons: dict[int, Reason]) -> None:
    """A job in one piece waits so that others get their first turn, and that takes others who could have one."""
    if not any(isinstance(reason, TooLongInOnePiece) for reason in reasons.values()):
        return
    unable = (FollowsJobs, NothingFits)
    others = [job for job in waiting if job.turns == 0 and job.request.is_resumable]
    may = any(not isinstance(reasons[job.id], unable) for job in others)
    require(may, BUSY, f"a job in one piece waits for first turns that nobody could have: {reasons}")


def _asked(job: Job, snapshot: Snapshot) -> tuple[object, ...]:
    """What decides where it may go; equal for jobs that could change places."""
    request = job.request
    limit_s = None if request.is_resumable else snapshot.rules.limit_s(job)
    asked = (request.gpus, request.gpu_memory_bytes, request.cpus, request.memory_bytes, request.tiers)
    return (*asked, limit_s, (job.project, job.member) if snapshot.reservations else None)


def _check_busy(job: Job, reason: Reason, left: _Left, snapshot: Snapshot, kept: Kept) -> None:
    rules, request = snapshot.rules, job.request
    # A place that is being freed on a faster tier is waited for when that finishes the job sooner.
    place_speed = _speed_of(reason, snapshot) if isinstance(reason, PlaceKept) else 0.0
    needs_s = rules.quantum_s if request.is_resumable else rules.limit_s(job)
    if isinstance(reason, PlaceKept) and needs_s > rules.quantum_s:
        return  # in one piece: elsewhere it may be too long for the others
    usable = Counter(
        (gpu.node, gpu.tier)
        for gpu in _usable(job, needs_s, left, snapshot, kept)
        if rules.speeds.get(gpu.tier, 1.0) >= place_speed
    )
    for (node, tier), gpus in usable.items():
        said = f"job {job.id} waits for {request.gpus} GPUs ({reason}), and {gpus} {tier} of {node} are free"
        require(gpus < request.gpus, BUSY, said)


def _speed_of(place: PlaceKept, snapshot: Snapshot) -> float:
    """Of the slowest tier that the node has."""
    tiers = {gpu.tier for gpu in snapshot.gpus if gpu.node == place.node}
    return min(snapshot.rules.speeds.get(tier, 1.0) for tier in tiers)

"""How things stand, kept in order from change to change, so that a decision looks only at what it needs.

A Standing that was told of every change decides exactly as one made afresh from a snapshot of that moment
(tests/policy/test_follow.py holds the two against each other).
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

from rota.domain.estimates import Estimate
from rota.domain.gpus import Condition, Gpu, Node
from rota.domain.jobs import Job, JobState
from rota.domain.reservations import Reservation
from rota.domain.turns import Turn, TurnState
from rota.policy.bays import Bay, Bays, NodeRoom
from rota.policy.line import Candidate, Key, Line, at_level
from rota.policy.rank import NEVER, Ranking
from rota.policy.reservations import Kept, kept_gpus
from rota.policy.shapes import Shape, shape_of
from rota.policy.values import Account, Rules, Snapshot

#: A moment that is nearer than this, in seconds, is now.
ROUNDING_S = 1e-7


class Running:
    """A turn that holds GPUs."""

    __slots__ = ("bays", "due_at", "gpus", "job", "judged_by", "may_worsen", "rank", "turn", "worsens_at")

    def __init__(self, turn: Turn, job: Job, bays: list[tuple[Bay, list[int]]]) -> None:
        self.turn, self.job = turn, job
        self.bays = bays  #: places of its GPUs in each bay, without those that are out of service
        self.gpus = len(turn.gpus)
        self.judged_by: Estimate | Literal["not yet"] | None = "not yet"  #: the estimate from which `due_at` follows
        self.due_at = NEVER
        self.may_worsen = True  #: whether running on can make its rank worse
        self.rank = NEVER  #: as it was last weighed
        self.worsens_at = -NEVER  #: up to then the rank is no worse than that, or gets worse as it was

    def judge_anew(self) -> None:
        """What its rank was is of no use any more."""
        self.judged_by, self.worsens_at, self.may_worsen = "not yet", -NEVER, True

    def attained_gpu_s(self, at: float) -> float:
        """GPU-seconds of its job, this turn included."""
        ran_s = at - self.turn.granted_at
        return self.job.attained_gpu_s + (ran_s * self.gpus if ran_s > 0 else 0.0)

    def places_in(self, bay: Bay) -> list[int]:
        """The places of its GPUs in one of its bays."""
        if len(self.bays) == 1:
            return self.bays[0][1]
        return next(places for its_bay, places in self.bays if its_bay is bay)

    @property
    def until(self) -> float:
        """To when its GPUs are promised to it; epoch seconds."""
        return self.turn.limit_at or self.turn.guaranteed_until


class Standing:
    """The waiting list by account, the turns by what may be done to them, and the GPUs by bay."""

    def __init__(
        self, nodes: Mapping[str, Node], gpus: tuple[Gpu, ...], tiers: tuple[str, ...], rules: Rules, ranking: Ranking
    ) -> None:
        self.rules, self.ranking, self.tiers = rules, ranking, tiers
        self.conditions: dict[str, Condition] = {}
        self.bays = Bays(nodes, gpus, ())
        self.lines: dict[Account, Line] = {}  #: of all who wait or have a turn; empty for those who only have turns
        self.shapes: dict[Shape, int] = {}  #: how many of each wait
        self.first_turns: dict[Shape, int] = {}  #: of those that can be resumed and wait for their first turn
        self.running: dict[str, Running] = {}
        self._turn_of: dict[int, str] = {}
        self.in_bay: dict[int, dict[str, Running]] = {}  #: turns by bay
        self.open: dict[str, Running] = {}  #: past their quantum: they compete
        self.ending: dict[str, Running] = {}
        self.held_by: Counter[str] = Counter()  #: turns by member
        self.served_until: dict[str, float] = {}
        self.estimates: dict[int, Estimate] = {}
        self.reservations: tuple[Reservation, ...] = ()
        self.project_usage_gpu_s: Mapping[str, float] = {}
        self.member_usage_gpu_s: Mapping[Account, float] = {}
        self.advances_gpu_s: Mapping[str, float] = {}
        self._ends: list[tuple[float, str]] = []  # of the guarantee of resumable turns
        self._limits: list[tuple[float, str]] = []  # of the time of the others

    @staticmethod
    def of(snapshot: Snapshot, ranking: Ranking) -> Standing:
        """Everything at one moment."""
        standing = Standing(snapshot.nodes, snapshot.gpus, snapshot.tiers, snapshot.rules, ranking)
        if snapshot.conditions:
            standing.conditions = dict(snapshot.conditions)
            standing.bays = Bays(snapshot.nodes, snapshot.gpus, snapshot.conditions)
        standing.estimates = dict(snapshot.estimates)
        standing.reservations = snapshot.reservations
        standing.project_usage_gpu_s = snapshot.project_usage_gpu_s
        standing.member_usage_gpu_s = snapshot.member_usage_gpu_s
        standing.advances_gpu_s = snapshot.advances_gpu_s
        standing.served_until = dict(snapshot.served_until)
        waits = JobState.WAITING
        standing._line_up(j for j in snapshot.jobs if j.state is waits and j.id not in snapshot.is_blocked_by)
        jobs = {job.id: job for job in snapshot.jobs}
        for turn in snapshot.turns:
            if turn.job in jobs:
                standing.begin(turn, jobs[turn.job])
        return standing

    # --- changes --------------------------------------------------------------------------------

    def line_up_as(self, other: Standing) -> None:
        """The same jobs wait as in another of the same moment; nobody waits here yet."""
        self.lines.update({account: line.copy() for account, line in other.lines.items()})
        self.shapes, self.first_turns = other.shapes.copy(), other.first_turns.copy()

    def add(self, job: Job) -> None:
        """A job waits."""
        line = self._line_of(job)
        estimate = self.estimates.get(job.id)
        ranking = self.ranking
        shape = shape_of(job, self.rules, bool(self.reservations))
        line.add(job, ranking.rank(job, job.attained_gpu_s, estimate), ranking.dues(job, estimate), shape)
        self._count(shape, job, 1)

    def remove(self, job: Job) -> None:
        """A job waits no longer."""
        found = self.lines[job.project, job.member].remove(job.id)
        if found is not None:
            self._count(found.shape, found.job, -1)

    def begin(self, turn: Turn, job: Job) -> None:
        """A turn holds its GPUs (its job was removed from the list)."""
        running = Running(turn, job, self.bays.take(turn.gpus))
        self.running[turn.id] = running
        self._turn_of[job.id] = turn.id
        self._line_of(job)
        for bay, _ in running.bays:
            self.in_bay.setdefault(bay.index, {})[turn.id] = running
        self.held_by[job.member] += 1
        request = job.request
        if request.cpus or request.memory_bytes:
            room = self._room(running)
            if room is not None:
                room.cpus -= request.cpus
                room.memory_bytes -= request.memory_bytes
        if turn.state is TurnState.ENDING:
            self.ending[turn.id] = running
        elif turn.limit_at is None:
            heapq.heappush(self._ends, (turn.guaranteed_until, turn.id))
        else:
            heapq.heappush(self._limits, (turn.limit_at, turn.id))

    def notice(self, turn_id: str) -> None:
        """A turn was told to end."""
        self.ending[turn_id] = self.running[turn_id]
        self.open.pop(turn_id, None)

    def end(self, turn_id: str, at: float) -> None:
        """A turn's GPUs are free again."""
        running = self.running.pop(turn_id)
        del self._turn_of[running.job.id]
        self.open.pop(turn_id, None)
        self.ending.pop(turn_id, None)
        self.bays.give_back(running.bays)
        for bay, _ in running.bays:
            del self.in_bay[bay.index][turn_id]
        member, request = running.job.member, running.job.request
        self.held_by[member] -= 1
        self.served_until[member] = at
        if request.cpus or request.memory_bytes:
            room = self._room(running)
            if room is not None:
                room.cpus += request.cpus
                room.memory_bytes += request.memory_bytes

    def know(self, job: int, estimate: Estimate) -> None:
        """More is known about how long a running or coming job takes (not of one on the list: take it off first)."""
        self.estimates[job] = estimate
        if (turn := self._turn_of.get(job)) is not None:
            self.running[turn].judge_anew()

    def forget(self, job: int) -> None:
        """Nothing is known of the job any more, or it has ended."""
        if self.estimates.pop(job, None) is not None and (turn := self._turn_of.get(job)) is not None:
            self.running[turn].judge_anew()

    def change_rules(self, rules: Rules, ranking: Ranking) -> None:
        """Other settings are in force: everybody is put into the order that follows from them."""
        waiting = [candidate.job for line in self.lines.values() for candidate in line.candidates.values()]
        self.rules, self.ranking = rules, ranking
        for running in self.running.values():
            running.judge_anew()
        self.lines.clear()
        self.shapes.clear()
        self.first_turns.clear()
        self._line_up(waiting)
        for running in self.running.values():
            self._line_of(running.job)

    def advance(self, at: float) -> None:
        """Time has passed: quanta are over, jobs become due."""
        while self._ends and self._ends[0][0] <= at:
            _, turn_id = heapq.heappop(self._ends)
            running = self.running.get(turn_id)
            if running is not None and turn_id not in self.ending:
                self.open[turn_id] = running
        for line in self.lines.values():
            line.advance(at)

    # --- questions ------------------------------------------------------------------------------

    def kept_gpus(self, at: float) -> Kept:
        """Which GPUs are reserved, and by which reservations."""
        return kept_gpus(self.reservations, self.bays, self.tiers, at) if self.reservations else {}

    @property
    def somebody_waits(self) -> bool:
        return bool(self.shapes)

    def key_of(self, running: Running, at: float) -> Key:
        """The place of an open turn among its member's candidates."""
        job = running.job
        estimate = self.estimates.get(job.id)
        if estimate is not running.judged_by:
            running.judged_by, running.due_at = estimate, self.ranking.due_again(job, estimate)
            running.may_worsen = estimate is None or not estimate.is_measured
            running.worsens_at = -NEVER if running.may_worsen else NEVER
        if estimate is not None or at + ROUNDING_S >= running.worsens_at:
            attained_gpu_s = job.attained_gpu_s + (at - running.turn.granted_at) * running.gpus
            running.rank = self.ranking.rank_to_stay(job, attained_gpu_s, estimate)
            if running.may_worsen:
                self.worsens_at(running, at)
        # At equal rank the running one stays: a change would cost a stop and gain nothing.
        return (1 if running.due_at <= at else 2, running.rank, 0, job.submitted_at, job.id)

    def worsens_at(self, running: Running, at: float) -> float:
        """When an open turn's rank will have become worse by running."""
        if running.worsens_at <= at + ROUNDING_S:
            job = running.job
            attained_gpu_s = running.attained_gpu_s(at)
            running.worsens_at = self.ranking.changes_at(job, attained_gpu_s, self.estimates.get(job.id), at)
        return running.worsens_at

    def over_limit(self, at: float) -> list[Running]:
        """Turns in one piece whose time is over."""
        over = []
        while self._limits and self._limits[0][0] <= at:
            limit_at, turn_id = heapq.heappop(self._limits)
            running = self.running.get(turn_id)
            if running is not None and turn_id not in self.ending:
                over.append(running)
                heapq.heappush(self._limits, (limit_at, turn_id))
                break
        if over:  # several at once are rare: look at all
            over = [r for r in self.running.values() if r.turn.limit_at is not None and r.turn.limit_at <= at]
            over = [running for running in over if running.turn.id not in self.ending]
        return over

    def next_limit_at(self) -> float | None:
        """When the next turn in one piece ends."""
        while self._limits and self._limits[0][1] not in self.running:
            heapq.heappop(self._limits)
        return self._limits[0][0] if self._limits else None

    def next_guarantee_at(self) -> float | None:
        """When the next quantum is over."""
        while self._ends and (self._ends[0][1] not in self.running or self._ends[0][1] in self.ending):
            heapq.heappop(self._ends)
        return self._ends[0][0] if self._ends else None

    def _room(self, running: Running) -> NodeRoom | None:
        return self.bays.rooms.get(running.turn.node)

    def _count(self, shape: Shape, job: Job, change: int) -> None:
        """One more or one less of a shape waits."""
        _add(self.shapes, shape, change)
        if not job.turns and job.request.checkpoint is not None:
            _add(self.first_turns, shape, change)

    def _line_of(self, job: Job) -> Line:
        """The line of its account, which may be empty."""
        account = job.project, job.member
        line = self.lines.get(account)
        if line is None:
            line = self.lines[account] = Line()
        return line

    def _line_up(self, waiting: Iterable[Job]) -> None:
        by_account: dict[Account, list[Candidate]] = {}
        ranking, estimates = self.ranking, self.estimates
        for job in waiting:
            estimate = estimates.get(job.id)
            rank = ranking.rank(job, job.attained_gpu_s, estimate)
            shape = shape_of(job, self.rules, bool(self.reservations))
            candidate = at_level(2, job, rank, ranking.dues(job, estimate), shape)
            by_account.setdefault((job.project, job.member), []).append(candidate)
            self._count(shape, job, 1)
        for account, candidates in by_account.items():
            line = self.lines[account] = Line()
            line.add_all(candidates)


def _add(counts: dict[Shape, int], shape: Shape, change: int) -> None:
    """Count; shapes of which none is left are not there."""
    count = counts.get(shape, 0) + change
    if count:
        counts[shape] = count
    else:
        del counts[shape]

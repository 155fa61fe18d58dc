"""A tiny laboratory for policy tests: applies plans in virtual time, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from rota.domain.gpus import Condition, Fleet
from rota.domain.jobs import Job, JobState
from rota.domain.turns import Turn, TurnState, turn_id
from rota.ledger.credit import Asks, Credits, Entitlement
from rota.ledger.usage import Accounts
from rota.policy.plan import plan as real_plan
from rota.policy.values import Plan, Rules, Snapshot
from tests.builders import a_fleet

SAVING_S = 1.0  # from a notice to the end of its turn


@dataclass
class PolicyLaboratory:
    """Jobs, turns and GPUs; `work_s` says how long each job runs in all (absent: for ever)."""

    fleet: Fleet = field(default_factory=a_fleet)
    rules: Rules = field(default_factory=lambda: Rules(quantum_s=100.0))
    plan: Callable[[Snapshot], Plan] = real_plan
    at: float = 0.0
    jobs: dict[int, Job] = field(default_factory=dict)
    turns: dict[str, Turn] = field(default_factory=dict)
    conditions: dict[str, Condition] = field(default_factory=dict)
    work_s: dict[int, float] = field(default_factory=dict)
    first_begin: dict[int, float] = field(default_factory=dict)
    begins: list[tuple[float, int]] = field(default_factory=list)
    latest: Plan = field(default_factory=Plan)
    credits: Credits | None = None  #: absent: usage as it is
    check: Callable[[Snapshot, Plan], None] = lambda snapshot, plan: None

    def __post_init__(self) -> None:
        self._accounts = Accounts(self.rules.half_life_s)
        self._done: dict[int, float] = {}
        self._ends_at: dict[str, float] = {}
        self._served_until: dict[str, float] = {}

    def submit(self, *jobs: Job) -> None:
        for job in jobs:
            self.jobs[job.id] = replace(job, submitted_at=self.at, waiting_since=self.at)

    def receives(self, member: str, gpu_s: float, project: str = "vision") -> None:
        """Service of earlier jobs, on one GPU up to now."""
        self._accounts.add((project, member), 1, self.at - gpu_s, self.at)

    def snapshot(self) -> Snapshot:
        running = [((self.jobs[t.job].project, self.jobs[t.job].member), float(len(t.gpus)), t.granted_at)
                   for t in self.turns.values()]  # fmt: skip
        by_project, by_member = self._accounts.usage(running, self.at)
        if self.credits is not None:
            entitlement = Entitlement(self.rules.credit_s, len(self.fleet.gpus), self.rules.project_weights)
            by_project, by_member = self.credits.counted(by_project, by_member, self._asks(), entitlement, self.at)
        return Snapshot(
            at=self.at,
            nodes={node.name: node for node in self.fleet.nodes},
            gpus=self.fleet.gpus,
            conditions=self.conditions,
            tiers=self.fleet.tiers,
            jobs=tuple(self.jobs.values()),
            turns=tuple(self.turns.values()),
            project_usage_gpu_s=by_project,
            member_usage_gpu_s=by_member,
            rules=self.rules,
            served_until=dict(self._served_until),
        )

    def _asks(self) -> dict[tuple[str, str], Asks]:
        asks: dict[tuple[str, str], Asks] = {}
        for job in self.jobs.values():
            known = asks.get((job.project, job.member), Asks(False, 0))
            held = job.request.gpus if job.state is JobState.RUNNING else 0
            asks[job.project, job.member] = Asks(known.waits or not held, known.gpus + held)
        return asks

    def step(self) -> Plan:
        """Plan once, and do what the plan says."""
        snapshot = self.snapshot()
        self.latest = self.plan(snapshot)
        self.check(snapshot, self.latest)
        for end in self.latest.ends:
            self.turns[end.turn] = replace(self.turns[end.turn], state=TurnState.ENDING)
            self._ends_at[end.turn] = min(self.at + SAVING_S, self._ends_at[end.turn])
        for begin in self.latest.begins:
            job = self.jobs[begin.job]
            turn = Turn(
                turn_id(job.id, job.turns + 1), job.id, job.turns + 1, begin.gpus, begin.node, begin.tier, self.at,
                begin.guaranteed_until, begin.limit_at, TurnState.RUNNING, self.at,
            )  # fmt: skip
            self.turns[turn.id] = turn
            self.jobs[job.id] = replace(job, state=JobState.RUNNING, turns=job.turns + 1)
            left_s = self.work_s.get(job.id, 1e12) - self._done.get(job.id, 0.0)
            self._ends_at[turn.id] = self.at + left_s
            self.first_begin.setdefault(job.id, self.at)
            self.begins.append((self.at, job.id))
        return self.latest

    def run(self, until: float, after_step: Callable[[PolicyLaboratory], None] = lambda _: None) -> None:
        """Let time pass, planning whenever something happens."""
        while self.at <= until:
            self.step()
            after_step(self)
            moments = [*self._ends_at.values(), *([self.latest.look_again_at] if self.latest.look_again_at else [])]
            following = min((moment for moment in moments if moment > self.at), default=until + 1)
            self.at = min(max(following, self.at + 1e-6), until + 1e-3)  # no further than asked
            self._end_turns()

    def _end_turns(self) -> None:
        for turn_name in [name for name, at in self._ends_at.items() if at <= self.at]:
            turn = self.turns.pop(turn_name)
            del self._ends_at[turn_name]
            job = self.jobs[turn.job]
            ran_s = self.at - turn.granted_at
            self._served_until[job.member] = self.at
            self._accounts.add((job.project, job.member), len(turn.gpus), turn.granted_at, self.at)
            self._done[job.id] = self._done.get(job.id, 0.0) + ran_s
            if self._done[job.id] >= self.work_s.get(job.id, 1e12) - 1e-6:
                del self.jobs[job.id]
                continue
            self.jobs[job.id] = replace(
                job, state=JobState.WAITING, waiting_since=self.at,
                attained_gpu_s=job.attained_gpu_s + ran_s * len(turn.gpus),
            )  # fmt: skip


def check_plan(snapshot: Snapshot, plan: Plan) -> None:
    """The invariants of design.md, The policy, for one plan."""
    _check_gpus(snapshot, plan)
    _check_gangs(snapshot, plan)
    _check_quanta(snapshot, plan)
    _check_waits(snapshot, plan)
    _check_work_conserving(snapshot, plan)


def _check_gpus(snapshot: Snapshot, plan: Plan) -> None:
    """Never two turns on one GPU, never on one that is out of service, never a whole GPU beside its slices."""
    taken = {gpu for turn in snapshot.turns for gpu in turn.gpus}
    parents = {gpu.slice_of for gpu in snapshot.gpus if gpu.slice_of}
    for begin in plan.begins:
        for gpu in begin.gpus:
            assert gpu not in taken, f"{gpu} is given twice"
            assert gpu not in snapshot.conditions, f"{gpu} is out of service"
            assert gpu not in parents, f"{gpu} is sliced"
            taken.add(gpu)


def _check_gangs(snapshot: Snapshot, plan: Plan) -> None:
    """A job gets exactly what it asked for, on one node when it fits there."""
    jobs = {job.id: job for job in snapshot.jobs}
    gpus = {gpu.uuid: gpu for gpu in snapshot.gpus}
    for begin in plan.begins:
        request = jobs[begin.job].request
        given = [gpus[uuid] for uuid in begin.gpus]
        assert len(given) == request.gpus
        assert not request.tiers or {gpu.tier for gpu in given} <= set(request.tiers)
        assert min(gpu.memory_bytes for gpu in given) >= request.gpu_memory_bytes
        largest = max(sum(g.node == name and g.tier == given[0].tier for g in snapshot.gpus) for name in snapshot.nodes)
        if request.gpus <= largest:
            assert len({gpu.node for gpu in given}) == 1


def _check_quanta(snapshot: Snapshot, plan: Plan) -> None:
    """A turn is not ended inside its quantum or, in one piece, before its limit, except for a failed GPU."""
    turns = {turn.id: turn for turn in snapshot.turns}
    for end in plan.ends:
        turn = turns[end.turn]
        is_broken = any(snapshot.conditions.get(gpu) is Condition.FAILED for gpu in turn.gpus)
        assert is_broken or snapshot.at >= (turn.limit_at or turn.guaranteed_until), f"{turn.id} ended too early"


def _check_waits(snapshot: Snapshot, plan: Plan) -> None:
    """Every waiting job either begins or waits, once, with a place."""
    waiting = {job.id for job in snapshot.jobs if job.state is JobState.WAITING}
    begun, waits = [begin.job for begin in plan.begins], [wait.job for wait in plan.waits]
    assert sorted(begun + waits) == sorted(waiting)
    assert [wait.place for wait in plan.waits] == list(range(1, len(waits) + 1))


def _check_work_conserving(snapshot: Snapshot, plan: Plan) -> None:
    """No healthy GPU idles while a one-GPU job waits that may use it, unless a gang or a freed place needs it."""
    held = {gpu for turn in snapshot.turns for gpu in turn.gpus} | {g for begin in plan.begins for g in begin.gpus}
    parents = {gpu.slice_of for gpu in snapshot.gpus if gpu.slice_of}
    free = [g for g in snapshot.gpus if g.uuid not in held | parents and g.uuid not in snapshot.conditions]
    if any(job.request.gpus > 1 and job.state is JobState.WAITING for job in snapshot.jobs):
        return  # GPUs may be kept
    for wait in plan.waits:
        job = next(job for job in snapshot.jobs if job.id == wait.job)
        if not job.request.is_resumable:
            continue
        fits = [g for g in free if not job.request.tiers or g.tier in job.request.tiers]
        fits = [g for g in fits if g.memory_bytes >= job.request.gpu_memory_bytes]
        assert not fits, f"job {job.id} waits while {fits[0].uuid} idles"


def waiting(jobs: Iterable[Job]) -> list[int]:
    """Numbers of the jobs that wait."""
    return [job.id for job in jobs if job.state is JobState.WAITING]

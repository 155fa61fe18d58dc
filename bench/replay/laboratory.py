"""A busy laboratory of any size, as the daemon sees it from one step to the next."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from itertools import groupby

from rota.domain.estimates import Estimate, Source
from rota.domain.jobs import Job, JobState, Request
from rota.domain.turns import Turn, TurnState, turn_id
from rota.fleet.notation import parse_fleet
from rota.policy.quantum import DEFAULT_BOUNDS
from rota.policy.values import Account, Plan, Rules, Snapshot

MEMBERS, PROJECTS = 40, 8
QUANTUM_S = DEFAULT_BOUNDS.first_s()
GPUS = (1, 1, 1, 2, 4, 8)  #: what jobs ask for, equally likely
ESTIMATED = 0.7  #: of so many jobs something is known at submit
BEGAN_AT = 1e6
LONGEST_WAIT_S = 90_000.0  #: of those who wait at first


class Laboratory:
    """Holds its jobs and turns. A turn that gets its notice takes a step to save; everything else is at once."""

    def __init__(self, gpus: int, waiting: int, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._fleet = parse_fleet(f"{gpus // 8}x h100:8")
        self._rules = Rules(quantum_s=QUANTUM_S)
        self.at = BEGAN_AT
        self.jobs: dict[int, Job] = {}
        self.turns: dict[str, Turn] = {}
        self._estimates: dict[int, Estimate] = {}
        self._by_project: defaultdict[str, float] = defaultdict(float)
        self._by_member: defaultdict[Account, float] = defaultdict(float)
        self._served_until: dict[str, float] = {}
        self._noticed: list[str] = []  # by the latest plan
        self._saving: list[str] = []  # noticed one plan earlier
        self._last_id = 0
        self._fill()
        for _ in range(waiting):
            self._submit(self.at - self._chance.uniform(0.0, LONGEST_WAIT_S), self._chance.choice((0, 0, 1, 3)))

    @property
    def step_s(self) -> float:
        """As often as a quantum is over somewhere."""
        return QUANTUM_S / len(self.turns)

    def snapshot(self) -> Snapshot:
        """This moment, as the daemon takes it: new mappings of values that are the same if they have not changed."""
        return Snapshot(
            at=self.at,
            nodes={node.name: node for node in self._fleet.nodes},
            gpus=self._fleet.gpus,
            conditions={},
            tiers=self._fleet.tiers,
            jobs=tuple(self.jobs.values()),
            turns=tuple(self.turns.values()),
            project_usage_gpu_s=dict(self._by_project),
            member_usage_gpu_s=dict(self._by_member),
            rules=self._rules,
            estimates=dict(self._estimates),
            served_until=dict(self._served_until),
        )

    def carry_out(self, plan: Plan) -> None:
        """Begin what it begins, and give notice to what it ends."""
        for begin in plan.begins:
            self._grant(self.jobs[begin.job], begin.gpus, begin.node, begin.tier, self.at)
        for end in plan.ends:
            self.turns[end.turn] = replace(self.turns[end.turn], state=TurnState.ENDING, notice_at=self.at)
        self._noticed += [end.turn for end in plan.ends]

    def go_on(self, step_s: float) -> None:
        """Time passes, what had its notice has saved, one job is done, and one arrives."""
        self.at += step_s
        for turn in self.turns.values():
            self._use(self.jobs[turn.job], len(turn.gpus) * step_s)
        for name in self._saving:
            self._end(name, is_done=False)
        self._saving, self._noticed = self._noticed, []
        running = [turn.id for turn in self.turns.values() if turn.state is TurnState.RUNNING]
        self._end(self._chance.choice(running), is_done=True)
        self._submit(self.at)

    def _fill(self) -> None:
        """Every GPU in a turn; half of the turns past their quantum, the others anywhere in it."""
        for node, there in groupby(self._fleet.gpus, key=lambda gpu: gpu.node):
            free = [gpu.uuid for gpu in there]
            while free:
                gpus = min(len(free), self._chance.choice(GPUS))
                job = self._submit(self.at - self._chance.uniform(0.0, LONGEST_WAIT_S), self._chance.randrange(4), gpus)
                began_at = self.at - self._chance.uniform(0.0, 2 * QUANTUM_S)
                self._grant(job, tuple(free[:gpus]), node, self._fleet.tiers[0], began_at)
                del free[:gpus]

    def _submit(self, at: float, turns: int = 0, gpus: int = 0) -> Job:
        """A job that has had so many turns already."""
        self._last_id += 1
        member = self._chance.randrange(MEMBERS)
        request = Request(gpus or self._chance.choice(GPUS), checkpoint="/checkpoint")
        attained_gpu_s = turns * self._chance.uniform(0.0, QUANTUM_S) * request.gpus
        since = self._chance.uniform(at, self.at) if turns else at
        account = f"m{member}", f"p{member % PROJECTS}"
        job = Job(self._last_id, "", *account, request, at, JobState.WAITING, since, turns, attained_gpu_s)
        if self._chance.random() < ESTIMATED:
            total_s = attained_gpu_s / request.gpus + self._chance.lognormvariate(9.0, 1.5)
            self._estimates[job.id] = Estimate(total_s, Source.PROGRESS if turns else Source.STATED)
        self.jobs[job.id] = job
        return job

    def _grant(self, job: Job, gpus: tuple[str, ...], node: str, tier: str, at: float) -> None:
        job = replace(job, state=JobState.RUNNING, turns=job.turns + 1)
        name = turn_id(job.id, job.turns)
        self.jobs[job.id] = job
        self.turns[name] = Turn(
            name, job.id, job.turns, gpus, node, tier, at, at + QUANTUM_S, state=TurnState.RUNNING, began_at=at
        )

    def _end(self, name: str, *, is_done: bool) -> None:
        turn = self.turns.pop(name)
        job = self.jobs[turn.job]
        self._served_until[job.member] = self.at
        if is_done:
            del self.jobs[job.id]
            self._estimates.pop(job.id, None)
            return
        attained_gpu_s = job.attained_gpu_s + len(turn.gpus) * (self.at - turn.granted_at)
        self.jobs[job.id] = replace(job, state=JobState.WAITING, waiting_since=self.at, attained_gpu_s=attained_gpu_s)
        if (estimate := self._estimates.get(job.id)) is not None:
            self._estimates[job.id] = Estimate(estimate.total_s, Source.PROGRESS)

    def _use(self, job: Job, gpu_s: float) -> None:
        self._by_project[job.project] += gpu_s
        self._by_member[job.project, job.member] += gpu_s

"""Who is served before whom: between projects by share, inside a project between members, then least attained service.

Progressive filling: whoever is picked is charged for a quantum at once, in thought, so that GPUs that become free
together do not all go to the same member (max-min fairness, as in Dominant Resource Fairness, NSDI 2011, section 4).
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rota.domain.jobs import Job, JobState
from rota.domain.turns import Turn
from rota.policy.values import Snapshot


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job that may be served now: a waiting one, or one whose turn is past its quantum and competes again."""

    job: Job
    turn: Turn | None  #: the turn that competes; None for a waiting job
    attained_gpu_s: float  #: with the present turn


def in_order(
    candidates: Iterable[Candidate], pinned: Iterable[tuple[Job, Turn]], snapshot: Snapshot
) -> list[Candidate]:
    """The candidates in the order in which they would be served."""
    rules, at = snapshot.rules, snapshot.at
    overdue: list[Candidate] = []
    others: list[Candidate] = []
    for candidate in candidates:
        waits = candidate.job.state is JobState.WAITING
        is_overdue = waits and at - candidate.job.waiting_since >= rules.patience_s
        (overdue if is_overdue else others).append(candidate)
    overdue.sort(key=lambda candidate: (candidate.job.waiting_since, candidate.job.id))
    filling = _Filling(snapshot)
    for job, turn in pinned:  # what a turn is still guaranteed is as good as received
        filling.charge(job, len(turn.gpus), max(turn.guaranteed_until - at, 0.0), turn.tier)
    for candidate in overdue:
        filling.charge(candidate.job, candidate.job.request.gpus, rules.quantum_s)
    return overdue + filling.serve(others)


class _Filling:
    """Usage by project and member, growing as candidates are picked."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._rules = snapshot.rules
        self._project: defaultdict[str, float] = defaultdict(float, snapshot.project_usage_gpu_s)
        self._member: defaultdict[tuple[str, str], float] = defaultdict(float, snapshot.member_usage_gpu_s)

    def charge(self, job: Job, gpus: int, seconds: float, tier: str | None = None) -> None:
        """Count this as received."""
        weight = _tier_weight(self._rules.tier_weights, (tier,) if tier else job.request.tiers)
        self._project[job.project] += gpus * weight * seconds
        self._member[job.project, job.member] += gpus * weight * seconds

    def serve(self, candidates: list[Candidate]) -> list[Candidate]:
        """Pick the least served project, in it the least served member, of theirs the least attained job; repeat."""
        queues = _by_project_and_member(candidates)
        projects = [(self._project_key(project), project) for project in queues]
        members = {project: [(self._member[project, m], m) for m in queues[project]] for project in queues}
        heapq.heapify(projects)
        for heap in members.values():
            heapq.heapify(heap)
        served = []
        while projects:
            _, project = heapq.heappop(projects)
            _, member = heapq.heappop(members[project])
            candidate = queues[project][member].pop()
            served.append(candidate)
            self.charge(candidate.job, candidate.job.request.gpus, self._rules.quantum_s)
            if queues[project][member]:
                heapq.heappush(members[project], (self._member[project, member], member))
            if members[project]:
                heapq.heappush(projects, (self._project_key(project), project))
        return served

    def _project_key(self, project: str) -> float:
        return self._project[project] / self._rules.project_weights.get(project, 1.0)


def _by_project_and_member(candidates: list[Candidate]) -> dict[str, dict[str, list[Candidate]]]:
    """Each member's candidates, the next one last."""
    queues: dict[str, dict[str, list[Candidate]]] = {}
    for candidate in sorted(candidates, key=_least_attained_first, reverse=True):
        queues.setdefault(candidate.job.project, {}).setdefault(candidate.job.member, []).append(candidate)
    return queues


def _least_attained_first(candidate: Candidate) -> tuple[float, bool, float, int]:
    # At equal service the running one stays: a change would cost a stop and gain nothing.
    return candidate.attained_gpu_s, candidate.turn is None, candidate.job.submitted_at, candidate.job.id


def _tier_weight(weights: Mapping[str, float], tiers: Iterable[str | None]) -> float:
    return min((weights.get(tier, 1.0) for tier in tiers if tier), default=1.0)

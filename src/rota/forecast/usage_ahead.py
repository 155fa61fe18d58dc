"""What accounts will have received while a future goes on: by it the policy decides between them."""

from __future__ import annotations

from collections import defaultdict

from rota.domain.jobs import Job
from rota.domain.turns import Turn
from rota.policy.standing import Standing
from rota.policy.values import Account, Snapshot


class UsageAhead:
    """What accounts have received, from the snapshot on. Decay is left out: it hardly changes who comes first."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._weights = snapshot.rules.tier_weights
        self._project_weights = snapshot.rules.project_weights
        self._at = snapshot.at
        self._project: dict[str, float] = dict(snapshot.project_usage_gpu_s)
        self._member: dict[Account, float] = dict(snapshot.member_usage_gpu_s)
        self._rates: defaultdict[Account, float] = defaultdict(float)

    def begin(self, job: Job, turn: Turn, at: float | None = None) -> None:
        """A turn holds GPUs from now on (in the snapshot, what it has had so far is counted)."""
        if at is not None:
            self._advance(at)
        self._rates[job.project, job.member] += len(turn.gpus) * self._weights.get(turn.tier, 1.0)

    def end(self, job: Job, turn: Turn, at: float) -> None:
        """It holds them no more."""
        self._advance(at)
        self._rates[job.project, job.member] -= len(turn.gpus) * self._weights.get(turn.tier, 1.0)

    def tell(self, standing: Standing, at: float) -> None:
        """What each has received is in the Standing. Who is new has had as much as the least served."""
        self._advance(at)
        for account, line in standing.lines.items():
            if account not in self._member and line:
                self._welcome(account)
        standing.project_usage_gpu_s, standing.member_usage_gpu_s = self._project, self._member

    def _welcome(self, account: Account) -> None:
        project, _ = account
        if project not in self._project:
            levels = [used / self._weight(other) for other, used in self._project.items()]
            self._project[project] = min(levels, default=0.0) * self._weight(project)
        self._member[account] = min((used for (of, _), used in self._member.items() if of == project), default=0.0)

    def _weight(self, project: str) -> float:
        return self._project_weights.get(project, 1.0)

    def _advance(self, at: float) -> None:
        passed_s = at - self._at
        if passed_s <= 0:  # a turn that was begun between two looks may end before the later one: that time is counted
            return
        self._at = at
        for account, rate in self._rates.items():
            if rate > 0:
                self._member[account] = self._member.get(account, 0.0) + rate * passed_s
                project = account[0]
                self._project[project] = self._project.get(project, 0.0) + rate * passed_s

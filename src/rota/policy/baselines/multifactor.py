"""A priority like Slurm's (priority/multifactor, documentation "Multifactor Priority Plugin", Slurm 22.05)."""

from __future__ import annotations

from rota.policy.baselines.backfill import EasyRule
from rota.policy.baselines.fifo import BySubmit
from rota.policy.baselines.in_line import serve
from rota.policy.decide import Decision
from rota.policy.line import Candidate
from rota.policy.rank import Ranking
from rota.policy.standing import Standing
from rota.policy.values import Account, Rules

#: Weights of the sites' common choice: fair share before age before size.
FAIR_SHARE_WEIGHT = 10_000.0
AGE_WEIGHT = 1_000.0
SIZE_WEIGHT = 100.0
MAX_AGE_S = 7 * 86400.0  # PriorityMaxAge, its default


class Multifactor:
    """priority = fair share + age + size, each between 0 and its weight; backfill behind the first in line."""

    def ranking(self, rules: Rules) -> Ranking:
        return BySubmit()

    def decide(self, standing: Standing, at: float) -> Decision:
        if not standing.shapes or not standing.bays.free_gpus:
            return Decision()  # before a long list is put in order
        fair = _fair_shares(standing)
        gpus = max(sum(len(bay.gpus) for bay in standing.bays.all), 1)

        def priority(candidate: Candidate) -> tuple[float, float, int]:
            job = candidate.job
            age = min((at - job.submitted_at) / MAX_AGE_S, 1.0)
            size = job.request.gpus / gpus
            points = FAIR_SHARE_WEIGHT * fair[job.project, job.member] + AGE_WEIGHT * age + SIZE_WEIGHT * size
            return -points, job.submitted_at, job.id

        waiting = (candidate for line in standing.lines.values() for candidate in line.in_order())
        return serve(standing, sorted(waiting, key=priority), at, EasyRule(standing, at))


def _fair_shares(standing: Standing) -> dict[Account, float]:
    """2**(-usage / share), usage and share as parts of the whole (the "classic" fair-share formula)."""
    accounts = [account for account, line in standing.lines.items() if line]
    total = sum(standing.member_usage_gpu_s.values()) or 1.0
    weights = standing.rules.project_weights
    members: dict[str, int] = {}
    for project, _ in standing.member_usage_gpu_s.keys() | set(accounts):
        members[project] = members.get(project, 0) + 1
    all_weights = sum(weights.get(project, 1.0) for project in members) or 1.0
    shares = {a: weights.get(a[0], 1.0) / all_weights / members[a[0]] for a in accounts}
    return {a: 2.0 ** (-standing.member_usage_gpu_s.get(a, 0.0) / total / shares[a]) for a in accounts}

"""Tiresias' discretised two-dimensional least attained service (Gu et al., NSDI 2019, section 4)."""

from __future__ import annotations

from rota.domain.estimates import Estimate
from rota.domain.jobs import Job
from rota.policy.baselines.preemptive import serve_by_rank
from rota.policy.decide import Decision
from rota.policy.rank import NEVER, Ranking
from rota.policy.standing import Standing
from rota.policy.values import Rules

#: Where the two queues divide: 5 GPU-hours, as in the published simulators.
THRESHOLD_GPU_S = 18_000.0


class TwoQueues:
    """First in, first out inside a queue; the queue of the less served goes first."""

    def rank(self, job: Job, attained_gpu_s: float, estimate: Estimate | None) -> float:
        return 0.0 if attained_gpu_s < THRESHOLD_GPU_S else 1.0

    def rank_to_stay(self, job: Job, attained_gpu_s: float, estimate: Estimate | None) -> float:
        return self.rank(job, attained_gpu_s, estimate)

    def dues(self, job: Job, estimate: Estimate | None) -> tuple[float, float]:
        return NEVER, NEVER

    def due_again(self, job: Job, estimate: Estimate | None) -> float:
        return NEVER

    def changes_at(self, job: Job, attained_gpu_s: float, estimate: Estimate | None, at: float) -> float:
        left = THRESHOLD_GPU_S - attained_gpu_s
        return at + left / job.request.gpus if left > 0 else NEVER


class Tiresias:
    """Two queues, with preemption at once."""

    def ranking(self, rules: Rules) -> Ranking:
        return TwoQueues()

    def decide(self, standing: Standing, at: float) -> Decision:
        return serve_by_rank(standing, at)

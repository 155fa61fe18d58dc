"""Shortest job and shortest remaining time first: with `--information oracle`, what nobody can know beforehand."""

from __future__ import annotations

from rota.domain.estimates import Estimate
from rota.domain.jobs import Job
from rota.policy.baselines.fifo import BySubmit, all_in_order
from rota.policy.baselines.in_line import serve
from rota.policy.baselines.preemptive import serve_by_rank
from rota.policy.decide import Decision
from rota.policy.rank import NEVER, Ranking
from rota.policy.standing import Standing
from rota.policy.values import Rules


class ByTotal(BySubmit):
    """By the whole run time; unknown ones last."""

    def rank(self, job: Job, attained_gpu_s: float, estimate: Estimate | None) -> float:
        return NEVER if estimate is None else estimate.total_s


class ByRemainder(BySubmit):
    """By the run time that is left; unknown ones last."""

    def rank(self, job: Job, attained_gpu_s: float, estimate: Estimate | None) -> float:
        return NEVER if estimate is None else max(estimate.total_s - attained_gpu_s / job.request.gpus, 0.0)


class ShortestJob:
    """Without preemption. Whoever fits may pass."""

    def ranking(self, rules: Rules) -> Ranking:
        return ByTotal()

    def decide(self, standing: Standing, at: float) -> Decision:
        return serve(standing, all_in_order(standing), at, lambda floor, first, job: True)


class ShortestRemaining:
    """With preemption at once."""

    def ranking(self, rules: Rules) -> Ranking:
        return ByRemainder()

    def decide(self, standing: Standing, at: float) -> Decision:
        return serve_by_rank(standing, at)

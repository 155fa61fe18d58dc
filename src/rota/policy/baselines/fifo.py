"""First in, first out."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from rota.domain.estimates import Estimate
from rota.domain.jobs import Job
from rota.policy.baselines.in_line import nobody_passes, serve
from rota.policy.decide import Decision
from rota.policy.line import Candidate
from rota.policy.rank import NEVER, Ranking
from rota.policy.standing import Standing
from rota.policy.values import Rules


class BySubmit:
    """The order of arrival."""

    def rank(self, job: Job, attained_gpu_s: float, estimate: Estimate | None) -> float:
        return job.submitted_at

    def rank_to_stay(self, job: Job, attained_gpu_s: float, estimate: Estimate | None) -> float:
        return self.rank(job, attained_gpu_s, estimate)

    def dues(self, job: Job, estimate: Estimate | None) -> tuple[float, float]:
        return NEVER, NEVER

    def due_again(self, job: Job, estimate: Estimate | None) -> float:
        return NEVER

    def changes_at(self, job: Job, attained_gpu_s: float, estimate: Estimate | None, at: float) -> float:
        return NEVER


class Fifo:
    """The first in line holds up everybody behind it."""

    def ranking(self, rules: Rules) -> Ranking:
        return BySubmit()

    def decide(self, standing: Standing, at: float) -> Decision:
        return serve(standing, all_in_order(standing), at, nobody_passes)


def all_in_order(standing: Standing) -> Iterator[Candidate]:
    """Every waiting job by its rank, whoever it belongs to."""
    lines = [line.in_order() for line in standing.lines.values() if line]
    return lines[0] if len(lines) == 1 else iter(heapq.merge(*lines, key=lambda one: one.key))

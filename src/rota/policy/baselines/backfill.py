"""FIFO with EASY backfill (Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995)."""

from __future__ import annotations

from rota.domain.jobs import Job
from rota.policy.baselines.fifo import BySubmit, all_in_order
from rota.policy.baselines.in_line import serve
from rota.policy.decide import Decision
from rota.policy.floor import Floor
from rota.policy.place import FOR_EVER_S
from rota.policy.rank import Ranking
from rota.policy.standing import Running, Standing
from rota.policy.values import Rules


class Backfill:
    """A later job may begin before the first in line when it does not delay it, as far as run times are known."""

    def ranking(self, rules: Rules) -> Ranking:
        return BySubmit()

    def decide(self, standing: Standing, at: float) -> Decision:
        return serve(standing, all_in_order(standing), at, EasyRule(standing, at))


class EasyRule:
    """Whether a job may pass the first in line: it ends before that one can begin, or uses GPUs that it will not need.

    GPUs are counted, not placed: the shadow time is that of a fleet without fragments. A job of which nothing is known
    is taken to run for ever, so it passes only on GPUs to spare.
    """

    def __init__(self, standing: Standing, at: float) -> None:
        self._standing, self._at = standing, at
        self._known: tuple[float, int] | None = None

    def __call__(self, floor: Floor, first: Job, job: Job) -> bool:
        begins_at, spare = self._shadow(floor, first)
        estimate = self._standing.estimates.get(job.id)
        if estimate is not None and self._at + estimate.total_s <= begins_at:
            return True
        if job.request.gpus > spare:
            return False
        self._known = (begins_at, spare - job.request.gpus)
        return True

    def _shadow(self, floor: Floor, first: Job) -> tuple[float, int]:
        """When the first in line can begin, and how many GPUs will then be left over."""
        if self._known is not None:
            return self._known
        free = floor.free_gpus
        begins_at = self._at
        for ends_at, gpus in sorted((self._ends_at(r), len(r.turn.gpus)) for r in self._standing.running.values()):
            if free >= first.request.gpus:
                break
            free, begins_at = free + gpus, ends_at
        self._known = (begins_at, free - first.request.gpus)
        return self._known

    def _ends_at(self, running: Running) -> float:
        estimate = self._standing.estimates.get(running.job.id)
        if estimate is None:
            return FOR_EVER_S
        return max(running.turn.granted_at + estimate.total_s, self._at)

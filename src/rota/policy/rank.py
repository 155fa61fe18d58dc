"""Which of a member's own jobs comes first: short remainders where they are known, least attained service where not.

Serving the shortest remainder first gives the least mean completion time on one machine (Schrage 1968). On several
GPUs a wide job delays more others, but to weigh its remainder by its GPUs makes it wait for all of them; a power in
between did best over narrow and wide jobs alike (`make bench-replay`). Where nothing is known, service attained so far
is the best guide to what is left when run times are heavy-tailed (Tiresias, NSDI 2019, section 4); classes that double
keep jobs of about the same service from stopping each other all the time.
"""

from __future__ import annotations

import math
from typing import Protocol

from rota.domain.estimates import Estimate, Source
from rota.domain.jobs import Job
from rota.policy.values import Rules

#: A remainder counts for GPUs to this power: 0 would be run time, 1 GPU time.
WIDTH_POWER = 0.25
#: A job that has not begun counts as short until its first turn has shown how long it is: at most so many quanta.
UNSTARTED_QUANTA = 2.0
#: An estimate that nothing has confirmed counts as at most so many times what the job has run.
UNPROVEN_FACTOR = 8.0
#: A measured total is good to about a fifth: when it is used up, so much of it may still be left.
LEAST_LEFT_PART = 0.02
#: Service classes begin at one GPU-hour and double: 1, 2, 4, ... GPU-hours. Where the quantum is set shorter than
#: five minutes (a demonstration, a test) they begin at one quantum.
FIRST_CLASS_GPU_S = 3600.0
SHORT_QUANTUM_S = 300.0
#: A first turn is due after so many quanta, if patience is not over sooner. Shorter bounds cost completion time where
#: nothing is known about durations, longer ones gain none.
FIRST_TURN_QUANTA = 16.0
#: A turn past its quantum is stopped only for a job that is shorter by so much: a stop must pay for itself.
STAY_PART = 0.8
#: How much longer a job is expected to need that has outrun its estimate grows with its run time in such steps: what
#: is weighed anew less often stops less often.
STEP_FACTOR = 1.25
_LOG_STEP = math.log(STEP_FACTOR)
#: A turn is not weighed anew more often than the classes of jobs of this run time suggest; seconds.
LEAST_STEP_S = 60.0
#: Sums of floats that miss the end of a class by this part have reached it.
ROUNDING = 1e-9
#: Nobody's slowdown is judged by less than this run time, in seconds.
LEAST_TOTAL_S = 1800.0
NEVER = math.inf
_PROGRESS = Source.PROGRESS


class Ranking(Protocol):
    """An order of one member's own jobs."""

    def rank(self, job: Job, attained_gpu_s: float, estimate: Estimate | None) -> float:
        """The lower is served first. `attained_gpu_s` includes the present turn."""
        ...

    def rank_to_stay(self, job: Job, attained_gpu_s: float, estimate: Estimate | None) -> float:
        """The rank with which a turn past its quantum competes."""
        ...

    def dues(self, job: Job, estimate: Estimate | None) -> tuple[float, float]:
        """When the job goes before its member's others, and when before those that are not due either; or `NEVER`."""
        ...

    def due_again(self, job: Job, estimate: Estimate | None) -> float:
        """The second of these, for a job that has had a turn."""
        ...

    def changes_at(self, job: Job, attained_gpu_s: float, estimate: Estimate | None, at: float) -> float:
        """When running alone will have made its rank worse."""
        ...


class ShortRemaindersFirst:
    """Rota's order."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._first_class_gpu_s = FIRST_CLASS_GPU_S if rules.quantum_s >= SHORT_QUANTUM_S else rules.quantum_s

    def rank(self, job: Job, attained_gpu_s: float, estimate: Estimate | None) -> float:
        """Seconds left, weighed by the GPUs; where nothing is known, the end of the service class in GPU-seconds."""
        if estimate is None:
            return self._class_end_gpu_s(attained_gpu_s)
        gpus = job.request.gpus
        return self._left_s(attained_gpu_s / gpus, estimate) * math.pow(gpus, WIDTH_POWER)

    def rank_to_stay(self, job: Job, attained_gpu_s: float, estimate: Estimate | None) -> float:
        """Its rank, a little better; service classes stand as they are."""
        if estimate is None:
            return self._class_end_gpu_s(attained_gpu_s)
        gpus = job.request.gpus
        total_s, ran_s = estimate.total_s, attained_gpu_s / gpus
        if estimate.source is _PROGRESS:  # by far the most frequent question in a replay
            left_s, least_s = total_s - ran_s, LEAST_LEFT_PART * total_s
            return (left_s if left_s > least_s else least_s) * math.pow(gpus, WIDTH_POWER) * STAY_PART
        return self._left_s(ran_s, estimate) * math.pow(gpus, WIDTH_POWER) * STAY_PART

    def _left_s(self, ran_s: float, estimate: Estimate) -> float:
        total_s, quantum_s = estimate.total_s, self._rules.quantum_s
        if estimate.is_measured:
            return max(total_s - ran_s, LEAST_LEFT_PART * total_s)
        if ran_s == 0:
            return min(total_s, UNSTARTED_QUANTA * quantum_s)
        # Past half of an unproven estimate a job is expected to need as long again as it has had.
        step_s = _step_end_s(ran_s)
        return min(max(total_s - ran_s, step_s), UNPROVEN_FACTOR * max(step_s, quantum_s))

    def dues(self, job: Job, estimate: Estimate | None) -> tuple[float, float]:
        """First turns by patience; later ones by slowdown, so that nobody waits for ever behind shorter jobs."""
        rules = self._rules
        overdue_at = due_at = NEVER
        if job.turns == 0:
            overdue_at = job.waiting_since + rules.patience_s
            due_at = min(overdue_at, job.waiting_since + FIRST_TURN_QUANTA * rules.quantum_s)
        return overdue_at, due_at if estimate is None else min(due_at, self.due_again(job, estimate))

    def due_again(self, job: Job, estimate: Estimate | None) -> float:
        """By slowdown, as far as it is known how long the job takes."""
        if estimate is None:
            return NEVER
        rules = self._rules
        ran_s = job.attained_gpu_s / job.request.gpus
        total_s = estimate.total_s
        if not estimate.is_measured:
            total_s = min(total_s, UNPROVEN_FACTOR * max(ran_s, UNSTARTED_QUANTA * rules.quantum_s))
        return job.submitted_at + rules.most_slowdown * max(total_s, LEAST_TOTAL_S)

    def changes_at(self, job: Job, attained_gpu_s: float, estimate: Estimate | None, at: float) -> float:
        """A service class ends, or an unproven estimate is half used up and then less and less believable."""
        gpus = job.request.gpus
        if estimate is None:
            return at + (self._class_end_gpu_s(attained_gpu_s) - attained_gpu_s) / gpus
        if estimate.is_measured:
            return NEVER
        ran_s, total_s = attained_gpu_s / gpus, estimate.total_s
        step_s, half_s = _step_end_s(ran_s), total_s / (1 + STEP_FACTOR)
        if ran_s < half_s and total_s - ran_s < UNPROVEN_FACTOR * max(step_s, self._rules.quantum_s):
            return at + half_s - ran_s
        return at + step_s - ran_s

    def _class_end_gpu_s(self, attained_gpu_s: float) -> float:
        """The end of the service class that this much service lies in; GPU-seconds."""
        first = self._first_class_gpu_s
        if attained_gpu_s < first * (1 - ROUNDING):
            return first
        return first * 2.0 ** (math.floor(math.log2(attained_gpu_s / first) + ROUNDING) + 1)


def _step_end_s(ran_s: float) -> float:
    """Run time in steps of a quarter: the end of the one that it lies in."""
    if ran_s < LEAST_STEP_S:
        return LEAST_STEP_S
    return LEAST_STEP_S * STEP_FACTOR ** (math.floor(math.log(ran_s / LEAST_STEP_S) / _LOG_STEP + ROUNDING) + 1)

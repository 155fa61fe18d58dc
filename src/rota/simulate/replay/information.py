"""What a replayed policy may know of a job's run time, and when."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from rota.domain.estimates import Estimate, Source
from rota.simulate.replay.values import TraceJob

ESTIMATE_SIGMA = 1.0  #: of the log-normal factor by which a first estimate is wrong
PROGRESS_ERROR = 0.2  #: a total derived from progress is right within this part
PROGRESS_PART = 0.05  #: progress says something once this part of the job has been run,
PROGRESS_LEAST_S = 60.0  #: and at least this many seconds


class Information(StrEnum):
    """How much is known."""

    NONE = "none"  # nothing but the service attained so far
    NOISY = "noisy"  # an estimate at submit, a good one from progress later: a laboratory's normal case
    ORACLE = "oracle"  # everything


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is to be learnt of one job."""

    at_submit: Estimate | None
    learnt_after_s: float | None  #: useful seconds of run time after which progress tells the total; None: never
    learnt_total_s: float


NOTHING = Knowledge(None, None, 0.0)


def knowledge_of(job: TraceJob, information: Information, seed: int) -> Knowledge:
    """The same for the same job and seed, whatever the policy does."""
    if information is Information.NONE:
        return NOTHING
    if information is Information.ORACLE:
        return Knowledge(Estimate(job.duration_s, Source.PROGRESS), None, 0.0)
    chance = random.Random(seed * 1_000_003 + job.id)
    stated_s = job.time_s or job.duration_s * chance.lognormvariate(0.0, ESTIMATE_SIGMA)
    total_s = job.duration_s * chance.uniform(1 - PROGRESS_ERROR, 1 + PROGRESS_ERROR)
    learnt_after_s = max(PROGRESS_PART * job.duration_s, PROGRESS_LEAST_S)
    return Knowledge(Estimate(stated_s, Source.STATED), learnt_after_s, total_s)

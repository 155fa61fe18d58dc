"""Why one comes before another, with the two numbers that decided."""

from __future__ import annotations

import math
from typing import NamedTuple

from rota.domain.jobs import Job
from rota.domain.reasons import Because
from rota.policy.line import Candidate
from rota.policy.order import Contender, Served, fits_a_node
from rota.policy.rank import WIDTH_POWER
from rota.policy.standing import Standing


class Precedence(NamedTuple):
    """One job, and why it comes first."""

    job: Job
    because: Because
    theirs: float
    yours: float


def why_before(standing: Standing, before: Served, candidate: Candidate, at: float, *, goes_first: bool) -> Precedence:
    """`before` was served before the candidate: by which rule, and what was compared.

    `goes_first`: before all, whatever their shares (order.py, 1).
    """
    theirs, yours = before.job, candidate.job
    if goes_first and (theirs.project, theirs.member) != (yours.project, yours.member):
        waited_s = at - theirs.waiting_since
        if not fits_a_node(standing, theirs):
            return Precedence(theirs, Because.SEVERAL_NODES, waited_s, standing.rules.patience_s)
        return Precedence(theirs, Because.NOTHING_RUNNING, waited_s, at - yours.waiting_since)
    if theirs.project != yours.project:
        received = _level(standing, theirs.project), _level(standing, yours.project)
        return Precedence(theirs, Because.PROJECT if received[0] < received[1] else Because.IN_TURN, *received)
    if theirs.member != yours.member:
        received = _received(standing, theirs), _received(standing, yours)
        return Precedence(theirs, Because.MEMBER if received[0] < received[1] else Because.IN_TURN, *received)
    return _own(standing, before, candidate, at)


def _own(standing: Standing, before: Served, candidate: Candidate, at: float) -> Precedence:
    """Both belong to one member."""
    theirs, yours = before.job, candidate.job
    since_submit_s = at - theirs.submitted_at, at - yours.submitted_at
    if before.key[0] < candidate.key[0]:
        return Precedence(theirs, Because.OVERDUE, *since_submit_s)
    if before.key[:2] == candidate.key[:2]:
        return Precedence(theirs, Because.EARLIER, *since_submit_s)
    if standing.estimates.get(theirs.id) or standing.estimates.get(yours.id):
        left_s = _left_s(standing, before, at), _left_s(standing, candidate, at)
        return Precedence(theirs, Because.SHORTER, *left_s)
    had_gpu_s = _attained_gpu_s(before, at), yours.attained_gpu_s
    return Precedence(theirs, Because.LESS_SERVED, *had_gpu_s)


def _attained_gpu_s(served: Served, at: float) -> float:
    return served.running.attained_gpu_s(at) if isinstance(served, Contender) else served.job.attained_gpu_s


def _left_s(standing: Standing, served: Served, at: float) -> float:
    """Run time that it is expected to need still, as its rank has it."""
    job = served.job
    rank = standing.ranking.rank(job, _attained_gpu_s(served, at), standing.estimates.get(job.id))
    return rank / math.pow(job.request.gpus, WIDTH_POWER)


def _level(standing: Standing, project: str) -> float:
    early = standing.advances_gpu_s.get(project, 0.0)
    received = standing.project_usage_gpu_s.get(project, 0.0) - early
    return received / standing.rules.project_weights.get(project, 1.0)


def _received(standing: Standing, job: Job) -> float:
    return standing.member_usage_gpu_s.get((job.project, job.member), 0.0)

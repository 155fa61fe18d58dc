"""Serving a line from its front, without ever stopping a turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

from rota.domain.jobs import Job
from rota.domain.reasons import YourTurn
from rota.policy.decide import Decision
from rota.policy.floor import Floor
from rota.policy.line import Candidate
from rota.policy.place import FOR_EVER_S, Place, place_now
from rota.policy.shapes import Shape
from rota.policy.standing import Standing
from rota.policy.values import Begin

REASON = YourTurn(0.0, 0)
#: So many jobs behind the first that must wait are tried (slurm.conf, SchedulerParameters, bf_max_job_test: 100).
MOST_TRIED = 100


def nobody_passes(floor: Floor, first: Job, job: Job) -> bool:
    """The first in line holds up everybody behind it."""
    return False


def serve(
    standing: Standing,
    order: Iterable[Candidate],
    at: float,
    may_pass: Callable[[Floor, Job, Job], bool],
) -> Decision:
    """Begin what fits, in order; whoever comes after one that does not fit begins only if it `may_pass` that one."""
    decision = Decision()
    if not standing.shapes or not standing.bays.free_gpus:
        return decision
    order = iter(order)
    front = next(order)
    if may_pass is nobody_passes and front.shape.gpus > standing.bays.free_gpus:
        return decision  # the most frequent case of a long line, without more ado
    floor = Floor(standing, [], at)
    first: Job | None = None
    refused: set[Shape] = set()
    tried = 0
    for candidate in chain((front,), order):
        if not floor.free_gpus or len(refused) == len(standing.shapes):
            break
        job = candidate.job
        shape = candidate.shape
        if shape in refused:
            continue
        if first is not None and (tried := tried + 1) > MOST_TRIED:
            break
        found = free_place(job, standing, floor)
        if found is None:
            refused.add(shape)
            if may_pass is nobody_passes:
                break
            first = first or job
        elif first is None or may_pass(floor, first, job):
            _begin(decision, floor, job, found)
    return decision


def free_place(job: Job, standing: Standing, floor: Floor) -> Place | None:
    """Free GPUs on the best tier that has them."""
    for tier in job.request.tiers or standing.tiers:
        if tier in standing.bays.indexes and (found := place_now(job, 0.0, tier, floor)):
            return found
    return None


def _begin(decision: Decision, floor: Floor, job: Job, place: Place) -> None:
    for bay, places in place.bays:
        floor.claim_free(bay, list(places))
        floor.claim_room(bay, job.request)
    gpus = place.gpus
    names = tuple([gpu.uuid for gpu in gpus])
    decision.begins.append(Begin(job.id, names, gpus[0].node, gpus[0].tier, FOR_EVER_S, None, REASON))

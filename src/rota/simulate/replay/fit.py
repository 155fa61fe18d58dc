"""A trace made to fit a fleet: what could never run there is left out, and counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from rota.domain.counts import say_count
from rota.domain.gpus import Fleet
from rota.domain.jobs import Request
from rota.errors import BadRequest
from rota.policy.limits import refuse_impossible
from rota.simulate.replay.values import Trace, TraceJob

_Shape = tuple[int, tuple[str, ...]]  # GPUs, tiers: all that decides whether a job fits


def fit(trace: Trace, fleet: Fleet, *, any_tier: bool = False) -> Trace:
    """The jobs that the fleet can serve, by the rule by which a live submit is refused.

    With `any_tier`, every job takes every tier. Raises BadRequest when none is left.
    """
    if any_tier:
        trace = replace(trace, jobs=tuple([replace(job, tiers=()) if job.tiers else job for job in trace.jobs]))
    # A job that accepts a tier that is not here still accepts its others.
    here = tuple([_of_this_fleet(job, fleet) for job in trace.jobs])
    is_served = {shape: _is_served(shape, fleet) for shape in {(job.gpus, job.tiers) for job in here}}
    jobs = tuple([job for job in here if is_served[job.gpus, job.tiers]])
    out = [(job.gpus, job.tiers) for job in here if not is_served[job.gpus, job.tiers]]
    said = tuple(_why(out, fleet))
    if not jobs:
        raise BadRequest(f"No job of {trace.name} fits this fleet: {'; '.join(said)}. Replay it on a larger --fleet.")
    return replace(trace, jobs=jobs, left_out=(*trace.left_out, *said))


def _of_this_fleet(job: TraceJob, fleet: Fleet) -> TraceJob:
    tiers = tuple([tier for tier in job.tiers if tier in fleet.tiers])
    return replace(job, tiers=tiers) if tiers and tiers != job.tiers else job


def _is_served(shape: _Shape, fleet: Fleet) -> bool:
    gpus, tiers = shape
    try:
        refuse_impossible(Request(gpus, tiers=tiers), fleet)
    except BadRequest:
        return False
    return True


def _why(out: list[_Shape], fleet: Fleet) -> list[str]:
    """One sentence each for jobs too large, and for jobs that accept only tiers that are not here."""
    said = []
    large = [gpus for gpus, tiers in out if not tiers or set(tiers) <= set(fleet.tiers)]
    if large:
        said.append(f"{say_count(len(large), 'job')} too large for this fleet (up to {max(large)} GPUs)")
    strange = Counter("|".join(tiers) for _, tiers in out if tiers and not set(tiers) <= set(fleet.tiers))
    if strange:
        names = ", ".join(name for name, _ in strange.most_common(3))
        more = ", ..." if len(strange) > 3 else ""
        count = say_count(sum(strange.values()), "job")
        said.append(f"{count} for tiers that are not in this fleet ({names}{more}; --any-tier takes them along)")
    return said

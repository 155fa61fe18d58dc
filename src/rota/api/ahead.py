"""/jobs/{job}/ahead: what `rota run` tells its member right after the job's number."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from rota.api.depends import Here, Me
from rota.api.elsewhere import elsewhere
from rota.api.forecasts import until_forecast
from rota.api.jobs import JobNumber, find_job
from rota.api.schemas import AheadView, ElsewhereView
from rota.api.site import Site
from rota.api.views import gpu_labels, job_view
from rota.domain.jobs import Job

routes = APIRouter(tags=["jobs"])


@routes.get("/jobs/{job}/ahead")
async def ahead(job: JobNumber, me: Me, site: Here, wait_s: Annotated[float, Query(ge=0, le=2)] = 0.0) -> AheadView:
    """Place, forecast, and a tier on which it could begin now; waits up to `wait_s` for the forecast."""
    find_job(job, site)
    await until_forecast(job, site, wait_s)
    found, outlook, now = find_job(job, site), site.outlook(), site.clock()
    return AheadView(
        at=now,
        job=job_view(found, site.core.books.turn_of(job), outlook, gpu_labels(site), me, now),
        place=_place(found, site),
        gpu_memory_bytes=found.request.gpu_memory_bytes,
        elsewhere=_elsewhere(found, site),
    )


def _elsewhere(job: Job, site: Site) -> ElsewhereView | None:
    snapshot, outlook = site.core.snapshot, site.outlook()
    if snapshot is None or job.id not in outlook.places:
        return None
    there = elsewhere(job, snapshot, outlook.forecast_of(job.id))
    if there is None:
        return None
    return ElsewhereView(
        tier=there.tier,
        memory_bytes=there.memory_bytes,
        times_as_fast=round(there.times_as_fast, 4),
        finish_at=there.finish_at,
    )


def _place(job: Job, site: Site) -> int | None:
    """Its place among those who wait for a tier that it accepts, too; None while it follows jobs or is in no plan."""
    places, jobs, snapshot = site.outlook().places, site.core.books.jobs, site.core.snapshot
    if job.id not in places or snapshot is None or job.id in snapshot.is_blocked_by:
        return None
    own, tiers = places[job.id][0], set(job.request.tiers)
    before = (jobs.get(other) for other, (place, _) in places.items() if place < own)
    return 1 + sum(
        other is not None and (not tiers or not other.request.tiers or not tiers.isdisjoint(other.request.tiers))
        for other in before
    )

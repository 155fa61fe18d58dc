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
from rota.domain.jobs import Job, JobState

routes = APIRouter(tags=["jobs"])


@routes.get("/jobs/{job}/ahead")
async def ahead(job: JobNumber, me: Me, site: Here, wait_s: Annotated[float, Query(ge=0, le=2)] = 0.0) -> AheadView:
    """Place, forecast, and a tier on which it could begin now; waits up to `wait_s` for the forecast."""
    find_job(job, site)
    await until_forecast(job, site, wait_s)
    found, outlook, now = find_job(job, site), site.outlook(), site.clock()
    turn = site.core.books.turn_of(job)
    snapshot = site.core.snapshot
    is_waiting = found.state is JobState.WAITING and job in outlook.places and snapshot is not None
    there = elsewhere(found, snapshot, outlook.forecast_of(job)) if is_waiting and snapshot else None
    return AheadView(
        at=now,
        job=job_view(found, turn, outlook, gpu_labels(site), me, now),
        place=_place(found, site) if is_waiting else None,
        gpu_memory_bytes=found.request.gpu_memory_bytes,
        elsewhere=ElsewhereView(
            tier=there.tier,
            memory_bytes=there.memory_bytes,
            times_as_fast=round(there.times_as_fast, 4),
            finish_at=there.finish_at,
        )
        if there
        else None,
    )


def _place(job: Job, site: Site) -> int:
    """Its place among those who wait for a tier that it accepts, too."""
    places, jobs = site.outlook().places, site.core.books.jobs
    own, tiers = places[job.id][0], set(job.request.tiers)
    before = (jobs.get(other) for other, (place, _) in places.items() if place < own)
    return 1 + sum(
        other is not None and (not tiers or not other.request.tiers or not tiers.isdisjoint(other.request.tiers))
        for other in before
    )

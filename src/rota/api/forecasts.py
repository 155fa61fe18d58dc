"""/jobs/{job}/forecast and /forecast: when a turn begins, what another request would change, how good that was."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query

from rota.api.depends import Here, Me
from rota.api.forecast_schemas import CompareBody, CompareView, ForecastDetail, ScoreView, VariantBody, VariantView
from rota.api.schemas import RangeView
from rota.api.score_views import score_view
from rota.api.site import Site
from rota.daemon.hypothetical import add_job, project_of
from rota.daemon.promises import REMEMBERED_S
from rota.domain.forecasts import Forecast
from rota.domain.jobs import JobState, Request
from rota.errors import BadRequest, NoSuchThing, NotAllowed, NotNow
from rota.policy.limits import refuse_impossible
from rota.store.contract import JobFilter

routes = APIRouter(tags=["forecasts"])

JobNumber = Annotated[int, Path(ge=1, le=2**53)]
LONGEST_WAIT_S = 10.0
SHOWN_DAYS = 30.0
MOST_DAYS = REMEMBERED_S / 86400


@routes.get("/jobs/{job}/forecast")
async def forecast(
    job: JobNumber, me: Me, site: Here, wait_s: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S)] = 0.0
) -> ForecastDetail:
    """What is expected of one job. Of one that has just been submitted, as soon as it is known, within `wait_s`."""
    if job not in site.core.books.jobs and not site.core.laboratory.store.jobs(JobFilter(ids=(job,))):
        raise NoSuchThing(f"There is no job {job}. See: rota list --all")
    await until_forecast(job, site, wait_s)
    now = site.forecasts
    told = now.of(job)
    kept, of = now.kept(SHOWN_DAYS)
    return ForecastDetail(
        job=job,
        turn=told.turn if told else None,
        made_at=told.made_at if told else None,
        begin=RangeView.of(told.begin) if told else None,
        finish=RangeView.of(told.finish) if told else None,
        tier=told.tier if told else None,
        kept=kept,
        of=of,
        shift=now.shift_of(job),
    )


async def until_forecast(job: int, site: Site, wait_s: float) -> None:
    """Until there is one, the job waits no longer, or the time is up."""
    try:
        async with asyncio.timeout(wait_s):
            while site.core.forecasts.is_made and _waits(job, site) and site.forecasts.of(job) is None:
                await site.service.changed()
    except TimeoutError:
        pass


def _waits(job: int, site: Site) -> bool:
    found = site.core.books.jobs.get(job)
    return found is not None and found.state is JobState.WAITING and not site.is_closing


@routes.get("/forecast/score")
async def score(me: Me, site: Here, days: Annotated[float, Query(ge=1, le=MOST_DAYS)] = MOST_DAYS) -> ScoreView:
    """How often turns began when it was promised, in all and by kind, over the latest forecasts."""
    return score_view(site.core.forecasts, days, site.clock())


@routes.post("/forecast/compare")
async def compare(body: CompareBody, by: Me, site: Here) -> CompareView:
    """When a job would begin and be done, asked for in several ways. Nothing is submitted."""
    if body.member not in (None, by.name) and not by.is_admin:
        raise NotAllowed(f"Only an administrator asks for somebody else; you are {by.name}.")
    project = project_of(body.project, body.member or by.name, site.core)
    views = [await _variant(one, body, body.member or by.name, project, site) for one in body.variants]
    return CompareView(at=site.clock(), variants=views)


async def _variant(asked: VariantBody, body: CompareBody, member: str, project: str, site: Site) -> VariantView:
    request = Request(
        gpus=asked.gpus,
        gpu_memory_bytes=body.gpu_memory_bytes,
        cpus=body.cpus,
        memory_bytes=body.memory_bytes,
        tiers=tuple(asked.tiers),
        checkpoint="/" if body.checkpoint else None,
        time_s=asked.time_s,
    )
    found, refused = None, ""
    try:
        refuse_impossible(request, site.core.laboratory.fleet)
        found = await _what_if(request, body, member, project, site)
    except BadRequest as why:
        refused = str(why)
    return VariantView(
        gpus=asked.gpus,
        tiers=list(request.tiers),
        time_s=asked.time_s,
        begin=RangeView.of(found.begin) if found else None,
        finish=RangeView.of(found.finish) if found else None,
        tier=found.tier if found else None,
        refused=refused,
    )


async def _what_if(request: Request, body: CompareBody, member: str, project: str, site: Site) -> Forecast | None:
    if site.forecasting is None or not site.core.forecasts.is_made or site.core.snapshot is None:
        raise NotNow("No forecasts are made here. To have them: [forecast] enabled = true in rota.toml.")
    snapshot, job = add_job(site.core, request, member, project, body.name or "", body.command, site.clock())
    return await site.forecasting.what_if(snapshot, job.id)

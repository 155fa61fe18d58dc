"""/export: jobs with their turns, a page at a time, for files that outlive this Rota (docs/export.md)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from rota.api.depends import Here, Me
from rota.api.site import Site
from rota.api.views import gpu_labels
from rota.domain.jobs import Job
from rota.domain.members import Member
from rota.domain.turns import Turn
from rota.store.contract import JobFilter

routes = APIRouter(tags=["export"])

# A page is read in one piece between two steps of the daemon: at these sizes some 30 ms.
PAGE_JOBS = 200  # job numbers looked at for one page
PAGE_TURNS = 500  # turns on one page, unless a single job has more


class ExportedJob(BaseModel):
    """A row of jobs.csv: what was asked for, and what became of it."""

    job: int
    name: str
    member: str
    project: str
    gpus: int
    tiers: list[str]  #: accepted; empty: any
    time_s: float | None  #: stated at submit
    is_resumable: bool
    submitted_at: float
    state: str
    turns: int
    attained_gpu_s: float
    ended_at: float | None
    exit_code: int | None
    gpu_memory_bytes: int
    cpus: int
    memory_bytes: int
    retries: int
    array: str


class ExportedTurn(BaseModel):
    """A row of turns.csv."""

    turn: str
    job: int
    number: int
    node: str
    tier: str
    gpus: list[str]  #: labels, "node:index"
    gpu_uuids: list[str]
    granted_at: float
    began_at: float | None
    guaranteed_until: float
    notice_at: float | None
    saved_at: float | None
    ended_at: float | None
    outcome: str | None
    exit_code: int | None
    gpu_s: float
    lost_s: float


class ExportPage(BaseModel):
    """Jobs in the order of their numbers, each with all of its turns at the same moment."""

    jobs: list[ExportedJob]
    turns: list[ExportedTurn]
    next_after: int | None  #: ask again with this; None: that was all
    last_job: int  #: the highest number so far: how much there is


@routes.get("/export")
async def export(me: Me, site: Here, after: Annotated[int, Query(ge=0, le=2**53)] = 0) -> ExportPage:
    """Your own jobs with higher numbers than `after`; for an administrator everybody's."""
    books, store = site.core.books, site.core.laboratory.store
    numbers = range(after + 1, min(after + PAGE_JOBS, books.last_job) + 1)
    jobs, next_after = _page(_jobs(numbers, me, site), numbers, books.last_job)
    turns = store.turns_of([job.id for job in jobs]) if jobs else ()
    labels = gpu_labels(site)
    return ExportPage(
        jobs=[_job(job) for job in jobs],
        turns=[_turn(books.turns.get(turn.id, turn), labels) for turn in turns],
        next_after=next_after,
        last_job=books.last_job,
    )


def _jobs(numbers: range, me: Member, site: Site) -> list[Job]:
    """Those of these numbers that this member may have, in order; open ones as they stand in the books."""
    if not numbers:
        return []
    wanted = JobFilter(member=None if me.is_admin else me.name, ids=tuple(numbers), limit=len(numbers))
    books = site.core.books
    return [books.jobs.get(job.id, job) for job in reversed(site.core.laboratory.store.jobs(wanted))]


def _page(jobs: list[Job], numbers: range, last_job: int) -> tuple[list[Job], int | None]:
    """As many of them as make a page of turns, and after which number the next page begins."""
    turns = 0
    for place, job in enumerate(jobs):
        turns += job.turns
        if turns > PAGE_TURNS and place > 0:
            return jobs[:place], jobs[place - 1].id
    is_last = not numbers or numbers[-1] >= last_job
    return jobs, None if is_last else numbers[-1]


def _job(job: Job) -> ExportedJob:
    request = job.request
    return ExportedJob(
        job=job.id,
        name=job.name,
        member=job.member,
        project=job.project,
        gpus=request.gpus,
        tiers=list(request.tiers),
        time_s=request.time_s,
        is_resumable=request.is_resumable,
        submitted_at=job.submitted_at,
        state=job.state.value,
        turns=job.turns,
        attained_gpu_s=job.attained_gpu_s,
        ended_at=job.ended_at,
        exit_code=job.exit_code,
        gpu_memory_bytes=request.gpu_memory_bytes,
        cpus=request.cpus,
        memory_bytes=request.memory_bytes,
        retries=request.retries,
        array=job.array,
    )


def _turn(turn: Turn, labels: dict[str, str]) -> ExportedTurn:
    return ExportedTurn(
        turn=turn.id,
        job=turn.job,
        number=turn.number,
        node=turn.node,
        tier=turn.tier,
        gpus=[labels.get(gpu, gpu) for gpu in turn.gpus],
        gpu_uuids=list(turn.gpus),
        granted_at=turn.granted_at,
        began_at=turn.began_at,
        guaranteed_until=turn.guaranteed_until,
        notice_at=turn.notice_at,
        saved_at=turn.saved_at,
        ended_at=turn.ended_at,
        outcome=turn.outcome.value if turn.outcome else None,
        exit_code=turn.exit_code,
        gpu_s=turn.gpu_s,
        lost_s=turn.lost_s,
    )

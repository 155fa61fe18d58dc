"""/jobs: submit, list, show, why, log, and what people do to one job."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from rota.api.depends import Here, Me
from rota.api.schemas import (
    Done,
    JobDetail,
    JobsView,
    JobView,
    LogView,
    MoveBody,
    ReleaseBody,
    ReliabilityView,
    StepView,
    SubmitBody,
    Submitted,
    WhyView,
)
from rota.api.site import Site
from rota.api.submit import submit_command
from rota.api.views import forecast_view, gpu_labels, job_sentence, job_view, told, turn_view
from rota.api.waiting import begin_sentence, remedy_sentence
from rota.api.wording import other_sentence
from rota.daemon.commands import Cancel, GiveBack, Hold, JobCommand, Move, Release
from rota.domain.jobs import Job, JobState
from rota.domain.members import Member
from rota.domain.turns import TurnState
from rota.errors import NoSuchThing, NotAllowed
from rota.store.contract import JobFilter

routes = APIRouter(tags=["jobs"])

JobNumber = Annotated[int, Path(ge=1, le=2**53)]
MOST_SENTENCES = 3  # of `rota why`: who wants more reads `rota show`
NO_WORDS = ReleaseBody()  # who releases a job need not send a body
PAST_JOBS = 1000  # ended jobs that `list --all` shows
#: What a list shows first: turns, then the waiting list, then the held ones.
_ORDER = {JobState.RUNNING: 0, JobState.WAITING: 1, JobState.HELD: 2}


@routes.post(
    "/jobs", status_code=201, responses={200: {"model": Submitted, "description": "A dry run: nothing changed"}}
)
async def submit(body: SubmitBody, by: Me, site: Here, request: Request, response: Response) -> Submitted:
    """Put a job, or the tasks of an array, on the waiting list. When this answers, it is on disk."""
    peer = getattr(request.state, "peer", None)
    answer = await site.service.ask(submit_command(body, by, peer, site.core.laboratory.fleet.is_simulated))
    if body.dry_run:
        response.status_code = 200
    return Submitted(job=next(iter(answer.jobs), None), jobs=list(answer.jobs), message=list(answer.message))


@routes.get("/jobs")
async def jobs(me: Me, site: Here, all: bool = False, mine: bool = False) -> JobsView:
    """Turns, the waiting list in its order, held jobs; with `all` also those that have ended."""
    now = site.clock()
    open_jobs = [job for job in site.core.books.jobs.values() if not mine or job.member == me.name]
    places = site.outlook().places
    open_jobs.sort(key=lambda job: (_ORDER[job.state], places.get(job.id, (1 << 60, None))[0], job.id))
    ended = _ended(site, me.name if mine else None) if all else []
    trouble = list(site.core.trouble.values())
    return JobsView(at=now, jobs=_views([*open_jobs, *ended], site, me, now), trouble=trouble)


def _ended(site: Site, member: str | None) -> list[Job]:
    return list(site.core.laboratory.store.jobs(JobFilter(member=member, is_final=True, limit=PAST_JOBS)))


def _views(shown: list[Job], site: Site, me: Member, now: float) -> list[JobView]:
    turns = {turn.job: turn for turn in site.core.books.turns.values()}
    outlook, labels = site.outlook(), gpu_labels(site)
    return [job_view(job, turns.get(job.id), outlook, labels, me, now) for job in shown]


@routes.get("/jobs/{job}")
async def show(job: JobNumber, me: Me, site: Here) -> JobDetail:
    """Everything about one job: request, turns, every recorded step."""
    found, now, labels = find_job(job, site), site.clock(), gpu_labels(site)
    store = site.core.laboratory.store
    launch = store.launch(job)
    current = site.core.books.turn_of(job)
    kept, of = site.forecasts.kept()
    past = [turn for turn in store.turns_of((job,)) if current is None or turn.id != current.id]
    return JobDetail(
        at=now,
        job=_views([found], site, me, now)[0],
        request=asdict(found.request),
        cwd=launch.cwd,
        argv=list(launch.argv),
        turns=[turn_view(turn, labels) for turn in [*past, *([current] if current else [])]],
        history=[
            StepView(
                at=step.at,
                subject=step.subject,
                id=step.id,
                before=step.before,
                after=step.after,
                reason=other_sentence(step.reason, now),
            )
            for step in store.transitions_of(job)
        ],
        reliability=ReliabilityView(kept=kept, of=of, shift=site.forecasts.shift_of(job)),
    )


@routes.get("/jobs/{job}/why")
async def why(job: JobNumber, me: Me, site: Here) -> WhyView:
    """Why a job is where it is, from the policy's own reasons."""
    found, now = find_job(job, site), site.clock()
    outlook, turn = site.outlook(), site.core.books.turn_of(job)
    forecast = forecast_view(found, outlook)
    sentences = [job_sentence(found, turn, outlook, now)]
    _, reason = outlook.places.get(job, (None, None))
    if turn is not None:
        history = site.core.laboratory.store.transitions_of(job)
        steps = [step for step in history if step.subject == "job" and step.after == JobState.RUNNING]
        reason = steps[-1].reason if steps else None
        sentences.append(other_sentence(reason, now) if reason else "")
    elif reason is not None:
        latest_at = None if forecast.begin else forecast.at_latest
        sentences += [remedy_sentence(reason, found), begin_sentence(latest_at, now), site.forecasts.shift_of(job)]
    sentences.insert(2, told(found, now))
    return WhyView(
        at=now,
        job=job,
        state=found.state.value,
        sentences=[sentence for sentence in dict.fromkeys(sentences) if sentence][:MOST_SENTENCES],
        forecast=forecast,
        reason=reason.to_dict() if reason else {},
    )


@routes.get("/jobs/{job}/log")
async def log(
    job: JobNumber,
    me: Me,
    site: Here,
    turn: Annotated[int | None, Query(ge=1, le=2**31)] = None,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
    tail: Annotated[int | None, Query(ge=0, le=100_000)] = None,
) -> LogView:
    """A piece of what a turn printed; the latest turn when none is named."""
    found = find_job(job, site)
    if found.member != me.name and not me.is_admin:
        raise NotAllowed(f"Job {job} is {found.member}'s, and you are {me.name}. Its output is not yours to read.")
    number = found.turns if turn is None else turn
    if number > found.turns:
        raise NoSuchThing(f"Job {job} has had {found.turns} turns, so there is no turn {number}.")
    path = site.core.laboratory.store.launch(job).output
    current = site.core.books.turn_of(job)
    is_past = current is None or current.number != number or current.state is TurnState.ENDED
    if number == 0:
        return LogView(
            job=job, turn=0, text="", next_offset=0, is_over=found.state.is_final, has_more_turns=False, path=path
        )
    text, next_offset, is_all = site.read_log(f"{job}.{number}", offset, tail)
    return LogView(
        job=job,
        turn=number,
        text=text,
        next_offset=next_offset,
        is_over=is_past and is_all,
        has_more_turns=number < found.turns,
        path=path,
    )


def find_job(job: int, site: Site) -> Job:
    """An open job, or one of the past. Raises NoSuchThing."""
    found = site.core.books.jobs.get(job)
    if found is None:
        past = site.core.laboratory.store.jobs(JobFilter(ids=(job,)))
        if not past:
            raise NoSuchThing(f"There is no job {job}. See: rota list --all")
        found = past[0]
    return found


# --- what people do to one job -------------------------------------------------------------------


@routes.post("/jobs/{job}/cancel")
async def cancel(job: JobNumber, by: Me, site: Here) -> Done:
    """Give a job up; a running one is stopped at once."""
    return await _do(Cancel(by, job), site)


@routes.post("/jobs/{job}/hold")
async def hold(job: JobNumber, by: Me, site: Here) -> Done:
    """Keep a job off the list; a running one saves first."""
    return await _do(Hold(by, job), site)


@routes.post("/jobs/{job}/release")
async def release(job: JobNumber, by: Me, site: Here, body: ReleaseBody = NO_WORDS) -> Done:
    """Put a held job back on the list."""
    return await _do(Release(by, job, body.waiting_since), site)


@routes.post("/jobs/{job}/give-back")
async def give_back(job: JobNumber, by: Me, site: Here) -> Done:
    """End the present turn early, saved."""
    return await _do(GiveBack(by, job), site)


@routes.post("/jobs/{job}/move")
async def move(job: JobNumber, body: MoveBody, by: Me, site: Here) -> Done:
    """Change which tiers a job accepts."""
    return await _do(Move(by, job, tuple(body.tiers)), site)


async def _do(command: JobCommand, site: Site) -> Done:
    answer = await site.service.ask(command)
    return Done(message="\n".join(answer.message))

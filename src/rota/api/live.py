"""/board and /events: everything that the page shows, once and on every change; /health; one-time links."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

import rota
from rota.api.depends import Here, Me
from rota.api.schemas import BoardView, HealthView, JobView, LinkView
from rota.api.site import Site
from rota.api.views import board_turn, gpu_labels, gpu_views, job_view
from rota.domain.jobs import Job, JobState
from rota.domain.members import Member
from rota.errors import NotNow

routes = APIRouter(tags=["board"])

MOST_OFTEN_S = 0.5  # between two updates of one page
HEARTBEAT_S = 15.0
SHOWN_WAITING = 500
SHOWN_RECENT = 30
SHOWN_TURNS = 600
SHOWN_QUANTA = 10  # of past on the board
SHOWN_PAST_S = (300.0, 12 * 3600.0)  # but between five minutes and twelve hours


@routes.get("/board")
async def board(me: Me, site: Here) -> BoardView:
    """The whole board as it is now."""
    return board_view(site, me)


def board_view(site: Site, me: Member) -> BoardView:
    """The whole board as it is now."""
    now, books, labels, outlook = site.clock(), site.core.books, gpu_labels(site), site.outlook()
    quantum_s = site.core.rules.quantum_s
    from_at = now - min(max(SHOWN_QUANTA * quantum_s, SHOWN_PAST_S[0]), SHOWN_PAST_S[1])
    past = [(turn, job) for turn, job in books.past if (turn.ended_at or 0) > from_at][-SHOWN_TURNS:]
    present = [(turn, books.jobs[turn.job]) for turn in books.turns.values()]
    places = outlook.places
    kept, of = site.forecasts.kept()
    waiting = [job for job in books.jobs.values() if job.state is JobState.WAITING]
    waiting.sort(key=lambda job: (places.get(job.id, (1 << 60, None))[0], job.id))

    def views(jobs: list[Job]) -> list[JobView]:
        return [job_view(job, None, outlook, labels, me, now) for job in jobs]

    return BoardView(
        at=now,
        trouble=list(site.core.trouble.values()),
        laboratory=site.name,
        member=me.name,
        quantum_s=quantum_s,
        from_at=from_at,
        gpus=gpu_views(site),
        turns=[board_turn(turn, job, outlook, me) for turn, job in [*past, *present]],
        waiting=views(waiting[:SHOWN_WAITING]),
        waiting_count=len(waiting),
        held_count=sum(job.state is JobState.HELD for job in books.jobs.values()),
        recent=views(list(books.recent)[:SHOWN_RECENT]),
        kept=kept,
        of=of,
    )


@routes.get("/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
async def events(me: Me, site: Here) -> StreamingResponse:
    """Server-sent events: `board` with the whole board, now and on every change."""
    return StreamingResponse(
        _stream(site, me),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(site: Site, me: Member) -> AsyncIterator[str]:
    seen = -1
    while not site.is_closing:
        if site.core.books.version != seen:
            seen = site.core.books.version
            yield f"event: board\ndata: {board_view(site, me).model_dump_json()}\n\n"
            await asyncio.sleep(MOST_OFTEN_S)
            continue
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                await site.service.changed()
        except TimeoutError:
            yield "event: heartbeat\ndata: {}\n\n"


@routes.get("/health")
async def health(me: Me, site: Here) -> HealthView:
    """Whether the daemon is well, and who you are to it."""
    core = site.core
    return HealthView(
        version=rota.__version__,
        host=socket.gethostname(),
        pid=os.getpid(),
        role=site.role,
        member=me.name,
        is_admin=me.is_admin,
        is_simulated=core.laboratory.fleet.is_simulated,
        state_dir=site.state_dir,
        turns_dir=site.turns_dir,
        store=site.store_name,
        web=site.web_url,
        jobs_waiting=sum(job.state is JobState.WAITING for job in core.books.jobs.values()),
        turns_running=len(core.books.turns),
        gpus=len(core.laboratory.fleet.gpus),
        trouble=list(core.trouble.values()),
    )


@routes.post("/links")
async def link(me: Me, site: Here) -> LinkView:
    """A link that lets one browser in as you, once, within ten minutes."""
    if site.web_url is None:
        raise NotNow("This Rota serves no page. Start it without --no-web, or set [web] enabled = true in rota.toml.")
    token, until = site.identity.make_link(me)
    return LinkView(url=f"{site.web_url}/enter?token={token}", expires_at=until)

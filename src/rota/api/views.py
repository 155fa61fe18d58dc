"""Values of the domain as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping

from rota.api.schemas import BoardTurn, ForecastView, GpuView, JobView, RangeView, TurnView
from rota.api.site import Outlook, Site
from rota.api.waiting import waiting_sentence
from rota.api.wording import clock, ending_sentence
from rota.domain.gpus import Gpu
from rota.domain.jobs import AfterTurn, Job, JobState
from rota.domain.members import Member
from rota.domain.reasons import PlaceKept
from rota.domain.turns import Turn, TurnState


def gpu_labels(site: Site) -> dict[str, str]:
    """What people call each GPU, by UUID."""
    return {gpu.uuid: gpu.label for gpu in site.core.laboratory.fleet.gpus}


def turn_view(turn: Turn, labels: Mapping[str, str]) -> TurnView:
    """One turn."""
    return TurnView(
        id=turn.id,
        job=turn.job,
        number=turn.number,
        state=turn.state.value,
        node=turn.node,
        tier=turn.tier,
        gpus=[labels.get(gpu, gpu) for gpu in turn.gpus],
        granted_at=turn.granted_at,
        began_at=turn.began_at,
        guaranteed_until=turn.guaranteed_until,
        notice_at=turn.notice_at,
        saved_at=turn.saved_at,
        ended_at=turn.ended_at,
        outcome=turn.outcome.value if turn.outcome else None,
        exit_code=turn.exit_code,
        gpu_s=round(turn.gpu_s, 3),
        lost_s=round(turn.lost_s, 3),
    )


def job_view(
    job: Job, turn: Turn | None, outlook: Outlook, labels: Mapping[str, str], me: Member, now: float
) -> JobView:
    """One job; `turn` is its present one."""
    place, _ = outlook.places.get(job.id, (None, None)) if job.state is JobState.WAITING else (None, None)
    return JobView(
        job=job.id,
        name=job.name,
        member=job.member,
        project=job.project,
        state=job.state.value,
        reason=job_sentence(job, turn, outlook, now),
        place=place,
        turns=job.turns,
        gpus=job.request.gpus,
        tier=turn.tier if turn else ",".join(job.request.tiers) or "any",
        turn=turn_view(turn, labels) if turn else None,
        forecast=forecast_view(job, outlook),
        submitted_at=job.submitted_at,
        waiting_since=job.waiting_since if job.state is JobState.WAITING else None,
        ended_at=job.ended_at,
        exit_code=job.exit_code,
        attained_gpu_s=round(job.attained_gpu_s, 3),
        progress=list(job.progress) if job.progress else None,
        array=job.array,
        command=job.command,
        origin=job.origin,
        told=told(job, now),
        is_mine=job.member == me.name,
    )


def forecast_view(job: Job, outlook: Outlook) -> ForecastView:
    """What is expected of a job."""
    told = None if job.state.is_final else outlook.forecast_of(job.id)
    return ForecastView(
        turn=told.turn if told else None,
        begin=RangeView.of(told.begin) if told else None,
        finish=RangeView.of(told.finish) if told else None,
        made_at=told.made_at if told else None,
        tier=told.tier if told else None,
        at_latest=outlook.latest_begins.get(job.id) if job.state is JobState.WAITING else None,
    )


def job_sentence(job: Job, turn: Turn | None, outlook: Outlook, now: float) -> str:
    """Where a job stands, in one sentence."""
    match job.state:
        case JobState.WAITING:
            _, reason = outlook.places.get(job.id, (None, None))
            return waiting_sentence(reason, now) if reason else "It has just come onto the list."
        case JobState.RUNNING if turn is not None:
            return _running_sentence(job, turn, now)
        case JobState.HELD:
            return f"Held. To put it back on the list: rota release {job.id}"
    return ending_sentence(job.last_end, now) if job.last_end else f"{job.state.value.capitalize()}."


def _running_sentence(job: Job, turn: Turn, now: float) -> str:
    where = f"Turn {turn.number} on {turn.node}"
    if turn.state is TurnState.ENDING:
        doing = "is being stopped" if job.after_turn is AfterTurn.CANCEL else "is saving its work and then ends"
        return f"{where} {doing}."
    if turn.state is TurnState.GRANTED:
        return f"{where} is about to begin."
    if turn.limit_at is not None:
        return f"{where}, at most until {clock(turn.limit_at, now)}."
    if now < turn.guaranteed_until:
        return f"{where}, guaranteed until {clock(turn.guaranteed_until, now)}."
    return f"{where}, goes on while nobody entitled waits."


def told(job: Job, now: float) -> str:
    """What its member should know about the last turn: work that was lost, or why it failed."""
    end = job.last_end
    if end is None or (end.outcome != "failed" and end.lost_s < 1 and not end.detail):
        return ""
    return ending_sentence(end, now)


def gpu_views(site: Site) -> list[GpuView]:
    """Every GPU with what it does now."""
    books, plan = site.core.books, site.core.plan
    holders = {gpu: turn for turn in books.turns.values() for gpu in turn.gpus}
    keeping = {
        turn: wait.job for wait in plan.waits if isinstance(wait.reason, PlaceKept) for turn in wait.reason.turns
    }
    return [_gpu_view(gpu, holders.get(gpu.uuid), keeping, site) for gpu in site.core.laboratory.fleet.gpus]


def _gpu_view(gpu: Gpu, turn: Turn | None, keeping: Mapping[str, int], site: Site) -> GpuView:
    books = site.core.books
    mark = books.marks.get(gpu.uuid)
    job = books.jobs.get(turn.job) if turn else None
    return GpuView(
        uuid=gpu.uuid,
        label=gpu.label,
        node=gpu.node,
        index=gpu.index,
        tier=gpu.tier,
        model=gpu.model,
        memory_bytes=gpu.memory_bytes,
        slice_of=gpu.slice_of,
        condition=mark.condition.value if mark else "healthy",
        why=mark.why if mark else "",
        turn=turn.id if turn else None,
        job=job.id if job else None,
        job_name=job.name if job else None,
        member=job.member if job else None,
        project=job.project if job else None,
        kept_for=keeping.get(turn.id) if turn else None,
    )


def board_turn(turn: Turn, job: Job, outlook: Outlook, me: Member) -> BoardTurn:
    """A bar on the board."""
    return BoardTurn(
        id=turn.id,
        job=job.id,
        name=job.name,
        member=job.member,
        project=job.project,
        gpus=list(turn.gpus),
        began_at=turn.began_at or turn.granted_at,
        guaranteed_until=turn.guaranteed_until,
        ended_at=turn.ended_at,
        state=turn.state.value,
        outcome=turn.outcome.value if turn.outcome else None,
        is_mine=job.member == me.name,
        forecast=None if turn.ended_at else forecast_view(job, outlook),
    )

"""A plan becomes records first and engine calls second, so that a crash between the two loses nothing."""

from __future__ import annotations

from rota.daemon.books import Books, Draft
from rota.daemon.laboratory import Laboratory
from rota.domain.gpus import Condition, Gpu
from rota.domain.jobs import AfterTurn, Job, JobState, move_job
from rota.domain.reasons import Asked, Reason
from rota.domain.turns import Turn, TurnState, move_turn, turn_id
from rota.engines.contract import EndOrder, Patience, StartOrder
from rota.policy.values import Begin, Plan


def write_plan(plan: Plan, draft: Draft, at: float) -> None:
    """Write the plan's begins and ends into the draft."""
    for end in plan.ends:
        turn = draft.turn(end.turn)
        if turn is not None and turn.state in (TurnState.GRANTED, TurnState.RUNNING):
            draft.put_turn(*move_turn(turn, TurnState.ENDING, at, end.reason))
    for begin in plan.begins:
        _write_begin(begin, draft, at)


def _write_begin(begin: Begin, draft: Draft, at: float) -> None:
    job = draft.job(begin.job)
    if job is None or job.state is not JobState.WAITING:
        return
    number = job.turns + 1
    running, job_step = move_job(job, JobState.RUNNING, at, begin.reason, turns=number)
    turn = Turn(
        id=turn_id(job.id, number),
        job=job.id,
        number=number,
        gpus=begin.gpus,
        node=begin.node,
        tier=begin.tier,
        granted_at=at,
        guaranteed_until=begin.guaranteed_until,
        limit_at=begin.limit_at,
    )
    draft.put_job(running, job_step)
    draft.put_turn(turn)


def write_wishes(draft: Draft, at: float) -> None:
    """Turns whose member asked for their end (cancel, hold, give-back) begin to end."""
    for turn in list(draft.open_turns()):
        job = draft.job(turn.job)
        if job is not None and job.after_turn is not None and turn.state in (TurnState.GRANTED, TurnState.RUNNING):
            asked: Reason = Asked(job.member, job.after_turn.value)
            draft.put_turn(*move_turn(turn, TurnState.ENDING, at, asked))


def start_order(turn: Turn, job: Job, laboratory: Laboratory) -> StartOrder:
    """What the engine needs to begin this turn. Raises NoSuchThing, StoreUnavailable."""
    return StartOrder(
        turn=turn.id,
        job=job.id,
        number=turn.number,
        job_name=job.name,
        project=job.project,
        launch=laboratory.store.launch(job.id),
        gpus=_gpus_of(turn, laboratory),
        guaranteed_until=turn.guaranteed_until,
        checkpoint=job.request.checkpoint,
        notice_signal=job.request.notice_signal,
        progress=job.progress,
        cpus=job.request.cpus,
        memory_bytes=job.request.memory_bytes,
    )


def end_order(turn: Turn, job: Job, books: Books, laboratory: Laboratory, why: str) -> EndOrder:
    """How to end this turn: politely where the job can save, at once where nothing would be gained by waiting."""
    is_failed = any(books.conditions().get(gpu) is Condition.FAILED for gpu in turn.gpus)
    wants_notice = job.request.is_resumable or job.request.notice_signal is not None
    if job.after_turn is AfterTurn.CANCEL or is_failed or not wants_notice:
        return EndOrder(turn.id, Patience.AT_ONCE, why=why)
    grace_s = laboratory.grace.for_interval(job.saving_interval_s)
    return EndOrder(turn.id, Patience.POLITE, grace_s, why)


def _gpus_of(turn: Turn, laboratory: Laboratory) -> tuple[Gpu, ...]:
    known = {gpu.uuid: gpu for gpu in laboratory.fleet.gpus}
    return tuple(known[uuid] for uuid in turn.gpus if uuid in known)

"""What engines report, written into the draft. Reports may come twice or late: those change nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rota.daemon.books import Books, Draft
from rota.daemon.outcomes import judge
from rota.domain.jobs import Job, JobState, move_job
from rota.domain.reasons import EngineSays, PredecessorFailed
from rota.domain.turns import Turn, TurnState, move_turn
from rota.engines.contract import Began, Ended, EngineEvent, Noticed, Progressed, Saved


@dataclass(frozen=True, slots=True)
class Told:
    """A progress report, with its turn and job as they were at that moment."""

    event: Progressed
    turn: Turn
    job: Job


def write_events(events: Iterable[EngineEvent], books: Books, draft: Draft) -> list[Told]:
    """Write each report into the draft, or only note it in the books when it costs nothing to lose.

    Gives the progress that was told, for those who learn from it.
    """
    told: list[Told] = []
    for event in events:
        turn = draft.turn(event.turn)
        if turn is None or turn.state is TurnState.ENDED:
            continue
        match event:
            case Began() if turn.state is TurnState.GRANTED:
                began = EngineSays("the command is running")
                draft.put_turn(*move_turn(turn, TurnState.RUNNING, event.at, began, began_at=event.at))
            case Noticed() if turn.notice_at is None:
                draft.put_turn(replace(turn, notice_at=event.at))
            case Ended():
                _write_end(event, draft)
            case Saved() | Progressed():
                _note(event, books, draft)
                job = draft.job(turn.job)
                if isinstance(event, Progressed) and job is not None:
                    told.append(Told(event, turn, job))
    return told


def _write_end(event: Ended, draft: Draft) -> None:
    turn = draft.turn(event.turn)
    job = draft.job(turn.job) if turn else None
    if turn is None or job is None or job.state is not JobState.RUNNING:
        return
    verdict = judge(event, turn, job)
    draft.put_turn(verdict.turn, verdict.transitions[0])
    draft.put_job(verdict.job, verdict.transitions[1])


def _note(event: Saved | Progressed, books: Books, draft: Draft) -> None:
    """Saves and progress come often: they are written with the turn's next step, not each for itself."""
    turn = draft.turn(event.turn)
    job = draft.job(turn.job) if turn else None
    if turn is None or job is None:
        return
    if isinstance(event, Progressed):
        job = replace(job, progress=event.progress)
    else:
        turn = replace(turn, saved_at=event.at)
        job = replace(job, saving_interval_s=event.interval_s or job.saving_interval_s)
    if draft.has_changes_of(turn.id, job.id):
        draft.put_turn(turn)
        draft.put_job(job)
    else:
        books.note(job=job, turn=turn)


def fail_followers(draft: Draft, at: float) -> None:
    """Waiting jobs whose predecessor did not finish will never start: they fail now, with the reason.

    Repeated until nothing changes, since followers have followers.
    """
    changed = True
    while changed:
        changed = False
        for job in [job for job in draft.open_jobs() if job.state is JobState.WAITING and job.request.after]:
            for wanted in job.request.after:
                end = draft.end_of(wanted.job)
                if end is None or end is JobState.FINISHED or wanted.any_end:
                    continue
                why = PredecessorFailed(wanted.job, end.value)
                draft.put_job(*move_job(job, JobState.FAILED, at, why))
                changed = True
                break

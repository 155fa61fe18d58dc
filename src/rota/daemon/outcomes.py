"""What the end of a turn means for its job: design.md, Turns 4 and 5, as one pure function."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rota.domain.jobs import AfterTurn, Job, JobState, Transition, move_job
from rota.domain.reasons import TimeIsOver, TurnEnded
from rota.domain.turns import Outcome, Turn, TurnState, move_turn
from rota.engines.contract import EXIT_AGAIN, Ended

#: Turns in a row that may be lost (node or keeper died) before the job itself is suspected of killing them.
MOST_LOST_TURNS = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """The turn and the job after the end, and the records of both steps."""

    turn: Turn
    job: Job
    transitions: tuple[Transition, ...]


def outcome_of(ended: Ended, turn: Turn, job: Job) -> Outcome:
    """How a turn ended, from what the engine saw."""
    own_exit = None if ended.was_terminated else ended.exit_code
    was_asked_to_stop = ended.was_terminated or ended.notice_at is not None
    if ended.said_done and (ended.exit_code == 0 or ended.was_terminated):
        return Outcome.FINISHED
    if own_exit == 0 and (ended.notice_at is None or not job.request.is_resumable):
        return Outcome.FINISHED
    if job.after_turn is AfterTurn.CANCEL:
        return Outcome.CANCELLED
    if ended.is_lost:
        return Outcome.LOST
    if own_exit == EXIT_AGAIN:
        return Outcome.SAVED if ended.saved_after_notice else Outcome.AGAIN
    if ended.was_terminated and turn.limit_at is not None and ended.at >= turn.limit_at:
        return Outcome.TIME_OVER
    if ended.was_terminated or (own_exit == 0 and was_asked_to_stop):
        return Outcome.SAVED if ended.saved_after_notice else Outcome.UNSAVED
    return Outcome.FAILED


def judge(ended: Ended, turn: Turn, job: Job) -> Verdict:
    """The next states of turn and job."""
    outcome = outcome_of(ended, turn, job)
    lost_s = _lost_s(ended, outcome)
    reason = TurnEnded(outcome.value, ended.exit_code, ended.saved_at or turn.saved_at, lost_s, ended.error)
    gpu_s = ended.clock_s * len(turn.gpus)
    turn_after, turn_step = move_turn(
        turn, TurnState.ENDED, ended.at, reason,
        began_at=ended.began_at or turn.began_at, notice_at=ended.notice_at or turn.notice_at,
        saved_at=ended.saved_at or turn.saved_at, ended_at=ended.at, outcome=outcome,
        exit_code=ended.exit_code, gpu_s=gpu_s, lost_s=lost_s,
    )  # fmt: skip
    served = replace(
        job,
        attained_gpu_s=job.attained_gpu_s + gpu_s,
        lost_turns=job.lost_turns + 1 if outcome is Outcome.LOST else 0,
        failures=job.failures + (outcome is Outcome.FAILED),
        last_end=reason,
    )
    state = _next_state(served, outcome)
    changes = {"exit_code": ended.exit_code} if state.is_final else {}
    why = TimeIsOver(turn.limit_at - turn.granted_at) if outcome is Outcome.TIME_OVER and turn.limit_at else reason
    job_after, job_step = move_job(served, state, ended.at, why, after_turn=None, **changes)
    return Verdict(turn_after, job_after, (turn_step, job_step))


def _next_state(job: Job, outcome: Outcome) -> JobState:
    match outcome:
        case Outcome.FINISHED:
            return JobState.FINISHED
        case Outcome.CANCELLED:
            return JobState.CANCELLED
        case Outcome.TIME_OVER:
            return JobState.FAILED
        case Outcome.FAILED if job.failures > job.request.retries:
            return JobState.FAILED
        case Outcome.LOST if job.lost_turns > MOST_LOST_TURNS:
            return JobState.FAILED
    return JobState.HELD if job.after_turn is AfterTurn.HOLD else JobState.WAITING


def _lost_s(ended: Ended, outcome: Outcome) -> float:
    """Seconds of work that no checkpoint holds: from the last save, or the begin, to the end."""
    if outcome not in (Outcome.UNSAVED, Outcome.LOST, Outcome.FAILED, Outcome.TIME_OVER):
        return 0.0
    if ended.began_at is None:
        return 0.0
    since_save = ended.at - max(ended.saved_at or 0.0, ended.began_at)
    return min(max(since_save, 0.0), ended.clock_s)

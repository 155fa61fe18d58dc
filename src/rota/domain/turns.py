"""A turn: one uninterrupted run of a job on given GPUs, and the states it goes through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from rota.domain.jobs import Transition
from rota.domain.reasons import Reason
from rota.errors import TransitionNotAllowed


class TurnState(StrEnum):
    """Where a turn is between grant and end."""

    GRANTED = "granted"  # written down; the engine may or may not know of it
    RUNNING = "running"
    ENDING = "ending"  # the engine was told to end it: notice, grace, TERM, KILL
    ENDED = "ended"  # no process of it is left


class Outcome(StrEnum):
    """How a turn ended, and so what comes next for its job."""

    FINISHED = "finished"  # the job is done
    SAVED = "saved"  # ended by Rota after a verified checkpoint: waiting again, nothing lost
    UNSAVED = "unsaved"  # ended by Rota without one: waiting again, work since the last save is lost
    AGAIN = "again"  # exit 85: the job itself asks for another turn
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"  # node or keeper died: waiting again, since nobody asked for it
    TIME_OVER = "time over"  # a job without a checkpoint used all the time it was told


#: The whole state machine of a turn.
ALLOWED: dict[TurnState, frozenset[TurnState]] = {
    TurnState.GRANTED: frozenset({TurnState.RUNNING, TurnState.ENDING, TurnState.ENDED}),
    TurnState.RUNNING: frozenset({TurnState.ENDING, TurnState.ENDED}),
    TurnState.ENDING: frozenset({TurnState.ENDED}),
    TurnState.ENDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn. All times are epoch seconds."""

    id: str  #: "12.3": the third turn of job 12; unique for ever
    job: int
    number: int  #: 1, 2, ...; ROTA_TURN
    gpus: tuple[str, ...]  #: UUIDs
    node: str
    tier: str
    granted_at: float
    guaranteed_until: float  #: the quantum's end; ROTA_TURN_ENDS
    limit_at: float | None = None  #: for a job without a checkpoint: when its time is over
    state: TurnState = TurnState.GRANTED
    began_at: float | None = None  #: by the keeper's clock
    notice_at: float | None = None
    saved_at: float | None = None  #: last renewal of the checkpoint that was seen complete
    ended_at: float | None = None
    outcome: Outcome | None = None
    exit_code: int | None = None
    gpu_s: float = 0.0  #: GPU-seconds from begin to end, by the keeper's own monotonic clock
    lost_s: float = 0.0  #: seconds of work that no checkpoint holds


def turn_id(job: int, number: int) -> str:
    """The id of a job's n-th turn: engines start a turn once per id, whatever crashes in between."""
    return f"{job}.{number}"


def move_turn(turn: Turn, after: TurnState, at: float, reason: Reason, **changes: object) -> tuple[Turn, Transition]:
    """The turn in its next state, and the record of the step.

    Raises TransitionNotAllowed for a step that the state machine does not have.
    """
    if after not in ALLOWED[turn.state]:
        raise TransitionNotAllowed(f"Turn {turn.id} cannot go from {turn.state} to {after}.")
    moved = replace(turn, state=after, **changes)  # type: ignore[arg-type]  # replace() checks the names at run time
    return moved, Transition("turn", turn.id, turn.state, after, at, reason)

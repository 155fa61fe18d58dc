"""A job: what a member asks to run, and the states it goes through."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from rota.domain.reasons import Reason, TurnEnded
from rota.errors import TransitionNotAllowed


class JobState(StrEnum):
    """Where a job is between submit and its end."""

    WAITING = "waiting"
    RUNNING = "running"  # in a turn, from the grant to the end of the last process
    HELD = "held"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in FINAL


FINAL = frozenset({JobState.FINISHED, JobState.FAILED, JobState.CANCELLED})

#: The whole state machine of a job. What is not here raises TransitionNotAllowed.
ALLOWED: dict[JobState, frozenset[JobState]] = {
    JobState.WAITING: frozenset({JobState.RUNNING, JobState.HELD, JobState.CANCELLED, JobState.FAILED}),
    JobState.RUNNING: frozenset(
        {JobState.WAITING, JobState.HELD, JobState.FINISHED, JobState.FAILED, JobState.CANCELLED}
    ),
    JobState.HELD: frozenset({JobState.WAITING, JobState.CANCELLED}),
    JobState.FINISHED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}


class AfterTurn(StrEnum):
    """What a person asked to happen when the present turn ends."""

    WAIT = "wait"  # give-back: on the list again
    HOLD = "hold"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Dependency:
    """`--after JOB`: start when that job has finished (or, with `any`, has ended in whatever way)."""

    job: int
    any_end: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What a job needs and how it can be stopped."""

    gpus: int = 1
    gpu_memory_bytes: int = 0  #: on each GPU; 0: any
    cpus: int = 0  #: 0: not asked
    memory_bytes: int = 0  #: host memory; 0: not asked
    tiers: tuple[str, ...] = ()  #: accepted, the preferred first; empty: any
    checkpoint: str | None = None  #: absolute path, folder or glob; says that the job can be resumed
    time_s: float | None = None  #: stated by the member: a limit without a checkpoint, an estimate with one
    notice_signal: str | None = None  #: `--signal`, such as "TERM"; None: USR1, else USR2, to those who catch it
    retries: int = 0
    after: tuple[Dependency, ...] = ()

    @property
    def is_resumable(self) -> bool:
        """Only a job that can be resumed is ever taken off before its time."""
        return self.checkpoint is not None


@dataclass(frozen=True, slots=True)
class Launch:
    """How its member started it: what an engine needs beyond the request. Kept apart, it can be large."""

    argv: tuple[str, ...]
    cwd: str
    environment: dict[str, str] = field(default_factory=dict)
    umask: int = 0o022
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    output: str | None = None  #: absolute path for stdout and stderr instead of the turn's log


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `id` is what a member types."""

    id: int
    name: str
    member: str
    project: str
    request: Request
    submitted_at: float
    state: JobState = JobState.WAITING
    waiting_since: float = 0.0  #: when it last came onto the waiting list
    turns: int = 0  #: turns granted so far
    attained_gpu_s: float = 0.0  #: GPU-seconds of its ended turns
    failures: int = 0  #: ends that used up one of its retries
    lost_turns: int = 0  #: turns in a row that were lost with their node or keeper
    after_turn: AfterTurn | None = None
    array: str = ""  #: "12_3": the third task of the array that job 12 began
    saving_interval_s: float | None = None  #: how often it renews its checkpoint, as seen so far
    progress: tuple[int, int] | None = None  #: (step, total), from rota_turn.progress or its output
    ended_at: float | None = None
    exit_code: int | None = None
    last_end: TurnEnded | None = None  #: how its last turn ended, with what was lost
    command: str = ""  #: the command line for showing, shortened
    origin: str = ""  #: where it waited before, such as "Slurm job 4711"; "" for a job that began here


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of a state machine, as it is recorded."""

    subject: str  #: "job" or "turn"
    id: str  #: the job's number or the turn's id
    before: str
    after: str
    at: float
    reason: Reason


def move_job(job: Job, after: JobState, at: float, reason: Reason, **changes: object) -> tuple[Job, Transition]:
    """The job in its next state, and the record of the step.

    Raises TransitionNotAllowed for a step that the state machine does not have.
    """
    if after not in ALLOWED[job.state]:
        raise TransitionNotAllowed(f"Job {job.id} cannot go from {job.state} to {after}.")
    if after is JobState.WAITING:
        changes.setdefault("waiting_since", at)
    if after.is_final:
        changes.setdefault("ended_at", at)
    moved = replace(job, state=after, **changes)  # type: ignore[arg-type]  # replace() checks the names at run time
    return moved, Transition("job", str(job.id), job.state, after, at, reason)

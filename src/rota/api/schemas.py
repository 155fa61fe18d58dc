"""What goes over the wire, version 1. Times are epoch seconds, memory is bytes, durations are seconds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from rota.domain.forecasts import Range

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Path = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00]*$")]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
JobNumber = Annotated[int, Field(ge=1, le=2**53)]
Bytes = Annotated[int, Field(ge=0, le=2**60)]
Moment = Annotated[float, Field(ge=0, le=1e11)]  # epoch seconds
#: What a job accepts, the preferred tier first; "any" is left out, for an empty list means just that.
Tiers = Annotated[list[Name], AfterValidator(lambda tiers: [tier for tier in tiers if tier != "any"])]


class Body(BaseModel):
    """What a caller sends: an unknown field is a mistake, not a wish to be passed over."""

    model_config = ConfigDict(extra="forbid")


class DependencyBody(Body):
    """`--after JOB`."""

    job: JobNumber
    any_end: bool = False


class SubmitBody(Body):
    """`rota run`, `rota batch` and the form of the web page. One job, or one per entry of `tasks`."""

    argv: Annotated[list[Text], Field(min_length=1)]
    cwd: Text = ""
    environment: dict[Text, Text] = {}
    umask: Annotated[int, Field(ge=0, le=0o777)] = 0o022
    name: Name | None = None
    project: Name | None = None
    gpus: Annotated[int, Field(ge=1, le=100_000)] = 1
    gpu_memory_bytes: Bytes = 0
    cpus: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    memory_bytes: Bytes = 0
    tiers: Tiers = []
    checkpoint: Path | None = None
    time_s: Annotated[float, Field(ge=1, le=3.2e8)] | None = None
    notice_signal: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9+]{1,12}$")] | None = None
    retries: Annotated[int, Field(ge=0, le=1000)] = 0
    after: list[DependencyBody] = []
    output: Path | None = None
    tasks: Annotated[list[dict[Text, Text]], Field(max_length=10_000)] = []  #: extra environment of each array task
    member: Name | None = None  #: for whom, when an administrator submits for somebody
    held: bool = False  #: kept off the list until it is released
    waiting_since: Moment | None = None  #: on another list before this one; administrators only
    origin: Name | None = None  #: where it waited before, such as "Slurm job 4711"; of one there is one open submit
    dry_run: bool = False


class Submitted(BaseModel):
    """The answer to a submit. `job` is the first number; a dry run has none."""

    job: int | None
    jobs: list[int]
    message: list[str]  #: what its member should know: one turn of at most 4 h, because ...


class TurnView(BaseModel):
    """One turn, past or present."""

    id: str
    job: int
    number: int
    state: Literal["granted", "running", "ending", "ended"]
    node: str
    tier: str
    gpus: list[str]  #: labels, "node:index"
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


class RangeView(BaseModel):
    """A moment: one time in ten it is before `early`, every second time before `likely`, nine in ten before `late`."""

    early: float
    likely: float
    late: float

    @staticmethod
    def of(told: Range | None) -> RangeView | None:
        return None if told is None else RangeView(early=told.early, likely=told.likely, late=told.late)


class ForecastView(BaseModel):
    """When a job's next turn begins and when it is done. Each is None while nothing honest can be said."""

    turn: int | None  #: its number, 1 for the first: the next one; of a running job, the one after the present
    begin: RangeView | None  #: of that turn; also None where none is needed
    finish: RangeView | None
    made_at: float | None
    tier: str | None  #: on which that turn most likely is
    at_latest: float | None  #: the plain bound: if every turn uses its whole quantum and nobody joins the list


class JobView(BaseModel):
    """One job as the list shows it."""

    job: int
    name: str
    member: str
    project: str
    state: Literal["waiting", "running", "held", "finished", "failed", "cancelled"]
    reason: str  #: one sentence: why it waits, where it runs, how it ended
    place: int | None  #: on the waiting list, 1 is next
    turns: int
    gpus: int
    tier: str  #: of the present turn, else what it accepts: "h100,a100" or "any"
    turn: TurnView | None  #: the present one
    forecast: ForecastView
    submitted_at: float
    waiting_since: float | None
    ended_at: float | None
    exit_code: int | None
    attained_gpu_s: float
    progress: list[int] | None  #: [step, total]
    array: str
    command: str
    origin: str  #: where it waited before it was taken over; "" when it began here
    told: str  #: what its member should know, such as work that was lost
    is_mine: bool


class ElsewhereView(BaseModel):
    """A tier that a job did not ask for, and on which it could begin now."""

    tier: str
    memory_bytes: int
    times_as_fast: float  #: against the tier on which it is expected otherwise
    finish_at: float | None  #: likely


class AheadView(BaseModel):
    """What is ahead of a job that was just submitted."""

    at: float
    job: JobView
    place: int | None  #: among those who wait for the same tiers; None for one that follows other jobs
    gpu_memory_bytes: int  #: that it asked for
    elsewhere: ElsewhereView | None


class JobsView(BaseModel):
    """`rota list`: turns first, then the waiting list in its order, then held, then the ended ones."""

    at: float
    jobs: list[JobView]
    trouble: list[str]  #: what is wrong with Rota now, one sentence each


class StepView(BaseModel):
    """One recorded step of a job or turn."""

    at: float
    subject: str
    id: str
    before: str
    after: str
    reason: str


class ReliabilityView(BaseModel):
    """How good forecasts were lately, and what has changed this one."""

    kept: int  #: of those whose turns began in the last 30 days, how many began within what was told
    of: int
    shift: str  #: one sentence; "" when it has not shifted


class JobDetail(BaseModel):
    """`rota show`."""

    at: float
    job: JobView
    request: dict[str, object]
    cwd: str
    argv: list[str]
    turns: list[TurnView]
    history: list[StepView]
    reliability: ReliabilityView


class WhyView(BaseModel):
    """`rota why`."""

    at: float
    job: int
    state: str
    sentences: list[str]
    forecast: ForecastView
    reason: dict[str, object]  #: the policy's own value


class LogView(BaseModel):
    """A piece of a turn's output. Bytes that are no UTF-8 are replaced."""

    job: int
    turn: int  #: its number; 0: no turn yet
    text: str
    next_offset: int  #: where to go on reading this turn's log
    is_over: bool  #: the turn has ended and everything was read
    has_more_turns: bool  #: a later turn has a log too
    path: str | None  #: the member's own file, when the job writes there instead


class GpuView(BaseModel):
    """One GPU or slice and what it does now."""

    uuid: str
    label: str
    node: str
    index: int
    tier: str
    model: str
    memory_bytes: int
    slice_of: str | None
    condition: Literal["healthy", "drained", "failed", "taken"]
    why: str
    turn: str | None
    job: int | None
    job_name: str | None
    member: str | None
    project: str | None
    kept_for: int | None  #: job that it is being freed or held for


class FleetView(BaseModel):
    """`rota fleet`."""

    at: float
    is_simulated: bool
    tiers: list[str]
    gpus: list[GpuView]


class BoardTurn(BaseModel):
    """A bar on the board: one turn on one row of GPUs."""

    id: str
    job: int
    name: str
    member: str
    project: str
    gpus: list[str]  #: UUIDs
    began_at: float
    guaranteed_until: float
    ended_at: float | None
    state: str
    outcome: str | None
    is_mine: bool
    forecast: ForecastView | None  #: of the job, while the turn lasts


class BoardView(BaseModel):
    """Everything the board needs, for first paint and for each live update."""

    at: float
    trouble: list[str]  #: what is wrong with Rota now, one sentence each
    laboratory: str
    member: str
    quantum_s: float
    from_at: float  #: where the shown past begins
    gpus: list[GpuView]
    turns: list[BoardTurn]
    waiting: list[JobView]  #: in the order of the waiting list; the first 500
    waiting_count: int
    held_count: int
    recent: list[JobView]  #: the latest ended ones
    kept: int  #: of the forecasts whose turns began in the last 30 days, how many held
    of: int


class Done(BaseModel):
    """The answer to cancel, hold, release, give-back, move, drain and resume."""

    message: str


class ReleaseBody(Body):
    """`rota release`."""

    waiting_since: Moment | None = None  #: on another list, while it was held here; administrators only


class MoveBody(Body):
    """`rota move JOB --tier T`."""

    tiers: Tiers


class DrainBody(Body):
    """`rota fleet drain GPU`."""

    why: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")] = ""


class LinkView(BaseModel):
    """A one-time link to the page."""

    url: str
    expires_at: float


class ProjectBody(Body):
    """`rota project add`."""

    name: Name
    kind: Literal["funded", "personal", "class", "industry"] = "personal"
    weight: Annotated[float, Field(gt=0, le=1000)] = 1.0
    members: list[Name] = []


class ProjectView(BaseModel):
    """One project and what it has received lately."""

    name: str
    kind: str
    weight: float
    members: list[str]
    usage_gpu_s: float  #: decayed by half-life, weighted by tier


class ProjectsView(BaseModel):
    """`rota project list`."""

    projects: list[ProjectView]


class HealthView(BaseModel):
    """Is the daemon well: for `rota doctor`, for monitors, and for clients that wait for it to come up."""

    version: str
    host: str
    pid: int
    role: Literal["leader", "alone"]  #: alone: no other could take over. A standby answers 503 with code `standby`
    member: str  #: who the caller is
    is_admin: bool
    is_simulated: bool
    state_dir: str
    turns_dir: str  #: with a folder for each turn; on a cluster, one that all nodes have
    store: str
    web: str | None  #: address of the page
    jobs_waiting: int
    turns_running: int
    gpus: int
    trouble: list[str]  #: what is wrong now, one sentence each


class ErrorView(BaseModel):
    """Every error of the API."""

    error: str  #: code
    message: str  #: one to three lines for a person

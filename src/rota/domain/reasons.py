"""Why a job or turn is in the state it is in: values with the numbers used; the sentence is made at the edge."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason; its subclasses carry the numbers that the decision used."""

    kinds: ClassVar[dict[str, type[Reason]]] = {}

    def __init_subclass__(cls) -> None:
        # slots=True makes the class a second time; the later one, which is the one in use, wins.
        Reason.kinds[cls.__name__] = cls

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON: the kind and its numbers."""
        return {"kind": type(self).__name__, **asdict(self)}

    @staticmethod
    def from_dict(written: dict[str, Any]) -> Reason:
        """The reason that `to_dict` wrote."""
        kind = Reason.kinds[written["kind"]]
        values = {field.name: written[field.name] for field in fields(kind) if field.name in written}
        return kind(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})


class Because(StrEnum):
    """Why one job comes before another, and what the two numbers beside it are."""

    NOTHING_RUNNING = "nothing running"  # its member has nothing running; seconds waited
    SEVERAL_NODES = "several nodes"  # it fits on no node and has waited beyond patience; seconds waited, the patience
    PROJECT = "project"  # its project has received less; GPU-seconds for each unit of its share
    MEMBER = "member"  # in the project, its member has received less; GPU-seconds
    IN_TURN = "in turn"  # the two are served alternately, and this one has just been picked; GPU-seconds received
    OVERDUE = "overdue"  # it has waited beyond patience, or beyond what its length bears; seconds since its submit
    SHORTER = "shorter"  # it is expected to be done sooner; seconds left
    LESS_SERVED = "less served"  # nothing is known of their lengths, and it has had less; GPU-seconds
    EARLIER = "earlier"  # all the same, but submitted before; seconds since the submit


# --- why a job waits ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AheadOfYou(Reason):
    """Other jobs come first, or hold what this one needs until their quantum is over."""

    jobs: int  #: waiting jobs that would be served before this one
    turns: int  #: turns on GPUs this job could use
    next_free_at: float | None = None  #: when the first of those turns may be ended for somebody
    first: int | None = None  #: the job right before this one: waiting too, or past its quantum and going on
    first_member: str = ""
    first_project: str = ""
    because: str = ""  #: why that one comes first, a `Because`; "" where nobody is named
    theirs: float = 0.0  #: the number that decided, for the one before, in the unit that `because` names
    yours: float = 0.0  #: the same for this job


@dataclass(frozen=True, slots=True)
class PlaceKept(Reason):
    """GPUs are being freed for this job: the turns on them are saving their work."""

    turns: tuple[str, ...]
    node: str
    free_by: float | None = None


@dataclass(frozen=True, slots=True)
class GangForms(Reason):
    """A gang waits until enough GPUs of one node are free together."""

    node: str
    needed: int
    free_now: int
    whole_at: float | None = None


@dataclass(frozen=True, slots=True)
class GapTooShort(Reason):
    """There are free GPUs, but they are kept for a gang and this job would not be done in time."""

    kept_for: int
    gap_s: float
    needs_s: float


@dataclass(frozen=True, slots=True)
class SavesForGang(Reason):
    """Another job of the same member and project is overdue and kept back by what the two have used: it goes first."""

    gang: int
    gpus: int  #: that it needs together


@dataclass(frozen=True, slots=True)
class ReservedFor(Reason):
    """There are free GPUs, but they are reserved, and this job would not be off them in time."""

    reservation: str
    from_at: float
    needs_s: float


@dataclass(frozen=True, slots=True)
class SoonerElsewhere(Reason):
    """There are free GPUs of a slower tier, but waiting for a faster one finishes it sooner."""

    free_tier: str
    better_tier: str
    wait_s: float
    times_faster: float


@dataclass(frozen=True, slots=True)
class FollowsJobs(Reason):
    """`--after`: it starts when those jobs have ended."""

    jobs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NothingFits(Reason):
    """No GPU that could take it is in service now (drained, failed, or taken by others)."""

    gpus: int
    tiers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeIsFull(Reason):
    """There are free GPUs, but not enough CPUs or host memory beside them."""

    node: str
    what: str  #: "cpus" or "memory"


@dataclass(frozen=True, slots=True)
class TooLongInOnePiece(Reason):
    """A job without checkpoint would hold the last GPUs for longer than a quantum, and others wait for a first turn."""

    needs_s: float
    quantum_s: float
    first_turns: int  #: resumable jobs that wait for their first turn there


# --- why a turn begins or ends -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class YourTurn(Reason):
    """It was first on the waiting list among the jobs that fit."""

    attained_gpu_s: float
    waiting: int


@dataclass(frozen=True, slots=True)
class Backfilled(Reason):
    """It fits into the gap before a gang needs these GPUs."""

    kept_for: int
    gap_s: float


@dataclass(frozen=True, slots=True)
class SomebodyWaits(Reason):
    """Its quantum is over and another job is entitled to the GPU."""

    job: int
    member: str
    quantum_s: float


@dataclass(frozen=True, slots=True)
class ReservationBegins(Reason):
    """Its quantum is over and the GPU is reserved from now on."""

    reservation: str


@dataclass(frozen=True, slots=True)
class MovesUp(Reason):
    """Its quantum is over and a faster GPU that it accepts is free."""

    tier: str
    times_faster: float


@dataclass(frozen=True, slots=True)
class GpuOutOfService(Reason):
    """The GPU failed or is being drained."""

    gpu: str
    condition: str


@dataclass(frozen=True, slots=True)
class TimeIsOver(Reason):
    """A job without a checkpoint has had the time it was told at submit."""

    limit_s: float


# --- what members and daemons did ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked(Reason):
    """A person asked for it."""

    member: str
    what: str  #: submit, cancel, hold, release, give-back, move


@dataclass(frozen=True, slots=True)
class TurnEnded(Reason):
    """How a turn ended, as the engine saw it."""

    outcome: str
    exit_code: int | None = None
    saved_at: float | None = None  #: the last checkpoint that is known to be complete
    lost_s: float = 0.0  #: work since then that is gone
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EngineSays(Reason):
    """The engine reported it: a turn began, a notice was given."""

    what: str


@dataclass(frozen=True, slots=True)
class PredecessorFailed(Reason):
    """A job that this one follows did not finish."""

    job: int
    state: str


@dataclass(frozen=True, slots=True)
class Recovered(Reason):
    """The daemon came back and found it so."""

    what: str

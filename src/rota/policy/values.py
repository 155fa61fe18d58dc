"""What a policy is given and what it answers: plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rota.domain.estimates import Estimate
from rota.domain.gpus import Condition, Gpu, Node
from rota.domain.jobs import Job
from rota.domain.reasons import Reason
from rota.domain.reservations import Reservation
from rota.domain.turns import Turn

Account = tuple[str, str]  #: (project, member)


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that a policy reads. Times in seconds."""

    quantum_s: float = 4 * 3600.0  #: the quantum in force
    default_limit_s: float = 4 * 3600.0  #: a job without checkpoint and without --time
    half_life_s: float = 7 * 86400.0  #: after which usage counts half
    tier_weights: Mapping[str, float] = field(default_factory=dict)  #: what a GPU-second of a tier costs; 1 if absent
    project_weights: Mapping[str, float] = field(default_factory=dict)  #: 1 if absent
    patience_s: float = 86400.0  #: a job that waited this long for its first turn goes before its member's others
    credit_s: float = 4 * 3600.0  #: for how long of its share an idle project saves up
    most_slowdown: float = 50.0  #: a job that has taken this many times its run time goes before its member's others
    speeds: Mapping[str, float] = field(default_factory=dict)  #: by tier, against each other; 1 if absent

    def limit_s(self, job: Job) -> float:
        """How long a job without checkpoint may run in its one turn."""
        return job.request.time_s or self.default_limit_s


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of the laboratory. Jobs are the waiting and running ones only."""

    at: float
    nodes: Mapping[str, Node]
    gpus: tuple[Gpu, ...]
    conditions: Mapping[str, Condition]  #: by UUID; a GPU that is absent is healthy
    tiers: tuple[str, ...]  #: by capability, best first
    jobs: tuple[Job, ...]  #: waiting and running
    turns: tuple[Turn, ...]  #: all that have not ended; each holds its GPUs
    project_usage_gpu_s: Mapping[str, float]  #: decayed and weighted by tier, running turns included
    member_usage_gpu_s: Mapping[Account, float]
    rules: Rules
    is_blocked_by: Mapping[int, tuple[int, ...]] = field(default_factory=dict)  #: jobs that a job follows
    estimates: Mapping[int, Estimate] = field(default_factory=dict)  #: by job; absent: nothing is known
    served_until: Mapping[str, float] = field(default_factory=dict)  #: by member: when a turn of theirs last ended
    reservations: tuple[Reservation, ...] = ()
    advances_gpu_s: Mapping[str, float] = field(default_factory=dict)  #: by project: what it may have early (deadlines)


@dataclass(frozen=True, slots=True)
class Begin:
    """Decision: a waiting job gets a turn on these GPUs now."""

    job: int
    gpus: tuple[str, ...]
    node: str
    tier: str
    guaranteed_until: float
    limit_at: float | None  #: for a job that cannot be resumed
    reason: Reason


@dataclass(frozen=True, slots=True)
class End:
    """Decision: a running turn gets its notice."""

    turn: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Wait:
    """Decision: a job stays on the list."""

    job: int
    place: int  #: 1 is the next to be served
    reason: Reason


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now. `waits` is the waiting list, in the order in which it would be served."""

    begins: tuple[Begin, ...] = ()
    ends: tuple[End, ...] = ()
    waits: tuple[Wait, ...] = ()
    look_again_at: float | None = None  #: when time alone could change the plan, such as the end of a quantum

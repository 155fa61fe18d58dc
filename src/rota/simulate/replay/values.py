"""What a replay reads and what it leaves: plain frozen data. Times are seconds since the trace's first submit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TraceJob:
    """One job of the past."""

    id: int  #: unique in its trace
    submit_s: float
    gpus: int
    duration_s: float  #: run time, all turns together
    member: str = ""
    project: str = ""
    tiers: tuple[str, ...] = ()  #: accepted; empty: any
    time_s: float | None = None  #: what its member stated at submit
    is_resumable: bool = True


@dataclass(frozen=True, slots=True)
class Trace:
    """Jobs in the order of their submit."""

    name: str
    jobs: tuple[TraceJob, ...]
    left_out: tuple[str, ...] = ()  #: why rows were left out, with their number ("12 rows without a duration")
    began_at: float | None = None  #: epoch seconds of second 0, where the source says it


@dataclass(frozen=True, slots=True)
class PastJob:
    """How one job fared in a replay."""

    job: TraceJob
    first_turn_s: float
    finish_s: float
    turns: int

    @property
    def jct_s(self) -> float:
        """Submit to finish."""
        return self.finish_s - self.job.submit_s

    @property
    def first_wait_s(self) -> float:
        """Submit to the first turn."""
        return self.first_turn_s - self.job.submit_s

    @property
    def slowdown(self) -> float:
        """Submit to finish, against the run time alone."""
        return self.jct_s / self.job.duration_s


@dataclass(frozen=True, slots=True)
class PastTurn:
    """One turn of a replay."""

    job: int
    gpus: tuple[str, ...]  #: labels, "h100-1:0"
    began_s: float
    ended_s: float
    is_preempted: bool  #: it ended because somebody else's turn had come


@dataclass(frozen=True, slots=True)
class Replayed:
    """A whole replay: one trace, one fleet, one policy."""

    trace: str
    fleet: str
    policy: str
    information: str  #: none, noisy, oracle
    jobs: tuple[PastJob, ...]  #: in the order of their submit
    turns: tuple[PastTurn, ...]  #: in the order of their end
    gpus: tuple[str, ...]  #: labels of the whole fleet, in its order
    cost_gpu_s: float  #: work done twice because of stops and resumes
    spent_gpu_s: float  #: all GPU time that turns took, that work included
    wall_s: float  #: how long the replay took

"""What `rota policy explain` goes over the wire as, version 1."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class QuantumView(BaseModel):
    """How long a turn is guaranteed now, and why."""

    quantum_s: float
    is_auto: bool
    least_s: float  #: between which it adapts
    most_s: float
    cost_part: float | None  #: of GPU time, what stopping and resuming took since the quantum last changed
    measured_gpu_s: float  #: that GPU time
    needed_gpu_s: float  #: before so much was measured, the quantum stays as it is
    sentence: str


class RulesView(BaseModel):
    """The other settings that the policy reads."""

    default_limit_s: float
    half_life_s: float
    patience_s: float
    credit_s: float
    most_slowdown: float


class ShareView(BaseModel):
    """One project."""

    project: str
    weight: float
    share: float | None  #: of the fleet, among the projects that run or wait now; None for one that does neither
    usage_gpu_s: float  #: decayed by half-life, weighted by tier
    early_gpu_s: float  #: what it may have early now because of a deadline


class TierView(BaseModel):
    """One tier."""

    tier: str
    gpus: int
    weight: float  #: what a GPU-second on it costs
    speed: float
    origin: Literal["stated", "measured", "table", "unknown"]  #: of the speed
    jobs: int  #: that were measured


class ReservationView(BaseModel):
    """One reservation that is not over."""

    name: str
    gpus: int
    tiers: list[str]
    begins_at: float
    ends_at: float
    members: list[str]
    projects: list[str]


class DeadlineView(BaseModel):
    """One deadline that has not been paid back."""

    project: str
    at: float
    early_s: float
    begins_at: float
    early_gpu_s: float  #: what its project may have early now


class BoundView(BaseModel):
    """How long a job submitted now waits for its first turn at most, if no GPU fails."""

    sentences: list[str]


class PolicyView(BaseModel):
    """`rota policy explain`."""

    at: float
    quantum: QuantumView
    rules: RulesView
    shares: list[ShareView]
    tiers: list[TierView]
    reservations: list[ReservationView]
    deadlines: list[DeadlineView]
    bound: BoundView

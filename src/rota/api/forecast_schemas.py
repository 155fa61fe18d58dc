"""What forecasts go over the wire as, version 1. Moments are epoch seconds."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from rota.api.schemas import Body, Bytes, Name, RangeView, Text, Tiers


class ForecastDetail(BaseModel):
    """What is expected of one job."""

    job: int
    turn: int | None  #: number of the turn that `begin` is about; None without a forecast
    made_at: float | None  #: None: there is no forecast, or not yet
    begin: RangeView | None  #: None: it needs no further turn, or nothing can be said
    finish: RangeView | None
    tier: str | None  #: on which that turn most likely is
    kept: int  #: of the turns of the last 30 days that were forecast, how many began as was promised
    of: int
    shift: str  #: why the turn is no longer expected when it was promised; "" while it is


class VariantBody(Body):
    """One way to ask for it."""

    gpus: Annotated[int, Field(ge=1, le=100_000)] = 1
    tiers: Annotated[Tiers, Field(max_length=20, default_factory=list)]
    time_s: Annotated[float, Field(ge=1, le=3.2e8)] | None = None


class CompareBody(Body):
    """`rota run --dry-run --compare`: a job that is not submitted, in several variants."""

    variants: Annotated[list[VariantBody], Field(min_length=1, max_length=8)]
    project: Name | None = None
    member: Name | None = None  #: for whom, when an administrator asks for somebody
    command: Text = ""  #: the command line, by which like jobs are known
    name: Name | None = None
    checkpoint: bool = False  #: whether it can be stopped and continued
    gpu_memory_bytes: Bytes = 0
    cpus: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    memory_bytes: Bytes = 0


class VariantView(BaseModel):
    """When it would begin and be done like this."""

    gpus: int
    tiers: list[str]
    time_s: float | None
    begin: RangeView | None
    finish: RangeView | None
    tier: str | None  #: on which its first turn most likely is
    refused: str  #: why it could not be submitted like this; "" when it could


class CompareView(BaseModel):
    """In the order of the variants that were asked about."""

    at: float
    variants: list[VariantView]


class ScoreRow(BaseModel):
    """How forecasts of one kind have held."""

    kind: str
    forecasts: int  #: whose turns have begun
    coverage_90: float  #: part of them that began by the bound of nine in ten
    median_below: float  #: part that began before the likely moment
    pinball_s: float  #: how far off they were, all three quantiles weighed (Koenker and Bassett 1978); seconds


class ReliabilityPoint(BaseModel):
    """Of turns that were to begin by a moment with this probability, the part that did."""

    promised: float
    came: float


class ScoreView(BaseModel):
    """`rota forecast score` and the page. Numbers are None while no turn that was forecast has begun."""

    at: float
    days: float  #: of the past that count
    is_made: bool  #: whether forecasts are made at all
    open: int  #: forecasts whose turns are still to come
    forecasts: int
    coverage_90: float | None
    median_below: float | None
    pinball_s: float | None
    by_lead: list[ScoreRow]  #: by how far ahead they looked: "hour", "day", "week" at most, "later"
    by_tier: list[ScoreRow]
    ends: ScoreRow | None  #: of ends of jobs, promised when they were submitted, and finished in these days
    reliability: list[ReliabilityPoint]
    sentence: str

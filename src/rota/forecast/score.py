"""How often forecasts were right: coverage, bias and sharpness, for all and for those of a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from rota.domain.forecasts import LEVELS, Promise, Range

HOUR_S, DAY_S, WEEK_S = 3600.0, 86400.0, 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Score:
    """Of a set of promises whose turns have begun."""

    forecasts: int
    coverage_90: float  #: part of the turns that began by the 90 % bound
    median_below: float  #: part that began by the median; at it: half
    early_below: float  #: part that began by the 10 % bound; at it: half
    pinball_s: float  #: mean of the three quantiles' pinball losses, seconds (Koenker and Bassett 1978)


def score(promises: Iterable[Promise]) -> Score | None:
    """None when none of them has begun."""
    known = [promise for promise in promises if promise.is_kept is not None]
    if not known:
        return None
    begun = [(promise.told, promise.began_at or 0.0) for promise in known]
    return Score(
        forecasts=len(known),
        coverage_90=fmean(at <= told.late for told, at in begun),
        median_below=fmean(held(told.likely, at) for told, at in begun),
        early_below=fmean(held(told.early, at) for told, at in begun),
        pinball_s=fmean(pinball_s(told, at) for told, at in begun),
    )


def pinball_s(told: Range, came_at: float) -> float:
    """Mean over the three quantiles: what a quantile is off, weighed by its level if it was too early."""
    losses = []
    for level, quantile in zip(LEVELS, (told.early, told.likely, told.late), strict=True):
        late_s = came_at - quantile
        losses.append(level * late_s if late_s >= 0 else (level - 1) * late_s)
    return fmean(losses)


def by_kind(promises: Iterable[Promise], kind: Callable[[Promise], str]) -> dict[str, Score]:
    """The score of each kind, in the order of the kinds' names."""
    kinds: dict[str, list[Promise]] = {}
    for promise in promises:
        kinds.setdefault(kind(promise), []).append(promise)
    scores = {name: score(kinds[name]) for name in sorted(kinds)}
    return {name: found for name, found in scores.items() if found is not None}


def lead_of(promise: Promise) -> str:
    """How far ahead it looked: the next hour, day, week, or further."""
    for name, most_s in (("hour", HOUR_S), ("day", DAY_S), ("week", WEEK_S)):
        if promise.lead_s <= most_s:
            return name
    return "later"


def size_of(gpus: int) -> str:
    """The class of jobs by their GPUs."""
    return next((name for name, most in (("1", 1), ("2-4", 4), ("5-8", 8)) if gpus <= most), "9+")


def held(bound: float, came_at: float) -> float:
    """1: it came by the bound, 0: it did not. A moment that was met to the second counts half.

    Turns often begin at the very moment that was foreseen, the end of a quantum: to count all of them as "below" the
    median, or none, would call a forecast biased that could not be better.
    """
    return 0.5 if abs(bound - came_at) < 1.0 else float(came_at < bound)


@dataclass(frozen=True, slots=True)
class Reliability:
    """One point of a reliability diagram: of turns that were to begin by here with this probability, how many did."""

    promised: float
    came: float
    forecasts: int


def reliability(promises: Sequence[Promise]) -> list[Reliability]:
    """For each level that ranges give."""
    whole = score(promises)
    if whole is None:
        return []
    came = (whole.early_below, whole.median_below, whole.coverage_90)
    return [Reliability(level, part, whole.forecasts) for level, part in zip(LEVELS, came, strict=True)]

"""What the test of the forecasts came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import fmean
from typing import Any

from rota.domain.forecasts import Promise, Range
from rota.forecast.score import Score, by_kind, lead_of, pinball_s, score, size_of
from rota.simulate.forecasts.judge import Judged

WEEK_S = 7 * 86400.0
#: A week or a size of jobs is judged by itself when it has so many forecasts.
LEAST_FORECASTS = 200


@dataclass(frozen=True, slots=True)
class Report:
    """Figures by the names that `--json` prints. Seconds."""

    forecasts: int
    waited: int  #: jobs that had to wait for their first turn, with or without a forecast
    coverage_90: float
    median_below: float
    early_below: float
    pinball: float
    pinball_mean_walk: float
    pinball_backfill: float
    by_lead: dict[str, Score]
    by_size: dict[str, Score]
    by_week: dict[str, Score]  #: weeks of the trace with at least LEAST_FORECASTS
    ends: Score | None  #: of the ends of jobs; none: they were not forecast
    wall_s: float

    @property
    def worst_week(self) -> float | None:
        """The least coverage of a week."""
        return min((one.coverage_90 for one in self.by_week.values()), default=None)

    @property
    def worst_size(self) -> float | None:
        """The least coverage of a size of jobs that has enough forecasts."""
        return min((one.coverage_90 for one in self.by_size.values() if one.forecasts >= LEAST_FORECASTS), default=None)


def report_of(judged: Sequence[Judged], waited: int, wall_s: float, ends: Sequence[Promise] = ()) -> Report | None:
    """None when no job had to wait."""
    promises = [one.promise for one in judged]
    whole = score(promises)
    if whole is None:
        return None
    weeks = by_kind(promises, lambda promise: f"{int(promise.made_at // WEEK_S) + 1:03d}")
    return Report(
        forecasts=whole.forecasts,
        waited=waited,
        coverage_90=whole.coverage_90,
        median_below=whole.median_below,
        early_below=whole.early_below,
        pinball=whole.pinball_s,
        pinball_mean_walk=_pinball_of(judged, lambda one: one.mean_walk_at),
        pinball_backfill=_pinball_of(judged, lambda one: one.backfill_at),
        by_lead=by_kind(promises, lead_of),
        by_size=by_kind(promises, lambda promise: size_of(promise.gpus)),
        by_week={week: one for week, one in weeks.items() if one.forecasts >= LEAST_FORECASTS},
        ends=score(ends),
        wall_s=wall_s,
    )


def _pinball_of(judged: Sequence[Judged], moment: Callable[[Judged], float]) -> float:
    """Of a yardstick, whose one moment stands for all three quantiles."""
    return fmean(pinball_s(Range(at := moment(one), at, at), _began_at(one.promise)) for one in judged)


def _began_at(promise: Promise) -> float:
    assert promise.began_at is not None, "only promises whose turn has begun are judged"
    return promise.began_at


def as_json(report: Report | None) -> dict[str, Any]:
    """As `--json` prints it; with no forecast, zero of them and nothing to say of them."""
    if report is None:
        return {field.name: None for field in fields(Report)} | {"forecasts": 0, "waited": 0}
    return asdict(report)

"""How good forecasts were, as the API shows it."""

from __future__ import annotations

from collections.abc import Sequence

from rota.api.forecast_schemas import ReliabilityPoint, ScoreRow, ScoreView
from rota.daemon.forecasts import Forecasts
from rota.domain.counts import say_count
from rota.domain.forecasts import Promise
from rota.domain.ranges import LEAST_TO_JUDGE
from rota.forecast.score import Score, by_kind, lead_of, reliability, score

DAY_S = 86400.0
LEADS = ("hour", "day", "week", "later")


def score_view(forecasts: Forecasts, days: float, at: float) -> ScoreView:
    """Of the turns that began in the last days."""
    begun = forecasts.promises.begun_since(at - days * DAY_S)
    whole, leads = score(begun), by_kind(begun, lead_of)
    ends = score(forecasts.promises.ended_since(at - days * DAY_S))
    return ScoreView(
        at=at,
        days=days,
        is_made=forecasts.is_made,
        open=len(forecasts.promises.open),
        forecasts=len(begun),
        coverage_90=whole.coverage_90 if whole else None,
        median_below=whole.median_below if whole else None,
        pinball_s=whole.pinball_s if whole else None,
        by_lead=[_row(lead, leads[lead]) for lead in LEADS if lead in leads],
        by_tier=[_row(tier, found) for tier, found in by_kind(begun, lambda one: one.tier or "unknown").items()],
        ends=_row("ends", ends) if ends else None,
        reliability=[ReliabilityPoint(promised=point.promised, came=point.came) for point in reliability(begun)],
        sentence=score_sentence(begun, len(forecasts.promises.open), days, is_made=forecasts.is_made),
    )


def _row(kind: str, found: Score) -> ScoreRow:
    return ScoreRow(
        kind=kind,
        forecasts=found.forecasts,
        coverage_90=found.coverage_90,
        median_below=found.median_below,
        pinball_s=found.pinball_s,
    )


def score_sentence(begun: Sequence[Promise], still_open: int, days: float, *, is_made: bool) -> str:
    """The whole answer in one or two sentences, or what is missing for one."""
    since = f"in the last {say_count(round(days), 'day')}"
    if not begun:
        if still_open:
            to_come = say_count(still_open, "turn")
            return f"No turn that was forecast has begun {since}; {to_come} still to come will count."
        if not is_made:
            return "No forecasts are made here. To have them: [forecast] enabled = true in rota.toml."
        return f"No turn that was forecast has begun {since}. Every job that waits is forecast when it is submitted."
    kept = sum(promise.is_kept is True for promise in begun)
    # Downwards: 99 of 100 is not 10 of 10.
    of_ten = f"{10 * kept // len(begun)} of 10 such forecasts held" if len(begun) >= LEAST_TO_JUDGE else ""
    counted = f"{kept:,} of {say_count(len(begun), 'turn')} began by the time that was promised"
    if not of_ten:
        return f"{counted} {since}; that is too few to say how good forecasts are."
    return f"{of_ten} {since}: {counted}. Nine of ten is what is promised."

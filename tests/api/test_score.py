"""How good forecasts were, in numbers and in one sentence."""

from __future__ import annotations

from rota.api.score_views import score_view
from rota.daemon.forecasts import Forecasts
from rota.daemon.promises import Promises
from rota.domain.forecasts import Promise
from tests.builders import a_promise, a_range

DAY_S = 86400.0
NOW = 100 * DAY_S


def begun(
    job: int, ago_days: float = 1.0, *, is_kept: bool = True, tier: str = "h100", lead_s: float = 60.0
) -> Promise:
    """A turn that began some days ago, on time or an hour late."""
    at = NOW - ago_days * DAY_S
    told = a_range(at - 10.0, at + 10.0, at + 600.0)
    came = at if is_kept else at + 4200.0
    return a_promise(job, told=told, raw=told, made_at=told.likely - lead_s, began_at=came, tier=tier)


def of(*promises: Promise, is_made: bool = True) -> Forecasts:
    known = Promises()
    known.take_over(promises)
    return Forecasts(known, is_made=is_made)


def test_nine_of_ten_are_said_as_such_and_never_rounded_up() -> None:
    view = score_view(of(*(begun(job, is_kept=job > 1) for job in range(1, 21))), 90, NOW)
    assert (view.forecasts, view.coverage_90) == (20, 0.95)
    assert view.sentence == (
        "9 of 10 such forecasts held in the last 90 days: 19 of 20 turns began by the time that was promised. "
        "Nine of ten is what is promised."
    )


def test_a_few_turns_are_counted_but_not_judged() -> None:
    view = score_view(of(begun(1), begun(2, is_kept=False)), 30, NOW)
    assert view.sentence == (
        "1 of 2 turns began by the time that was promised in the last 30 days; "
        "that is too few to say how good forecasts are."
    )


def test_only_turns_of_the_days_that_were_asked_for_count() -> None:
    assert score_view(of(begun(1, ago_days=1), begun(2, ago_days=20)), 7, NOW).forecasts == 1


def test_kinds_come_in_the_order_of_their_length_and_void_promises_nowhere() -> None:
    promises = [begun(1, lead_s=2 * DAY_S), begun(2, lead_s=5.0), begun(3, lead_s=7200.0), begun(4, lead_s=30 * DAY_S)]
    cancelled = a_promise(5, is_void=True)
    view = score_view(of(*promises, cancelled), 90, NOW)
    assert [row.kind for row in view.by_lead] == ["hour", "day", "week", "later"]
    assert (view.forecasts, view.open) == (4, 0)
    assert [point.promised for point in view.reliability] == [0.1, 0.5, 0.9]


def test_without_any_turn_it_says_what_is_missing() -> None:
    assert score_view(of(), 90, NOW).sentence.endswith("Every job that waits is forecast when it is submitted.")
    assert score_view(of(a_promise(1)), 90, NOW).sentence.endswith("1 turn still to come will count.")
    assert "[forecast] enabled = true" in score_view(of(is_made=False), 90, NOW).sentence

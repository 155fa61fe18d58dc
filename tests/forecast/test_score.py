"""How forecasts are marked."""

from __future__ import annotations

import pytest

from rota.domain.forecasts import Promise, Range
from rota.forecast.score import by_kind, lead_of, pinball_s, reliability, score, size_of

TOLD = Range(100.0, 200.0, 400.0)


def a_promise(began_at: float | None, *, told: Range = TOLD, is_void: bool = False, gpus: int = 1) -> Promise:
    return Promise(1, 1, gpus, "h100", 0.0, told, told, began_at, is_void)


def test_a_bound_holds_when_the_turn_began_by_it() -> None:
    found = score([a_promise(50.0), a_promise(150.0), a_promise(400.0), a_promise(500.0)])
    assert found is not None
    assert (found.forecasts, found.coverage_90, found.median_below, found.early_below) == (4, 0.75, 0.5, 0.25)


def test_a_moment_that_was_met_to_the_second_counts_half_for_the_median() -> None:
    found = score([a_promise(200.4)])
    assert found is not None
    assert (found.median_below, found.coverage_90) == (0.5, 1.0)


def test_what_is_not_known_is_not_counted() -> None:
    assert score([a_promise(None), a_promise(150.0, is_void=True)]) is None
    assert reliability([a_promise(None)]) == []


def test_pinball_loss_is_that_of_koenker_and_bassett() -> None:
    # Came at 300: 0.1 * 200 for the early bound, 0.5 * 100 for the likely one, 0.1 * 100 for the late one.
    assert pinball_s(TOLD, 300.0) == pytest.approx((20 + 50 + 10) / 3)
    assert pinball_s(TOLD, 200.0) == pytest.approx((10 + 0 + 20) / 3)


def test_a_quantile_at_the_truth_loses_least() -> None:
    waits = [float(wait) for wait in range(101)]

    def loss(late: float) -> float:
        return sum(pinball_s(Range(10.0, 50.0, late), wait) for wait in waits)

    assert loss(90.0) < loss(80.0)
    assert loss(90.0) < loss(99.0)


def test_scores_by_lead_and_by_size() -> None:
    soon, later = Range(1.0, 2.0, 3.0), Range(1.0, 2 * 86400.0, 3 * 86400.0)
    made = [a_promise(2.5, told=soon), a_promise(5.0, told=later), a_promise(1.0, told=later)]
    assert {lead: found.forecasts for lead, found in by_kind(made, lead_of).items()} == {"hour": 1, "week": 2}
    assert [size_of(gpus) for gpus in (1, 2, 4, 5, 8, 9)] == ["1", "2-4", "2-4", "5-8", "5-8", "9+"]


def test_reliability_says_for_each_level_how_many_came() -> None:
    points = reliability([a_promise(50.0), a_promise(150.0), a_promise(300.0), a_promise(500.0)])
    assert [(point.promised, point.came) for point in points] == [(0.1, 0.25), (0.5, 0.5), (0.9, 0.75)]

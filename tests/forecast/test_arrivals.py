"""Who may come: past submits, moved."""

from __future__ import annotations

import random
from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from rota.forecast.arrivals import DAY_S, HOUR_S, Arrivals
from tests.builders import a_job


def arrivals_at(*moments: float) -> Arrivals:
    arrivals = Arrivals()
    for number, at in enumerate(sorted(moments), 1):
        arrivals.add(a_job(number, submitted_at=at), None)
    return arrivals


def coming(arrivals: Arrivals, at: float, lasts_s: float, seed: int = 0) -> list[float]:
    drawn = arrivals.draw(at, random.Random(seed))
    return [one.at - at for one in takewhile(lambda one: one.at < at + lasts_s, drawn)]


def test_nobody_is_expected_where_nobody_came() -> None:
    assert coming(Arrivals(), 1000.0, DAY_S) == []
    assert coming(arrivals_at(0.0), 60.0, DAY_S) == []  # a minute is too short a past to say anything


def test_people_come_at_the_hours_at_which_they_came_before() -> None:
    nine = [day * DAY_S + 9 * HOUR_S + minute * 60 for day in range(14) for minute in range(30)]
    arrivals = arrivals_at(*nine)
    hours = {int(after_s // HOUR_S) for seed in range(5) for after_s in coming(arrivals, 14 * DAY_S, 3 * DAY_S, seed)}
    assert hours == {9, 33, 57}


def test_the_same_weekday_counts_more() -> None:
    mondays = [week * 7 * DAY_S + 8 * HOUR_S + minute * 60 for week in range(6) for minute in range(100)]
    arrivals = arrivals_at(0.0, *mondays)
    monday = sum(len(coming(arrivals, 42 * DAY_S, DAY_S, seed)) for seed in range(60))
    tuesday = sum(len(coming(arrivals, 43 * DAY_S, DAY_S, seed)) for seed in range(60))
    assert monday > 2 * tuesday


def test_a_rush_is_expected_to_go_on_for_a_while() -> None:
    quiet_then_rush = [day * DAY_S for day in range(10)] + [10 * DAY_S + 5.0 * i for i in range(120)]
    arrivals = arrivals_at(*quiet_then_rush)
    at = 10 * DAY_S + 600
    counts = [len(coming(arrivals, at, 600.0, seed)) for seed in range(40)]
    assert sum(count >= 100 for count in counts) >= 10
    assert sum(count <= 2 for count in counts) >= 5  # and that it may be over, too


@given(
    moments=st.lists(st.floats(0, 30 * DAY_S), min_size=1, max_size=50),
    after_s=st.floats(0, 3 * DAY_S),
    seed=st.integers(0, 9),
)
def test_they_come_in_order_and_not_before_now(moments: list[float], after_s: float, seed: int) -> None:
    at = max(moments) + after_s
    came = coming(arrivals_at(*moments), at, 20 * DAY_S, seed)  # there is an end to it
    assert came == sorted(came)
    assert all(moment >= -1e-6 for moment in came)

"""The table of speeds gives way to what the laboratory's own jobs show, and never to one job alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.forecast.paces import MOST_REMEMBERED, Paces
from rota.forecast.speeds import Origin, TierSpeed, tier_speeds

TIERS = ("h100", "rtx3090")
TABLE = {"h100": 1.0, "rtx3090": 0.25}
TOTAL = 10_000  # steps of each job


def seen(jobs: int, times_slower: float) -> Paces:
    """Jobs that made 1000 steps a minute on h100, and so many times fewer on rtx3090."""
    paces = Paces()
    for job in range(jobs):
        for number, (tier, seconds) in enumerate((("h100", 60.0), ("rtx3090", 60.0 * times_slower))):
            paces.report(f"{job}.{number}", job, tier, 1000 * number, TOTAL, 0.0)
            paces.report(f"{job}.{number}", job, tier, 1000 * number + 1000, TOTAL, seconds)
            paces.end_turn(f"{job}.{number}")
    return paces


def test_without_measurements_the_table_stands() -> None:
    speeds = tier_speeds(TIERS, TABLE, {}, seen(2, times_slower=2.0))
    assert speeds == {"h100": TierSpeed(1.0, Origin.TABLE), "rtx3090": TierSpeed(0.25, Origin.TABLE)}


def test_three_jobs_weigh_as_much_as_the_table() -> None:
    speed = tier_speeds(TIERS, TABLE, {}, seen(3, times_slower=1.0))["rtx3090"]
    assert (speed.origin, speed.jobs) == (Origin.MEASURED, 3)
    assert speed.speed == pytest.approx(0.5)  # the geometric middle of 1/4 and 1


def test_many_jobs_outweigh_the_table() -> None:
    assert tier_speeds(TIERS, TABLE, {}, seen(100, times_slower=2.0))["rtx3090"].speed == pytest.approx(0.5, rel=0.03)


def test_what_the_laboratory_states_is_taken_as_it_is() -> None:
    speeds = tier_speeds(TIERS, TABLE, {"rtx3090": 0.9}, seen(100, times_slower=2.0))
    assert speeds["rtx3090"] == TierSpeed(0.9, Origin.STATED)


def test_a_tier_in_no_table_is_as_slow_as_the_slowest_until_it_was_measured() -> None:
    tiers = ("h100", "rtx3090", "thing")
    assert tier_speeds(tiers, TABLE, {}, Paces())["thing"] == TierSpeed(0.25, Origin.UNKNOWN)
    paces = Paces()
    for job in range(3):
        for tier, steps in (("h100", 1000), ("thing", 700)):
            paces.report(f"{job}.{tier}", job, tier, 0, TOTAL, 0.0)
            paces.report(f"{job}.{tier}", job, tier, steps, TOTAL, 100.0)
    assert tier_speeds(tiers, TABLE, {}, paces)["thing"].speed == pytest.approx(0.7)


@given(st.floats(1.0, 20.0), st.integers(3, 40))
def test_a_measurement_lies_between_the_table_and_the_jobs(times_slower: float, jobs: int) -> None:
    speed = tier_speeds(TIERS, TABLE, {}, seen(jobs, times_slower))["rtx3090"].speed
    low, high = sorted((0.25, 1 / times_slower))
    assert low * 0.999 <= speed <= high * 1.001


def test_start_up_does_not_count_and_a_repeated_report_changes_nothing() -> None:
    paces = Paces()
    for at, step in ((500.0, 0), (600.0, 100), (600.0, 100), (550.0, 50), (700.0, 200)):
        paces.report("1.1", 1, "h100", step, TOTAL, at)
    assert paces.by_job[1]["h100"].per_s == pytest.approx(1.0 / TOTAL)


def test_a_job_that_starts_anew_is_measured_from_there() -> None:
    paces = Paces()
    for at, step in ((0.0, 900), (100.0, 1000), (200.0, 0), (300.0, 100)):
        paces.report("1.1", 1, "h100", step, TOTAL, at)
    assert paces.by_job[1]["h100"].per_s == pytest.approx(1.0 / TOTAL)


def test_ended_jobs_are_remembered_only_when_they_compare_tiers() -> None:
    paces = seen(3 * MOST_REMEMBERED, times_slower=2.0)
    paces.report("one", 10**6, "h100", 0, TOTAL, 0.0)
    paces.report("one", 10**6, "h100", 10, TOTAL, 100.0)
    for job in [10**6, *range(3 * MOST_REMEMBERED)]:
        paces.end_job(job)
    assert 10**6 not in paces.by_job
    assert len(paces.by_job) <= MOST_REMEMBERED

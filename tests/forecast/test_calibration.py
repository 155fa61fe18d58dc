"""Bounds hold as often as they say, whatever the raw ranges are worth."""

from __future__ import annotations

import math
import pickle
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.domain.forecasts import Promise, Range
from rota.forecast.calibration import Calibration
from rota.forecast.score import Score, score


def promises(
    count: int, came_s: Callable[[int, float, random.Random], float], gpus: Callable[[int], int] = lambda number: 1
) -> list[Promise]:
    """So many, one after the other; `came_s` is how long it took, by number and foreseen wait."""
    calibration, chance, made = Calibration(), random.Random(5), []
    for number in range(count):
        at = 1000.0 * number
        foreseen_s = chance.lognormvariate(6.0, 1.0)
        raw = Range(at + 0.8 * foreseen_s, at + foreseen_s, at + 1.3 * foreseen_s)
        told = calibration.told(raw, at, gpus(number))
        began_at = at + came_s(number, foreseen_s, chance)
        made.append(Promise(number, 1, gpus(number), "h100", at, raw, told, began_at))
        calibration.learn(made[-1])
    return made


def scored(made: list[Promise]) -> Score:
    found = score(made)
    assert found is not None
    return found


def test_ranges_that_are_far_too_sure_are_widened() -> None:
    made = promises(1500, lambda number, foreseen_s, chance: foreseen_s * chance.lognormvariate(0.0, 1.0))
    found = scored(made)
    assert 0.88 <= found.coverage_90 <= 0.92
    assert 0.46 <= found.median_below <= 0.54
    assert 0.07 <= found.early_below <= 0.13


def test_ranges_that_are_far_too_careful_become_sharp() -> None:
    made = promises(600, lambda number, foreseen_s, chance: foreseen_s * chance.uniform(0.98, 1.02))
    late = made[-1]
    assert late.told.late - late.made_at < 1.1 * (late.raw.likely - late.made_at)


def test_a_bias_is_taken_out() -> None:
    made = promises(800, lambda number, foreseen_s, chance: 3 * foreseen_s * chance.lognormvariate(0.0, 0.3))
    found = scored(made[100:])
    assert 0.45 <= found.median_below <= 0.55


def test_bounds_hold_in_the_long_run_when_everything_changes_half_way() -> None:
    def came_s(number: int, foreseen_s: float, chance: random.Random) -> float:
        return foreseen_s * chance.lognormvariate(0.0 if number < 1000 else 1.5, 0.5)

    made = promises(2000, came_s)
    assert 0.88 <= scored(made).coverage_90 <= 0.92
    assert scored(made[1000:1200]).coverage_90 >= 0.8  # even right after it


def test_each_size_of_jobs_keeps_its_own_promise() -> None:
    def came_s(number: int, foreseen_s: float, chance: random.Random) -> float:
        return foreseen_s * chance.lognormvariate(0.0 if number % 4 else 1.0, 0.2 if number % 4 else 1.2)

    made = promises(2000, came_s, gpus=lambda number: 1 if number % 4 else 8)
    assert scored([one for one in made if one.gpus == 8]).coverage_90 >= 0.86
    assert scored([one for one in made if one.gpus == 1]).coverage_90 >= 0.86


def test_nothing_is_learnt_from_a_job_that_was_cancelled() -> None:
    calibration, other = Calibration(), Calibration()
    raw = Range(10.0, 20.0, 30.0)
    calibration.learn(Promise(1, 1, 1, "", 0.0, raw, raw, None, is_void=True))
    assert calibration.told(raw, 0.0, 1) == other.told(raw, 0.0, 1)


@given(
    waits=st.lists(st.floats(0, 1e6), min_size=3, max_size=3),
    past=st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 1e7)), max_size=20),
)
def test_a_range_is_in_order_and_does_not_lie_in_the_past(waits: list[float], past: list[tuple[float, float]]) -> None:
    calibration = Calibration()
    for foreseen_s, came_s in past:
        raw = Range(foreseen_s, foreseen_s, foreseen_s)
        calibration.learn(Promise(1, 1, 1, "", 0.0, raw, raw, came_s))
    early, likely, late = sorted(waits)
    told = calibration.told(Range(50 + early, 50 + likely, 50 + late), 50.0, 1)
    assert 50.0 <= told.early <= told.likely <= told.late < math.inf


def test_what_was_learnt_survives_the_way_to_another_process() -> None:
    calibration = Calibration()
    calibration.learn(Promise(1, 1, 1, "", 0.0, Range(5.0, 9.0, 20.0), Range(5.0, 9.0, 20.0), 70.0))
    again: Calibration = pickle.loads(pickle.dumps(calibration))
    raw = Range(100.0, 200.0, 300.0)
    assert again.told(raw, 0.0, 1) == calibration.told(raw, 0.0, 1)
    assert calibration.told(raw, 0.0, 1) != pytest.approx(Calibration().told(raw, 0.0, 1))

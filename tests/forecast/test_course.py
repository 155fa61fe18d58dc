"""How long the rest takes, by the pace of late."""

from __future__ import annotations

import pytest

from rota.forecast.course import Course
from rota.forecast.durations import from_progress

HOUR = 3600.0


def followed(*reports: tuple[str, float, float]) -> Course:
    """Reports of (turn, run time in seconds, part of the job)."""
    course = Course()
    for turn, ran_s, part in reports:
        course = course.reported(turn, ran_s, part)
    return course


def steady(turn: str, begin_s: float, end_s: float, part: float, part_end: float) -> list[tuple[str, float, float]]:
    """A hundred reports while a turn goes from one part to another."""
    return [
        (turn, begin_s + (end_s - begin_s) * n / 100, part + (part_end - part) * n / 100) for n in range(101)
    ]  # fmt: skip


def total_s(course: Course) -> float:
    """The estimate of the whole job's run time as of the last report."""
    estimate = from_progress((round(course.part * 10_000), 10_000), course.ran_s, course.pace)
    assert estimate is not None
    return estimate.total_s


def test_an_even_pace_goes_on() -> None:
    assert total_s(followed(*steady("1.1", 0.0, HOUR, 0.0, 0.25))) == pytest.approx(4 * HOUR)


def test_ten_minutes_of_compiling_are_not_expected_again() -> None:
    course = followed(*steady("1.1", 600.0, 1200.0, 0.0, 0.1))
    assert total_s(course) == pytest.approx(600.0 + 6000.0)  # the mean pace would say 12000 s


def test_a_change_of_pace_is_followed() -> None:
    """Half of the data came from a cold disk: since an hour it goes three times as fast."""
    course = followed(*steady("1.1", 0.0, HOUR, 0.0, 0.1), *steady("1.1", HOUR, 2 * HOUR, 0.1, 0.4))
    assert total_s(course) == pytest.approx(4 * HOUR, rel=0.1)


def test_an_evaluation_in_each_epoch_counts_as_it_will_come_again() -> None:
    """Ten epochs, each of 54 min of steps and 6 min of evaluation; at any moment the job takes about ten hours."""
    course = Course()
    for epoch in range(6):
        for _, ran_s, part in steady("1.1", epoch * HOUR, (epoch + 0.9) * HOUR, epoch / 10, (epoch + 1) / 10):
            course = course.reported("1.1", ran_s, part)
            if epoch >= 2:
                assert total_s(course) == pytest.approx(10 * HOUR, rel=0.1)


def test_a_resumed_turn_starts_up_and_goes_over_lost_steps_at_no_cost_to_the_pace() -> None:
    first = steady("1.1", 0.0, HOUR, 0.0, 0.2)
    resumed = steady("1.2", HOUR + 600.0, HOUR + 1500.0, 0.15, 0.2)
    assert total_s(followed(*first, *resumed)) == pytest.approx(HOUR + 1500.0 + 4 * HOUR)


def test_a_slower_gpu_in_the_next_turn_is_noticed() -> None:
    first, slower = steady("1.1", 0.0, HOUR, 0.0, 0.4), steady("1.2", HOUR, 3 * HOUR, 0.4, 0.6)
    assert followed(*first, *slower).pace == pytest.approx(0.1 / HOUR, rel=0.4)


def test_a_count_that_falls_back_begins_anew_and_is_no_pace() -> None:
    course = followed(*steady("1.1", 0.0, 100.0, 0.0, 0.5), ("1.1", 101.0, 0.1))
    assert (course.part, course.pace) == (0.1, pytest.approx(0.005))


def test_the_same_report_again_changes_nothing() -> None:
    course = followed(*steady("1.1", 0.0, 100.0, 0.0, 0.5))
    assert course.reported("1.1", 100.0, 0.5) == course
    assert course.reported("1.1", 50.0, 0.25) == course


@pytest.mark.parametrize("reports", [[], [("1.1", 500.0, 0.5)], [("1.1", 0.0, 0.1), ("1.1", 29.0, 0.2)]])
def test_after_half_a_minute_it_is_too_early_for_a_pace(reports: list[tuple[str, float, float]]) -> None:
    assert followed(*reports).pace is None


def test_a_job_that_stands_still_has_no_pace() -> None:
    assert followed(("1.1", 0.0, 0.1), ("1.1", HOUR, 0.1)).pace is None

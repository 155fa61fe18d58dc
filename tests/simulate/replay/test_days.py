"""Days of a trace, by number and by date."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rota.errors import BadRequest
from rota.simulate.replay.days import DAY_S, Day, day_of, number_at
from tests.simulate.replay.builders import a_trace

TRACE = a_trace((0, 1, 60), (2.5 * DAY_S, 1, 60))
#: The same, with its first submit on 1 March 2026 at 18:00 UTC.
DATED = replace(TRACE, began_at=1772388000.0)


def test_without_a_date_days_begin_with_the_trace() -> None:
    assert day_of("1", TRACE) == Day(0.0, "day 1")
    assert day_of(" 3 ", TRACE) == Day(2 * DAY_S, "day 3")


def test_with_a_date_days_begin_at_midnight() -> None:
    assert day_of("1", DATED) == day_of("2026-03-01", DATED) == Day(-18 * 3600.0, "1 March 2026")
    assert day_of("2026-03-04", DATED) == Day(2 * DAY_S + 6 * 3600.0, "4 March 2026")
    assert [number_at(hour * 3600.0, DATED) for hour in (0, 5.9, 6, 30)] == [1, 1, 2, 3]


@pytest.mark.parametrize("text", ["0", "4", "-1", "monday", "", "2026-03-01", "1.5", "²"])
def test_what_is_no_day_of_the_trace_is_answered_with_its_days(text: str) -> None:
    with pytest.raises(BadRequest, match=r"is not a day of small\. Its submits span days 1 to 3\."):
        day_of(text, TRACE)


def test_a_date_outside_is_answered_with_the_dates() -> None:
    with pytest.raises(BadRequest, match="span days 1 to 4, 2026-03-01 to 2026-03-04"):
        day_of("2026-02-28", DATED)

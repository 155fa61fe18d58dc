"""Dates as they stand on waiting lists."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.domain.moments import parse_moment_s
from rota.errors import BadRequest

NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC).timestamp()


def read(text: str) -> str:
    return datetime.fromtimestamp(parse_moment_s(text, NOW, UTC), UTC).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-13", "2026-10-13T00:00:00", "2026/10/13", "2026. 10. 13.", "20261013", "46308", "46308.0",
        "13.10.2026", "10/13/2026", "10/13", "13/10", "26.10.13", "13.10.26", "2026년 10월 13일", "26년 10월 13일",
        "10월 13일", "Tue 2026-10-13", "2026-10-13 (화)", "10월 13일 (화)",
    ],
)  # fmt: skip
def test_a_day_is_understood_in_many_forms(text: str) -> None:
    assert read(text) == "2026-10-13 00:00:00"


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-13 14:30", "2026-10-13T14:30:00", "2026-10-13T14:30:00Z",
        "2026-10-13T23:30:00+09:00", "13.10.2026 14:30", "2026-10-13 2:30 PM", "10월 13일 오후 2:30",
        "2026. 10. 13. 오후 2:30:00", "10월 13일 14시 30분", "46308.604166667",
    ],
)  # fmt: skip
def test_a_time_of_day_may_follow(text: str) -> None:
    assert read(text) == "2026-10-13 14:30:00"


def test_a_day_without_a_year_is_the_latest_one_that_is_past() -> None:
    assert read("12월 25일") == "2025-12-25 00:00:00"
    assert read("11/24") == "2026-11-24 00:00:00"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tomorrow", "2026-11-24"),
        ("", "no date"),
        ("10/12", "2025-12-10 or 2026-10-12"),
        ("2027-01-01", "in the future"),
        ("2026-11-24 13:01", "in the future"),
        ("1999-01-01", "years ago"),
        ("2026-02-30", "no date"),
        ("2026-10-13 25:00", "no date"),
        ("13:00", "no date"),
        ("2026-10-13 13:00 PM", "no date"),
    ],
)
def test_what_is_no_day_of_the_past_is_refused_with_what_to_write(text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        parse_moment_s(text, NOW, UTC)


@given(st.datetimes(datetime(2021, 12, 1), datetime(2026, 11, 24, 12)))
def test_what_a_spreadsheet_writes_comes_back_to_the_second(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    for form in ("%Y-%m-%d %H:%M:%S", "%Y. %m. %d. %H:%M:%S", "%Y년 %m월 %d일 %H:%M:%S"):
        assert read(moment.strftime(form)) == moment.strftime("%Y-%m-%d %H:%M:%S")


@given(st.text(max_size=30))
def test_whatever_stands_there_is_a_past_moment_or_a_sentence(text: str) -> None:
    try:
        assert parse_moment_s(text, NOW, UTC) <= NOW
    except BadRequest as refused:
        assert "Write" in str(refused)

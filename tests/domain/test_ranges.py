"""Ranges in people's words: read back, they hold what they were made of."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rota.domain.forecasts import Range
from rota.domain.ranges import STEPS_S, WIDEST_S, say_age, say_kept, say_moment, say_range, step_s

SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")
DAY_S, HOUR_S, MINUTE_S = 86400.0, 3600.0, 60.0
NOW = datetime(2026, 11, 24, 13, 30, tzinfo=SEOUL).timestamp()  # a Tuesday
CLOCK = r"(?:(\w+|\d+ \w+) )?(\d+):(\d\d)"


@pytest.mark.parametrize(
    ("early_s", "likely_s", "late_s", "said"),
    [
        (0, 0, 0, "now"),
        (8, 12, 33, "within 40 s, likely 10 s"),
        (300, 400, 880, "in 5-15 min"),
        (-60, 500, 880, "within 15 min"),
        (910, 1500, 3500, "in 15-60 min, likely 25 min"),
        (42 * 60, 93 * 60, 177 * 60, "today 14:10-16:30, likely 15:00"),
        (-60, 93 * 60, 177 * 60, "today by 16:30, likely 15:00"),
        (8.1 * HOUR_S, 9 * HOUR_S, 10.5 * HOUR_S, "today 21:30-24:00, likely 22:30"),
        (8.1 * HOUR_S, 9 * HOUR_S, 11 * HOUR_S, "today 21:30 to tomorrow 0:30, likely today 22:30"),
        (19.6 * HOUR_S, 21.6 * HOUR_S, 23.4 * HOUR_S, "tomorrow 9:00-13:00, likely about 11:00"),
        (8.1 * HOUR_S, 10 * HOUR_S, 13 * HOUR_S, "today 21:30 to tomorrow 2:30, likely today about 23:30"),
        (49 * HOUR_S, 50 * HOUR_S, 51 * HOUR_S, "Thu 14:30-16:30, likely 15:30"),
        (20 * HOUR_S, 40 * HOUR_S, 70 * HOUR_S, "tomorrow morning to Fri morning, likely Thu morning"),
        (30 * HOUR_S, 100 * HOUR_S, 170 * HOUR_S, "25 Nov to 1 Dec, likely 28 Nov"),
        (200 * HOUR_S, 250 * HOUR_S, 310 * HOUR_S, "2-7 Dec, likely 4 Dec"),
        (0, 100 * HOUR_S, 190 * HOUR_S, "by 2 Dec, likely 28 Nov"),
        (-900, -800, -700, "later than expected (by 13:18)"),
    ],
)
def test_a_range_is_said_no_finer_than_it_is_known(early_s: float, likely_s: float, late_s: float, said: str) -> None:
    assert say_range(Range(NOW + early_s, NOW + likely_s, NOW + late_s), NOW, SEOUL) == said


def test_a_list_leaves_the_likely_moment_out() -> None:
    told = Range(NOW + 42 * 60, NOW + 93 * 60, NOW + 177 * 60)
    assert say_range(told, NOW, SEOUL, has_likely=False) == "today 14:10-16:30"


def test_on_the_night_of_the_clocks_the_zone_says_which_half_past_two_is_meant() -> None:
    midnight = datetime(2026, 10, 25, tzinfo=BERLIN).timestamp()  # at 3:00 it is 2:00 again
    told = Range(midnight + 2.6 * HOUR_S, midnight + 3 * HOUR_S, midnight + 3.3 * HOUR_S)
    assert say_range(told, midnight, BERLIN) == "today 2:35 CEST-2:20 CET, likely 2:00 CET"


def test_one_moment_an_age_and_how_good_forecasts_were() -> None:
    assert say_moment(NOW + 6.17 * HOUR_S, NOW, SEOUL) == "today 19:40"
    assert say_moment(NOW - 5, NOW, SEOUL) == "now"
    assert (say_age(NOW - 60, NOW), say_age(NOW - 180, NOW)) == ("", "as of 3min ago")
    assert say_kept(8, 9) == "too few forecasts so far to say how good they are"
    assert say_kept(9, 10) == "9 of 10 such forecasts held in the last 30 days"
    assert say_kept(99, 100) == "9 of 10 such forecasts held in the last 30 days (99 of 100)"


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    """Of any width, near and far, some of them begun."""
    early_s = draw(st.floats(-HOUR_S, 20 * DAY_S))
    first_s, second_s = (draw(st.one_of(st.floats(0, HOUR_S), st.floats(0, 10 * DAY_S))) for _ in range(2))
    return Range(early_s, early_s + first_s, early_s + first_s + second_s)


#: The days around both changes of the clocks in Berlin, and one without in Seoul.
MOMENTS = st.sampled_from(
    [(datetime(2026, 3, 28, 20, tzinfo=BERLIN), BERLIN), (datetime(2026, 10, 24, 20, tzinfo=BERLIN), BERLIN),
     (datetime(2026, 11, 24, 13, 31, 7, tzinfo=SEOUL), SEOUL)]
)  # fmt: skip


@given(ranges(), MOMENTS)
def test_what_is_said_holds_the_likely_moment_in_order_and_is_never_narrower(
    told: Range, where: tuple[datetime, ZoneInfo]
) -> None:
    now, zone = where[0].timestamp(), where[1]
    told = Range(told.early + now, told.likely + now, told.late + now)
    said = say_range(told, now, zone)
    if told.late <= now + 2:
        assert said == "now" or said.startswith("later than expected")
        return
    assume(not re.search(r"\bCES?T", said))
    first, likely, last = read_back(said, now, zone)
    assert first <= likely <= last
    assert first <= max(told.likely, now) <= last
    assert first <= max(told.early, now)
    assert told.late <= last
    if "orning" not in said and "ternoon" not in said and ":" in said:
        step = max(step_s(told, now), MINUTE_S)
        assert last - first <= told.late - max(told.early, now) + 2 * step + HOUR_S * (zone is BERLIN)


@given(st.floats(1, 3 * DAY_S), st.floats(1, 3 * DAY_S))
def test_a_wider_range_is_never_said_more_finely(one_s: float, other_s: float) -> None:
    narrow, wide = sorted((one_s, other_s))
    steps = [step for _, step in STEPS_S] + [WIDEST_S]
    assert steps == sorted(steps)
    assert step_s(Range(NOW, NOW, NOW + narrow), NOW) <= step_s(Range(NOW, NOW, NOW + wide), NOW)


def read_back(said: str, now: float, zone: ZoneInfo) -> tuple[float, float, float]:
    """First, likely and last moment of a sentence; a likely moment that was left out is in between."""
    span, _, likely = said.partition(", likely ")
    if "min" in span or span.endswith(" s"):
        numbers = [int(number) for number in re.findall(r"\d+", span)]
        unit_s = MINUTE_S if "min" in span else 1.0
        first, last = (numbers[0] if len(numbers) > 1 or span.startswith("in ") else 0), numbers[-1]
        middle = int(re.findall(r"\d+", likely)[0]) if likely else first
        return now + first * unit_s, now + middle * unit_s, now + last * unit_s
    if ":" in span:
        return _read_clocks(span, likely.replace("about ", ""), now, zone)
    span = re.sub(r"^(\d+)-(\d+ )(.*)", r"\1 \3 to \2\3", span)
    parts = [_part(part, now, zone) for part in span.removeprefix("by ").split(" to ")]
    first = now if span.startswith("by ") else parts[0][0]
    between = _part(likely, now, zone) if likely else (first, first)
    return first, max(between[0], first), max(parts[-1][1], between[0])


def _read_clocks(span: str, likely: str, now: float, zone: ZoneInfo) -> tuple[float, float, float]:
    found = re.findall(CLOCK, span.replace("by ", "").replace(" to ", "|").replace("-", "|").replace("|", " | "))
    day = found[0][0]
    last = _moment(found[-1][0].strip("| ") or day, found[-1][1:], now, zone)
    first = now if "by " in span else _moment(day, found[0][1:], now, zone)
    middle = re.fullmatch(CLOCK, likely)
    return first, _moment(middle[1] or day, middle.groups()[1:], now, zone) if middle else first, last


def _moment(day: str, clock: tuple[str, ...], now: float, zone: ZoneInfo) -> float:
    hour, minute = map(int, clock)
    date = _date(day, now, zone) + timedelta(days=hour // 24)
    return datetime(date.year, date.month, date.day, hour % 24, minute, tzinfo=zone).timestamp()


def _part(said: str, now: float, zone: ZoneInfo) -> tuple[float, float]:
    """A day, or half of one, from and to."""
    day = said.removesuffix(" morning").removesuffix(" afternoon")
    date = _date(day, now, zone)
    noon, next_day = date.replace(hour=12), date + timedelta(days=1)
    if "morning" in said:
        return date.timestamp(), noon.timestamp()
    return (noon if "afternoon" in said else date).timestamp(), next_day.timestamp()


def _date(day: str, now: float, zone: ZoneInfo) -> datetime:
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for days in range(-1, 45):
        date = today + timedelta(days=days)
        names = [date.strftime("%a")] * (1 < days < 7) + [f"{date.day} {date.strftime('%b')}"] * (days >= 7 or days > 1)
        near = ("yesterday", "today", "tomorrow")[days + 1 : days + 2] if days <= 1 else ()
        if day in (*names, *near) or day == f"{date.day} {date.strftime('%b')}":
            return date
    raise AssertionError(f"no day {day!r}")

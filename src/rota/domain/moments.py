"""Dates of the past as people and spreadsheets write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

from rota.errors import BadRequest

YEARS_BACK = 5  # a date further back is a mistyped year, or belongs to another reading of its figures
#: Day 0 of spreadsheets (1 January 1900 is day 1, and a 29 February 1900 that never was is counted).
_DAY_ZERO = datetime(1899, 12, 30)
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?", re.ASCII)
_CLOCK = re.compile(
    r"(?:(?P<half>am|pm|오전|오후)\s*)?(?<!\d)(?P<hour>\d{1,2})(?::|시\s*)(?P<minute>\d{2})?(?:분)?"
    r"(?::(?P<second>\d{2})(?:\.\d+)?)?(?:\s*(?P<later>am|pm))?",
    re.ASCII | re.IGNORECASE,
)
_OFFSET = re.compile(r":\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})$", re.ASCII)
_KOREAN = re.compile(r"(?:(\d{2,4})\s*년)?\s*(\d{1,2})\s*월\s*(\d{1,2})\s*일", re.ASCII)
_NUMBERS = re.compile(r"(\d{1,4})\s*[-/.]\s*(\d{1,2})(?:\s*[-/.]\s*(\d{1,4}))?\s*\.?", re.ASCII)
_WEEKDAY = re.compile(
    r"\(?\s*(?:mon|tue|wed|thu|fri|sat|sun|[월화수목금토일])[a-z]*(?:요일)?\s*\)?[,.]?", re.IGNORECASE
)


def parse_moment_s(text: str, now: float, zone: tzinfo | None = None) -> float:
    """Epoch seconds of a date of the past, with or without a time of day.

    `2026-10-12 14:30`, `10월 12일`, `12.10.2026`, `20261012`, and `46307` from a spreadsheet. What leaves its order
    open is taken as the only reading that lies in the last five years. `zone`: None for this machine's. Raises
    BadRequest when it is no date, may be several, or lies in the future.
    """
    local = datetime.fromtimestamp(now, zone).replace(tzinfo=None)
    text = _in_zone(text.strip(), zone)
    found = sorted({moment for moment in _readings(text, local) if moment is not None})
    possible = [moment for moment in found if local - timedelta(days=366 * YEARS_BACK) <= moment <= local]
    if len(possible) == 1:
        return possible[0].replace(tzinfo=zone).timestamp()
    if possible:
        either = " or ".join(moment.strftime("%Y-%m-%d") for moment in possible)
        raise BadRequest(f"{text!r} may be {either}. Write it like {possible[0]:%Y-%m-%d}.")
    if found:
        where = "in the future" if found[0] > local else f"more than {YEARS_BACK} years ago"
        raise BadRequest(f"{text!r} is {where}. Write the day since when they wait, like {local:%Y-%m-%d}.")
    raise BadRequest(f"{text!r} is no date. Write it like {local:%Y-%m-%d}, or {local:%Y-%m-%d %H:%M}.")


def _in_zone(text: str, zone: tzinfo | None) -> str:
    """A time that says its own zone, as a clock here shows it."""
    if not _OFFSET.search(text):
        return text
    try:
        return datetime.fromisoformat(text).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):
        return text


def _readings(text: str, local: datetime) -> Iterator[datetime | None]:
    """Every way to read it."""
    if _SERIAL.fullmatch(text):
        yield (_DAY_ZERO + timedelta(seconds=round(float(text.replace(",", ".")) * 86400)))
        return
    if re.fullmatch(r"\d{8}", text, re.ASCII):
        yield _date(int(text[:4]), int(text[4:6]), int(text[6:]), timedelta())
        return
    rest, clock = _without_clock(re.sub(r"(?<=\d)T(?=\d)", " ", text))
    if clock is None:
        return
    rest = _WEEKDAY.sub("", rest).strip() if not _KOREAN.search(rest) else rest
    korean = _KOREAN.match(rest.strip())
    if korean is not None:
        yield from _dates([(korean[1], korean[2], korean[3])], clock, local)
        return
    match = _NUMBERS.fullmatch(rest)
    if match is None:
        return
    first, second, third = match.groups()
    if third is None:
        yield from _dates([(None, first, second), (None, second, first)], clock, local)
    elif len(first) == 4:
        yield from _dates([(first, second, third)], clock, local)
    elif len(third) == 4:
        yield from _dates([(third, second, first), (third, first, second)], clock, local)
    else:
        yield from _dates([(first, second, third), (third, second, first), (third, first, second)], clock, local)


def _dates(readings: list[tuple[str | None, str, str]], clock: timedelta, local: datetime) -> Iterator[datetime | None]:
    """Year, month, day; without a year, the latest one in which that day is past."""
    for year, month, day in readings:
        if year is not None:
            yield _date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day), clock)
            continue
        this = _date(local.year, int(month), int(day), clock)
        yield this if this is not None and this <= local else _date(local.year - 1, int(month), int(day), clock)


def _date(year: int, month: int, day: int, clock: timedelta) -> datetime | None:
    try:
        return datetime(year, month, day) + clock
    except (ValueError, OverflowError):
        return None


def _without_clock(text: str) -> tuple[str, timedelta | None]:
    """The text without its time of day, and that; None for a time that no clock shows."""
    match = _CLOCK.search(text)
    if match is None:
        return text.strip(), timedelta()
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    half = (match["half"] or match["later"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return text, None
        hour = hour % 12 + (12 if half in ("pm", "오후") else 0)
    if hour > 23 or minute > 59 or second > 59:
        return text, None
    return (text[: match.start()] + text[match.end() :]).strip(), timedelta(hours=hour, minutes=minute, seconds=second)

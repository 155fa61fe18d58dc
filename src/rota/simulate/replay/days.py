"""A day of a trace: by number, or by date where the trace says when it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from rota.errors import BadRequest
from rota.simulate.replay.values import Trace

DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Day:
    """One day; seconds of the trace."""

    began_s: float
    name: str  #: "day 12", or "1 March 2026"


def day_of(text: str, trace: Trace) -> Day:
    """`12` is the twelfth day, `2026-03-01` that one. Raises BadRequest."""
    text = text.strip()
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _days(trace):
        return numbered_day(int(text), trace)
    if trace.began_at is not None and (wanted := _date(text)):
        number = (wanted - _first_date(trace.began_at)).days + 1
        if 1 <= number <= _days(trace):
            return numbered_day(number, trace)
    raise BadRequest(f"--day {text} is not a day of {trace.name}. Its submits span {_span(trace)}.")


def numbered_day(number: int, trace: Trace) -> Day:
    """Days begin at midnight (UTC, as sacct's times are read) where the trace says when it was, else at its start."""
    if trace.began_at is None:
        return Day((number - 1) * DAY_S, f"day {number}")
    first = _first_date(trace.began_at)
    midnight_s = datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp() - trace.began_at
    shown = first + timedelta(days=number - 1)
    return Day(midnight_s + (number - 1) * DAY_S, f"{shown.day} {shown:%B %Y}")


def number_at(at_s: float, trace: Trace) -> int:
    """The number of the day in which this second lies."""
    return int((at_s - numbered_day(1, trace).began_s) // DAY_S) + 1


def _days(trace: Trace) -> int:
    return number_at(trace.jobs[-1].submit_s, trace)


def _first_date(began_at: float) -> date:
    return datetime.fromtimestamp(began_at, UTC).date()


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _span(trace: Trace) -> str:
    days = _days(trace)
    if trace.began_at is None:
        return f"days 1 to {days}"
    first = _first_date(trace.began_at)
    return f"days 1 to {days}, {first} to {first + timedelta(days=days - 1)}"

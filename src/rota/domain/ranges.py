"""Ranges of moments in people's words, no finer than what is known: `today 14:10-16:30, likely 15:00`.

The ends are rounded outwards, so that a said range is never narrower than the real one; the likely moment to the
nearest step. web/assets/ranges.js says the same in the browser's zone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from rota.domain.durations import say_duration
from rota.domain.forecasts import Range

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
#: A range up to so wide is said in steps of so much, seconds.
STEPS_S = (
    (20, 5),
    (100, 10),
    (5 * MINUTE_S, MINUTE_S),
    (45 * MINUTE_S, 5 * MINUTE_S),
    (3 * HOUR_S, 10 * MINUTE_S),
    (6 * HOUR_S, 30 * MINUTE_S),
)
WIDEST_S = HOUR_S  #: step of what is wider, as long as it is said by the clock
HALF_DAYS_S = 36 * HOUR_S  #: a wider range is said in mornings and afternoons,
DAYS_S = 4 * DAY_S  #: and one that is still wider in days
NEAR_S = HOUR_S  #: what is over within so long is said from now on: in 5-15 min
ABOUT_S = 30 * MINUTE_S  #: a likely moment that is rounded so much is about then
AT_ONCE_S = 2.0  #: what has come by then is now
OVERDUE_S = 60.0  #: what was to have come so long ago did not come as expected
FRESH_S = 120.0  #: a younger forecast needs no age
LEAST_TO_JUDGE = 10  #: forecasts, before which none says how good they are


def step_s(told: Range, now: float) -> int:
    """To what a range is rounded, by its width from now on; WIDEST_S also where it is said in half-days or days."""
    width_s = told.late - max(told.early, now)
    return next((step for widest, step in STEPS_S if width_s <= widest), WIDEST_S)


def say_range(told: Range, now: float, zone: tzinfo | None = None, *, has_likely: bool = True) -> str:
    """The range as people say it, in `zone` (default: this machine's).

    >>> from datetime import timezone
    >>> at = 1_790_000_000.0  # a Monday, 14:13 UTC
    >>> say_range(Range(at + 3000, at + 6000, at + 10200), at, timezone.utc)
    'today 15:00-17:10, likely 15:50'
    >>> say_range(Range(at + 320, at + 500, at + 880), at, timezone.utc)
    'in 5-15 min'
    """
    if told.late < now - OVERDUE_S:
        return f"later than expected (by {_clock(_local(told.late, zone))})"
    if told.late <= now + AT_ONCE_S:
        return "now"
    if told.late <= now + NEAR_S:
        return _from_now_on(told, now, has_likely)
    width_s = told.late - max(told.early, now)
    if width_s > HALF_DAYS_S:
        return _in_parts(told, now, zone, width_s > DAYS_S, has_likely)
    return _by_the_clock(told, now, zone, has_likely)


def say_moment(at: float, now: float, zone: tzinfo | None = None, *, step_s: float = 5 * MINUTE_S) -> str:
    """One moment of a range, rounded: `today 19:40`, `Thu 9:00`.

    >>> from datetime import timezone
    >>> say_moment(1_790_006_100.0, 1_790_000_000.0, timezone.utc)
    'today 15:55'
    """
    if at <= now + AT_ONCE_S:
        return "now"
    step = max(int(step_s), MINUTE_S)
    moment = _local(_floor(at + step / 2, step, zone), zone)
    return f"{_day(moment, _local(now, zone))} {_clock(moment)}"


def say_age(made_at: float, now: float) -> str:
    """How old a forecast is, when that matters.

    >>> say_age(0.0, 30.0), say_age(0.0, 300.0)
    ('', 'as of 5min ago')
    """
    return f"as of {say_duration(now - made_at)} ago" if now - made_at > FRESH_S else ""


def say_kept(kept: int, of: int) -> str:
    """How good such forecasts were: of those whose turns have begun, how many began within what was told.

    >>> say_kept(96, 100)
    '9 of 10 such forecasts held in the last 30 days (96 of 100)'
    """
    if of < LEAST_TO_JUDGE:
        return "too few forecasts so far to say how good they are"
    of_ten = 10 * kept // of  # downwards: 99 of 100 is not 10 of 10
    return f"{of_ten} of 10 such forecasts held in the last 30 days" + (f" ({kept} of {of})" if of > 10 else "")


# --- soon: counted from now on -------------------------------------------------------------------


def _from_now_on(told: Range, now: float, has_likely: bool) -> str:
    step = step_s(told, now)
    first = max(math.floor((told.early - now) / step), 0) * step
    last = math.ceil((told.late - now) / step) * step
    unit, name = (1, "s") if step < MINUTE_S and last < 2 * MINUTE_S else (MINUTE_S, "min")
    if unit == MINUTE_S:
        first, last = first // unit * unit, -(-last // unit) * unit
    if first <= 0:
        said = f"within {last // unit} {name}"
    elif first == last:
        said = f"in {last // unit} {name}"
    else:
        said = f"in {first // unit}-{last // unit} {name}"
    likely = min(max(_nearest(told.likely - now, max(step, unit)), first), last)
    is_news = has_likely and last - first >= 4 * max(step, unit) and likely > 0
    return f"{said}, likely {likely // unit} {name}" if is_news else said


def _nearest(seconds: float, step: int) -> int:
    return math.floor(seconds / step + 0.5) * step


# --- later: by the clock -------------------------------------------------------------------------


def _by_the_clock(told: Range, now: float, zone: tzinfo | None, has_likely: bool) -> str:
    step = max(step_s(told, now), MINUTE_S)
    first, last = _floor(max(told.early, now), step, zone), _ceil(told.late, step, zone)
    span = _Span(_local(first, zone), _local(last, zone), _local(now, zone))
    said = span.until() if first <= now else span.both()
    likely = min(max(_floor(told.likely + step / 2, step, zone), first), last)
    if not has_likely or last - first <= 2 * step or likely <= now:
        return said
    return f"{said}, likely {span.inside(_local(likely, zone), is_about=step >= ABOUT_S)}"


@dataclass(frozen=True, slots=True)
class _Span:
    """Two moments of the clock, and now."""

    first: datetime
    last: datetime
    now: datetime

    @property
    def _is_one_day(self) -> bool:
        return self.first.date() == _day_of_end(self.last)

    @property
    def _has_zones(self) -> bool:
        """Clocks are changed in between: only the zone's name tells which 2:30 is meant."""
        return self.first.utcoffset() != self.last.utcoffset()

    def both(self) -> str:
        """`today 14:10-16:30`, or with both days."""
        first, last = self._say(self.first), self._say(self.last, is_end=True)
        if self.first == self.last:
            return f"{_day(self.first, self.now)} {first}"
        if self._is_one_day:
            return f"{_day(self.first, self.now)} {first}-{last}"
        return f"{_day(self.first, self.now)} {first} to {_day(self.last, self.now)} {self._say(self.last)}"

    def until(self) -> str:
        """`today by 16:30`: it may come at any moment until then."""
        if self.now.date() == _day_of_end(self.last):
            return f"today by {self._say(self.last, is_end=True)}"
        return f"by {_day(self.last, self.now)} {self._say(self.last)}"

    def inside(self, moment: datetime, is_about: bool) -> str:
        """A moment in between; its day only where that is not clear."""
        said = f"about {self._say(moment)}" if is_about else self._say(moment)
        is_clear = self._is_one_day and moment.date() == self.first.date()
        return said if is_clear else f"{_day(moment, self.now)} {said}"

    def _say(self, moment: datetime, is_end: bool = False) -> str:
        is_midnight = is_end and (moment.hour, moment.minute) == (0, 0)
        said = "24:00" if is_midnight else _clock(moment)
        return f"{said} {moment.tzname()}" if self._has_zones else said


def _day_of_end(moment: datetime) -> date:
    """Midnight ends the day before it."""
    return (moment - timedelta(minutes=1)).date()


def _floor(at: float, step: int, zone: tzinfo | None) -> int:
    """The last moment at which the clock on the wall showed a whole step."""
    second = math.floor(at)
    local = _local(second, zone)
    return second - (local.hour * HOUR_S + local.minute * MINUTE_S + local.second) % step


def _ceil(at: float, step: int, zone: tzinfo | None) -> int:
    floor = _floor(at, step, zone)
    return floor if floor == at else floor + step


# --- much later: mornings and afternoons, or days ------------------------------------------------


def _in_parts(told: Range, now: float, zone: tzinfo | None, is_in_days: bool, has_likely: bool) -> str:
    today = _local(now, zone)

    def part(at: float) -> str:
        moment = _local(at, zone)
        if is_in_days:
            return _date(moment, today)
        return f"{_day(moment, today)} {'morning' if moment.hour < 12 else 'afternoon'}"

    first, last, likely = part(told.early), part(told.late), part(told.likely)
    both = f"{first} to {last}"
    if is_in_days and first.partition(" ")[2] == last.partition(" ")[2]:
        both = f"{first.partition(' ')[0]}-{last}"
    said = f"by {last}" if told.early <= now else both
    return f"{said}, likely {likely}" if has_likely and told.likely > now else said


# --- moments -------------------------------------------------------------------------------------


def _local(at: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at, zone) if zone else datetime.fromtimestamp(at).astimezone()


def _clock(moment: datetime) -> str:
    return f"{moment.hour}:{moment.minute:02}"


def _day(moment: datetime, today: datetime) -> str:
    """today, tomorrow, yesterday, Thu, 23 Nov, 23 Nov 2027."""
    days = (moment.date() - today.date()).days
    if days in (-1, 0, 1):
        return ("yesterday", "today", "tomorrow")[days + 1]
    return moment.strftime("%a") if 1 < days < 7 else _date(moment, today)


def _date(moment: datetime, today: datetime) -> str:
    is_far = abs((moment.date() - today.date()).days) > 300
    return f"{moment.day} {moment.strftime('%b %Y' if is_far else '%b')}"

"""Who may come meanwhile: a future's new jobs are those of a past time, as they came.

Blocks of the past are repeated whole (the block bootstrap; Künsch 1989): jobs come in bursts, by the same people, with
alike requests, at the hours and on the days at which they work, and all of that is kept without a model of it. The
next minutes are often like the last ones, and the next hour like the last one: often they are what is repeated.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import attrgetter

from rota.domain.estimates import Estimate
from rota.domain.jobs import Job

HOUR_S, DAY_S = 3600.0, 86400.0
#: Of a shorter past nothing is expected.
LEAST_KNOWN_S = HOUR_S
#: Later arrivals hardly matter to those who wait now.
AHEAD_S = 14 * DAY_S
#: So much of the past is repeated in one piece.
BLOCK_S = 6 * HOUR_S
#: So far back a block may lie, and after so long it is half as likely to be chosen.
MOST_DAYS, HALF_LIFE_DAYS = 56, 14.0
#: A day on another day of the week, against the same one.
OTHER_WEEKDAY = 0.35
#: The next while is taken to be like the last one, so often: a rush goes on, quiet too.
PERSISTENCE = ((600.0, 0.5), (HOUR_S, 0.5))
REMEMBERED = 20_000
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Arrival:
    """A submit of the past."""

    at: float
    job: Job
    estimate: Estimate | None  #: what was believed of its run time then


@dataclass(slots=True)
class Arrivals:
    """Submits of the past, in order."""

    _past: deque[Arrival] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _since: float | None = None  #: when watching began; epoch seconds

    def add(self, job: Job, estimate: Estimate | None) -> None:
        """A job was submitted, later than all before it."""
        if self._since is None:
            self._since = job.submitted_at
        self._past.append(Arrival(job.submitted_at, job, estimate))

    def draw(self, at: float, chance: random.Random) -> Iterator[Arrival]:
        """What may come from `at` on, in order, for `AHEAD_S`: past submits, moved."""
        if self._since is None or not self._past:
            return
        known_s = at - max(self._since, self._past[0].at if self._is_full else self._since)
        begin = at
        for lasts_s, part in PERSISTENCE:
            if known_s >= lasts_s and chance.random() < part:
                yield from self._block(begin, begin + lasts_s, begin + lasts_s - at)
                begin += lasts_s
        if known_s < LEAST_KNOWN_S:
            return
        while begin < at + AHEAD_S:
            # Less than a day is known, or not as much as lies ahead: so much of it as there is, again and again.
            cycle_s = _days_back(known_s, chance) * DAY_S or known_s
            back_s = cycle_s * (math.floor((begin - at) / cycle_s + ROUNDING) + 1)
            end = min(begin + BLOCK_S, at + back_s)
            yield from self._block(begin, end, back_s)
            begin = end

    @property
    def _is_full(self) -> bool:
        return len(self._past) == self._past.maxlen

    def _block(self, begin: float, end: float, back_s: float) -> list[Arrival]:
        """The submits of as long a time, `back_s` before; one that lies ahead has none."""
        low = bisect_left(self._past, begin - back_s, key=_at)
        high = bisect_left(self._past, end - back_s, key=_at)
        return [replace(one, at=one.at + back_s) for one in islice(self._past, low, high)]


_at = attrgetter("at")


def _days_back(known_s: float, chance: random.Random) -> int:
    """A day of the past; recent ones and the same day of the week more often. 0: less than a day is known."""
    days = min(int(known_s // DAY_S), MOST_DAYS)
    if not days:
        return 0
    weights = [0.5 ** (day / HALF_LIFE_DAYS) * (1.0 if day % 7 == 0 else OTHER_WEEKDAY) for day in range(1, days + 1)]
    return chance.choices(range(1, days + 1), weights)[0]

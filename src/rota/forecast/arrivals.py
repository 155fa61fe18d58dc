"""Who may come meanwhile: a future's new jobs are those of a past time, as they came.

Blocks of the past are repeated whole (the block bootstrap; Künsch 1989): jobs come in bursts, by the same people, with
alike requests, at the hours and on the days at which they work, and all of that is kept without a model of it. The
next hour is often like the last one, so that is one of the blocks it is drawn from.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field

from rota.domain.jobs import Job

HOUR_S, DAY_S = 3600.0, 86400.0
#: So much of the past is repeated in one piece.
BLOCK_S = 6 * HOUR_S
#: So far back a block may lie, and after so long it is half as likely to be chosen.
MOST_DAYS, HALF_LIFE_DAYS = 56, 14.0
#: A day on another day of the week, against the same one.
OTHER_WEEKDAY = 0.35
#: How often the next hour is taken to be like the last one.
PERSISTENCE = 0.5
REMEMBERED = 20_000


@dataclass(slots=True)
class Arrivals:
    """Submits of the past, in order."""

    _jobs: deque[Job] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _since: float | None = None  #: when watching began; epoch seconds

    def add(self, job: Job) -> None:
        """A job was submitted, later than all before it."""
        if self._since is None:
            self._since = job.submitted_at
        self._jobs.append(job)

    def draw(self, at: float, until: float, chance: random.Random) -> list[tuple[float, Job]]:
        """What may come from `at` on, as (when, a past job like it), in order."""
        if self._since is None or not self._jobs:
            return []
        known_s = at - max(self._since, self._jobs[0].submitted_at if self._is_full else self._since)
        drawn: list[tuple[float, Job]] = []
        begin = at
        if known_s >= HOUR_S and chance.random() < PERSISTENCE:
            drawn += self._block(at, min(at + HOUR_S, until), HOUR_S)
            begin += HOUR_S
        while begin < until:
            back_s = _days_back(known_s, chance) * DAY_S
            if not back_s:  # less than a day is known: so much of it as there is, again and again
                back_s = max(known_s, 0.0)
                if back_s < HOUR_S:
                    break
            end = min(begin + min(BLOCK_S, back_s), until)
            drawn += self._block(begin, end, back_s + (begin - at) // back_s * back_s if back_s < DAY_S else back_s)
            begin = end
        return drawn

    @property
    def _is_full(self) -> bool:
        return len(self._jobs) == self._jobs.maxlen

    def _block(self, begin: float, end: float, back_s: float) -> list[tuple[float, Job]]:
        """The submits of as long a time, `back_s` before; one that lies ahead has none."""
        low = bisect_left(self._jobs, begin - back_s, key=_submitted_at)
        high = bisect_left(self._jobs, end - back_s, key=_submitted_at)
        return [(self._jobs[place].submitted_at + back_s, self._jobs[place]) for place in range(low, high)]


def _submitted_at(job: Job) -> float:
    return job.submitted_at


def _days_back(known_s: float, chance: random.Random) -> int:
    """A day of the past; recent ones and the same day of the week more often. 0: less than a day is known."""
    days = min(int(known_s // DAY_S), MOST_DAYS)
    if not days:
        return 0
    weights = [0.5 ** (day / HALF_LIFE_DAYS) * (1.0 if day % 7 == 0 else OTHER_WEEKDAY) for day in range(1, days + 1)]
    return chance.choices(range(1, days + 1), weights)[0]

"""A made-up laboratory with members who have habits, a weekly rhythm, and a month before a deadline."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from rota.simulate.replay.values import Trace, TraceJob

NAME, FLEET = "a laboratory", "3x h100:8"
MEMBERS, PROJECTS, WEEKS = 14, 4, 26
DAY_S, WEEK_S = 86400.0, 7 * 86400.0
#: Submits an hour in a usual week: by day, at night, and that part of it at the weekend.
BY_DAY, AT_NIGHT, WEEKEND_PART = 1.5, 0.2, 0.3
#: Before the deadline more is submitted, and runs longer. Weeks, from and to.
DEADLINE_WEEKS, MORE, LONGER = (14, 18), 1.8, 1.5
#: A sweep is submitted at once, so often, of so many jobs.
SWEEP_PART, SWEEP_JOBS = 0.03, (8, 60)


@dataclass(frozen=True, slots=True)
class _Habit:
    """What one member runs: most jobs are of one kind."""

    name: str
    project: str
    gpus: int
    median_s: float
    sigma: float
    submits: float  #: weight among members


def laboratory_trace(seed: int = 1) -> Trace:
    """Half a year of its jobs; the same for the same seed."""
    chance = random.Random(seed)
    habits = [_habit(number, chance) for number in range(1, MEMBERS + 1)]
    weights = [habit.submits for habit in habits]
    jobs: list[TraceJob] = []
    at = 0.0
    while (at := at + chance.expovariate(_most_an_hour() / 3600.0)) < WEEKS * WEEK_S:
        if chance.random() * _most_an_hour() > _an_hour(at):
            continue
        habit = chance.choices(habits, weights)[0]
        count = chance.randint(*SWEEP_JOBS) if chance.random() < SWEEP_PART else 1
        length_s = chance.lognormvariate(math.log(habit.median_s), habit.sigma) * (LONGER if _is_hurried(at) else 1.0)
        for place in range(count):
            duration_s = max(length_s * chance.lognormvariate(0.0, 0.2), 20.0)
            jobs.append(TraceJob(len(jobs) + 1, at + place, habit.gpus, duration_s, habit.name, habit.project))
    jobs.sort(key=lambda job: (job.submit_s, job.id))
    return Trace(NAME, tuple(jobs))


def _habit(number: int, chance: random.Random) -> _Habit:
    gpus = chance.choices((1, 2, 4, 8), (0.6, 0.2, 0.12, 0.08))[0]
    median_s = 3600.0 * chance.choice((0.5, 2.0, 4.0, 8.0, 14.0))
    return _Habit(
        f"m{number}", f"p{number % PROJECTS + 1}", gpus, median_s, chance.uniform(0.4, 1.3), 1.0 / number**0.7
    )


def _is_hurried(at: float) -> bool:
    return DEADLINE_WEEKS[0] <= at / WEEK_S < DEADLINE_WEEKS[1]


def _most_an_hour() -> float:
    return BY_DAY * MORE


def _an_hour(at: float) -> float:
    """Submits an hour at this moment; second 0 is a Monday's midnight."""
    hour, day = at % DAY_S / 3600.0, int(at % WEEK_S // DAY_S)
    usual = BY_DAY if 9 <= hour < 21 else AT_NIGHT
    return usual * (WEEKEND_PART if day >= 5 else 1.0) * (MORE if _is_hurried(at) else 1.0)

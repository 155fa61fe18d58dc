"""How fast the tiers are against each other: a published table, corrected by the laboratory's own jobs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from rota.forecast.paces import Paces

#: Below so many jobs on two tiers, the table stands.
LEAST_JOBS = 3
#: The table counts as so many jobs: it is good to about a third for a given model, and so is one job for the others.
TABLE_JOBS = 3


class Origin(StrEnum):
    """Where a speed comes from."""

    STATED = "stated"  # [tiers] speeds in rota.toml: the laboratory knows best
    MEASURED = "measured"  # its own jobs, weighed with the table
    TABLE = "table"  # docs/speeds.md
    UNKNOWN = "unknown"  # in no table: taken to be as slow as the slowest that is known


@dataclass(frozen=True, slots=True)
class TierSpeed:
    """One tier's speed, where it comes from, and how many jobs were measured."""

    speed: float
    origin: Origin
    jobs: int = 0


def tier_speeds(
    tiers: Sequence[str], table: Mapping[str, float], stated: Mapping[str, float], paces: Paces
) -> dict[str, TierSpeed]:
    """The speed of each tier, best tier first.

    A tier is measured against the one before it with which it shares most jobs: the median ratio of their steps a
    second, in logarithms, with the table's ratio counted as `TABLE_JOBS` further jobs.
    """
    slowest = min((table[tier] for tier in tiers if tier in table), default=1.0)
    speeds: dict[str, TierSpeed] = {}
    for tier in tiers:
        known = TierSpeed(table.get(tier, slowest), Origin.TABLE if tier in table else Origin.UNKNOWN)
        if tier in stated:
            speeds[tier] = TierSpeed(stated[tier], Origin.STATED)
        else:
            speeds[tier] = _corrected(tier, known, speeds, table, paces)
    return speeds


def _corrected(
    tier: str, known: TierSpeed, before: Mapping[str, TierSpeed], table: Mapping[str, float], paces: Paces
) -> TierSpeed:
    shared = {other: ratios for other in before if len(ratios := paces.ratios(tier, other)) >= LEAST_JOBS}
    if not shared:
        return known
    other = max(shared, key=lambda name: len(shared[name]))
    measured, jobs = math.log(median(shared[other])), len(shared[other])
    # Without a place in the table there is nothing to weigh the measurement against.
    table_jobs = TABLE_JOBS if tier in table and other in table else 0
    expected = math.log(table[tier] / table[other]) if table_jobs else 0.0
    ratio = math.exp((jobs * measured + table_jobs * expected) / (jobs + table_jobs))
    return TierSpeed(before[other].speed * ratio, Origin.MEASURED, jobs)

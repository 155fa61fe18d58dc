"""How often all forecasts are made anew."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Between two refreshes: so many times as long as the latest one took, but at least so many seconds.
REST_FACTOR = 3.0
LEAST_REST_S = 1.0
#: While somebody waits, forecasts are at most so old, also when nothing has happened.
LONGEST_AGE_S = 600.0


@dataclass(frozen=True, slots=True)
class Refresh:
    """The latest one; seconds of a monotonic clock."""

    began_at: float
    ended_at: float


def next_refresh_at(latest: Refresh | None, *, has_news: bool, somebody_waits: bool) -> float:
    """When the next one may begin, by the same clock; infinity while there is no need for one."""
    if not has_news and not somebody_waits:
        return math.inf
    if latest is None:
        return 0.0
    rested_at = latest.ended_at + max(REST_FACTOR * (latest.ended_at - latest.began_at), LEAST_REST_S)
    return rested_at if has_news else max(rested_at, latest.began_at + LONGEST_AGE_S)

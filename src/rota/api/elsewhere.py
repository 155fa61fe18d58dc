"""A tier that a waiting job did not ask for, and on which it could begin at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from rota.domain.forecasts import Forecast
from rota.domain.jobs import Job
from rota.policy.plan import plan_from
from rota.policy.rank import ShortRemaindersFirst
from rota.policy.standing import Standing
from rota.policy.values import Begin, Snapshot

#: A turn that begins so much sooner is worth telling, also when nothing is known of the end; seconds.
MUCH_SOONER_S = 3600.0
#: A job is done sooner when the difference is more than forecasts are rounded to; seconds.
SOONER_S = 600.0
#: Among more jobs than this, a plan made only for a hint costs too much.
MOST_JOBS = 2000


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where a job could begin now, and what would come of it."""

    tier: str
    memory_bytes: int  #: of each of its GPUs
    times_as_fast: float  #: against the tier on which the job is expected otherwise
    finish_at: float | None  #: likely; None: nothing is known of the job's length


def elsewhere(job: Job, snapshot: Snapshot, forecast: Forecast | None) -> Elsewhere | None:
    """The best such tier, when the job would be done sooner there or begin much sooner; None when there is none.

    Whether it really begins there is asked of the policy: a free GPU may be kept for a gang, or reserved.
    """
    if forecast is None or forecast.begin is None or not job.request.tiers or len(snapshot.jobs) > MOST_JOBS:
        return None
    found = [
        there
        for tier in _with_free_gpus(job, snapshot)
        if (begin := _begin(job, tier, snapshot)) is not None
        if (there := _told(job, begin, snapshot, forecast)) is not None
    ]
    return min(found, key=lambda there: (there.finish_at or float("inf"), -there.times_as_fast), default=None)


def _with_free_gpus(job: Job, snapshot: Snapshot) -> list[str]:
    """Tiers that it does not accept as it is, and of which a node has enough free GPUs that are large enough."""
    busy = {gpu for turn in snapshot.turns for gpu in turn.gpus}
    free = Counter(
        (gpu.tier, gpu.node)
        for gpu in snapshot.gpus
        if gpu.uuid not in busy and gpu.uuid not in snapshot.conditions
        if gpu.memory_bytes >= job.request.gpu_memory_bytes and gpu.tier not in job.request.tiers
    )
    return list(dict.fromkeys(tier for (tier, _), gpus in free.items() if gpus >= job.request.gpus))


def _begin(job: Job, tier: str, snapshot: Snapshot) -> Begin | None:
    """Its turn, if it asked for this tier."""
    moved = replace(job, request=replace(job.request, tiers=(tier,)))
    jobs = tuple(moved if one.id == job.id else one for one in snapshot.jobs)
    asked = replace(snapshot, jobs=jobs)
    made = plan_from(Standing.of(asked, ShortRemaindersFirst(asked.rules)), asked, wants_reasons=False)
    return next((begin for begin in made.begins if begin.job == job.id), None)


def _told(job: Job, begin: Begin, snapshot: Snapshot, forecast: Forecast) -> Elsewhere | None:
    """What would come of it, if it is worth telling."""
    assert forecast.begin is not None  # elsewhere() has looked
    speeds, now = snapshot.rules.speeds, snapshot.at
    here = forecast.tier or job.request.tiers[0]
    times_as_fast = speeds.get(begin.tier, 1.0) / speeds.get(here, 1.0)
    memory_bytes = next(gpu.memory_bytes for gpu in snapshot.gpus if gpu.uuid in begin.gpus)
    sooner_s = forecast.begin.likely - now
    if forecast.finish is None:
        there = Elsewhere(begin.tier, memory_bytes, times_as_fast, None)
        return there if sooner_s >= MUCH_SOONER_S else None
    # From first turn to end there is waiting as well; scaled with the rest, the other tier seems no better than it is.
    finish_at = now + max(forecast.finish.likely - forecast.begin.likely, 0.0) / times_as_fast
    later_s = finish_at - forecast.finish.likely
    is_worth = later_s <= -SOONER_S or (sooner_s >= MUCH_SOONER_S and later_s <= sooner_s)
    return Elsewhere(begin.tier, memory_bytes, times_as_fast, finish_at) if is_worth else None

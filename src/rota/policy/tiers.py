"""On which of the tiers that it accepts a job is served."""

from __future__ import annotations

from collections.abc import Mapping

from rota.policy.floor import Floor
from rota.policy.standing import Standing

#: A stop and a start must pay: a turn moves to a faster tier only when it is at least so much faster.
WORTH_MOVING = 1.25


def short_tiers(standing: Standing) -> frozenset[str]:
    """Tiers of which jobs that accept only them could use every free GPU."""
    wanted: dict[str, int] = {}
    for shape, jobs in standing.shapes.items():
        if len(shape.tiers) == 1:
            wanted[shape.tiers[0]] = wanted.get(shape.tiers[0], 0) + shape.gpus * jobs
    indexes = standing.bays.indexes
    return frozenset(tier for tier, gpus in wanted.items() if tier not in indexes or gpus >= indexes[tier].free)


def in_preference(accepted: tuple[str, ...], tiers: tuple[str, ...], short: frozenset[str]) -> tuple[str, ...]:
    """The tiers a job accepts, the preferred first.

    A job that accepts any leaves the tiers alone that choosy jobs are short of, and takes the best of the others.
    """
    if accepted:
        return accepted
    if not short:
        return tiers
    return tuple(tier for tier in tiers if tier not in short) + tuple(tier for tier in tiers if tier in short)


def better_by_waiting(
    tier: str,
    accepted: tuple[str, ...],
    left_s: float,
    turn_s: float,
    gpus: int,
    floor: Floor,
    speeds: Mapping[str, float],
) -> tuple[str, float] | None:
    """A faster tier for which waiting pays, and how long the wait is; None when starting here is right.

    `left_s`: run time left on a tier of speed 1; `turn_s`: how long the next turn lasts at least. A turn here is not
    lost work: it pays when it does more by its end than a later start there, or when the job is done sooner.
    """
    here = speeds.get(tier, 1.0)
    for other in accepted:
        there = speeds.get(other, 1.0)
        if there <= here:
            continue
        wait_s = _wait_s(other, gpus, floor)
        if left_s / here <= wait_s + left_s / there:
            continue
        if turn_s * here >= max(turn_s - wait_s, 0.0) * there:
            continue
        return other, wait_s
    return None


def _wait_s(tier: str, gpus: int, floor: Floor) -> float:
    """Until so many GPUs of a tier can be had, as far as is guaranteed; those ahead in this plan have theirs first."""
    times: list[float] = []
    for running in floor.standing.running.values():
        if running.turn.tier == tier:
            times += [max(running.until - floor.at, 0.0)] * len(running.turn.gpus)
    times.sort()
    place = floor.claimed_soon.get(tier, 0) + gpus - 1
    return times[place] if place < len(times) else float("inf")

"""GPUs kept idle for a gang that has its turn, but whose GPUs become free one after the other.

A gang is kept a place only when it will be whole at a known time: every turn in the way is over by then, or past its
quantum and behind the gang in order. Turns that come before it go on for as long as they like, so nothing is kept on
their account: GPUs would idle, and the gang be no nearer.
"""

from __future__ import annotations

from collections.abc import Callable

from rota.domain.jobs import Job
from rota.policy.bays import Bay
from rota.policy.floor import Floor, Hold
from rota.policy.place import FOR_EVER_S
from rota.policy.standing import Running

Comes = Callable[[Running], bool]  #: whether a turn comes after the gang in order, once its quantum is over


def hold_for_gang(
    job: Job, tiers: tuple[str, ...], floor: Floor, comes_after: Comes
) -> tuple[list[Bay], int, float] | None:
    """Keep what gets free in the bays in which it is whole earliest.

    Returns the bays, how many of their GPUs are free now, and when it is whole; None when no place could take it.
    """
    wanted = job.request.gpus
    best: tuple[float, list[Bay]] | None = None
    for tier in tiers:
        whole = sorted(_whole_bays(job, tier, floor, comes_after), key=lambda entry: (entry[0], entry[1].index))
        needed: list[Bay] = []
        at = floor.at
        while whole and sum(len(bay.gpus) for bay in needed) < wanted:
            at, bay = whole.pop(0)
            needed.append(bay)
        if sum(len(bay.gpus) for bay in needed) >= wanted and (best is None or at < best[0]):
            best = (at, needed)
    if best is None:
        return None
    whole_at, bays = best
    for bay in bays:
        floor.holds[bay.index] = Hold(job.id, whole_at)
    return bays, sum(len(floor.free_in(bay)) for bay in bays), whole_at


def _whole_bays(job: Job, tier: str, floor: Floor, comes_after: Comes) -> list[tuple[float, Bay]]:
    """The bays of a tier that the gang could have, and from when on."""
    wanted = job.request.gpus
    is_spread = wanted > floor.standing.bays.in_service.get(tier, 0)
    found = []
    for bay in floor.bays:
        if bay.tier != tier or bay.index in floor.holds or (len(bay.gpus) < wanted and not is_spread):
            continue
        if len(bay.gpus) - floor.kept_going.get(bay.index, 0) < min(wanted, len(bay.gpus)):
            continue
        at = _whole_at(bay, min(wanted, len(bay.gpus)), job, floor, comes_after)
        if at is not None:
            found.append((at, bay))
    return found


def _whole_at(bay: Bay, gpus: int, job: Job, floor: Floor, comes_after: Comes) -> float | None:
    """When so many GPUs of the bay can be had together; None when nobody can say."""
    standing, now = floor.standing, floor.at
    free_now = len(floor.free_in(bay)) + len(floor.freeing.get(bay.index, ()))
    later: list[float] = []
    pinned: list[Running] = []
    going_on = 0
    for turn_id, running in standing.in_bay.get(bay.index, {}).items():
        count = len(running.places_in(bay))
        if turn_id in floor.stoppable:
            free_now += count
        elif turn_id in standing.ending or floor.is_stopped(running):
            continue  # counted as freeing, unless somebody else was promised it
        elif running.turn.limit_at is not None:
            later += [max(running.turn.limit_at, now)] * count
        elif turn_id in standing.open:
            going_on += count
            if len(bay.gpus) - going_on < gpus:
                return None
        else:
            pinned.append(running)
    for running in pinned:  # asked last: it costs most
        if comes_after(running):
            later += [running.turn.guaranteed_until] * len(running.places_in(bay))
    if free_now + len(later) < gpus:
        return None
    if not floor.fitting(list(range(len(bay.gpus))), bay, job, FOR_EVER_S if floor.kept else 0.0):
        return None
    return now if free_now >= gpus else sorted(later)[gpus - free_now - 1]

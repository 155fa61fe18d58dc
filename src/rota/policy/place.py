"""Where a candidate goes: on free GPUs now, or on GPUs that are freed for it."""

from __future__ import annotations

from typing import NamedTuple

from rota.domain.gpus import Gpu
from rota.domain.jobs import Job, Request
from rota.policy.bays import Bay
from rota.policy.floor import Floor, Hold
from rota.policy.standing import Running

#: So many bays are compared for one job; in a fleet with more, the first good ones do.
MOST_COMPARED = 16
FOR_EVER_S = float("inf")


class Place(NamedTuple):
    """GPUs for a job; more than one bay only when it fits in none."""

    bays: tuple[tuple[Bay, tuple[int, ...]], ...]  #: places of its GPUs in each bay
    stops: tuple[Running, ...] = ()  #: turns that must end first
    fills_gap: Hold | None = None  #: before a gang needs them

    @property
    def gpus(self) -> list[Gpu]:
        return [bay.gpus[place] for bay, places in self.bays for place in places]

    @property
    def tier(self) -> str:
        return self.bays[0][0].tier


def place_now(job: Job, needs_s: float, tier: str, floor: Floor) -> Place | None:
    """Free GPUs, where they leave the fewest others free; kept ones only when the job fits into the gap."""
    request = job.request
    index = floor.index(tier)
    if request.gpus >= len(index.by_count):
        return _spread_now(job, needs_s, tier, floor)
    for bay_index in index.with_at_least(request.gpus):
        bay = floor.bays[bay_index]
        places = floor.fitting(floor.free_in(bay), bay, job, needs_s)
        if len(places) >= request.gpus and not floor.lacks(bay, request):
            return Place(((bay, tuple(places[: request.gpus])),), fills_gap=floor.holds.get(bay_index))
    return None


def _spread_now(job: Job, needs_s: float, tier: str, floor: Floor) -> Place | None:
    """A gang that fits on no node of the tier: whole nodes, and the remainder on one more."""
    index = floor.index(tier)
    left, chosen = job.request.gpus, []
    for count in range(len(index.by_count) - 1, 0, -1):
        for bay_index in index.by_count[count]:
            bay = floor.bays[bay_index]
            if count == len(bay.gpus) <= left and bay_index not in floor.holds:
                places = floor.fitting(floor.free_in(bay), bay, job, needs_s)
                if len(places) == len(bay.gpus):
                    chosen.append((bay, tuple(places)))
                    left -= count
    if left:
        used = {bay.index for bay, _ in chosen}
        for bay_index in index.with_at_least(left):
            bay = floor.bays[bay_index]
            places = floor.fitting(floor.free_in(bay), bay, job, needs_s)
            if bay_index not in used and bay_index not in floor.holds and len(places) >= left:
                chosen.append((bay, tuple(places[:left])))
                left = 0
                break
    return None if left else Place(tuple(chosen))


def place_soon(job: Job, needs_s: float, tier: str, floor: Floor) -> Place | None:
    """GPUs that are free, are being freed, or belong to turns that rank after this job."""
    if not floor.stoppable and not floor.freeing:
        return None
    request = job.request
    if request.gpus >= len(floor.index(tier).by_count):
        return _spread_soon(job, needs_s, tier, floor)
    if request.gpus == 1 and not floor.freeing and (place := _lowest_turn(job, needs_s, tier, floor)):
        return place
    best: tuple[tuple[int, int, int], Place] | None = None
    compared = 0
    for bay in floor.contested(tier, request.gpus):
        found = _soon_in(bay, job, needs_s, floor)
        if found is None:
            continue
        if best is None or found[0] < best[0]:
            best = found
        compared += 1
        if compared >= MOST_COMPARED or not found[1].stops:
            break
    return best[1] if best else None


def _lowest_turn(job: Job, needs_s: float, tier: str, floor: Floor) -> Place | None:
    """For one GPU: simply the turn that ranks last."""
    for running in floor.lowest_first:
        if running.turn.tier == tier and running.turn.id in floor.stoppable:
            for bay, held in running.bays:
                places = floor.fitting(held[:1], bay, job, needs_s)
                if places and not floor.lacks(bay, job.request, (running,), is_soon=True):
                    return Place(((bay, tuple(places)),), (running,))
    return None


def _soon_in(bay: Bay, job: Job, needs_s: float, floor: Floor) -> tuple[tuple[int, int, int], Place] | None:
    """The place in one bay, with how much it disturbs: turns stopped, how high the best one ranks, GPUs left over."""
    request = job.request
    usable = floor.free_in(bay) + floor.freeing.get(bay.index, [])
    if usable:
        usable = floor.fitting(usable, bay, job, needs_s)
    missing, more = request.gpus - len(usable), _More([], [])
    for running in floor.contenders_in(bay):
        if missing <= 0 and not floor.lacks(bay, request, more.stops, is_soon=True):
            break
        if places := floor.fitting(running.places_in(bay), bay, job, needs_s):
            more.stops.append(running)
            more.places.append(places)
            missing -= len(places)
    if missing > 0 or floor.lacks(bay, request, more.stops, is_soon=True):
        return None
    if len(more.stops) > 1:
        more = _needed(more, -missing, bay, request, floor)
    if more.stops:  # what is freed by a stop is used first: else the stop were for nothing
        usable = [place for places in reversed(more.places) for place in places] + usable
    highest = max((floor.height(running) for running in more.stops), default=0)
    disturbs = len(more.stops), highest, len(usable) - request.gpus
    return disturbs, Place(((bay, tuple(usable[: request.gpus])),), tuple(more.stops))


class _More(NamedTuple):
    """Turns that would be stopped, and the places of each."""

    stops: list[Running]
    places: list[list[int]]


def _needed(more: _More, spare: int, bay: Bay, request: Request, floor: Floor) -> _More:
    """Without those turns whose stop turned out to be for nothing, the ones that rank highest spared first."""
    kept = list(range(len(more.stops)))
    for number in kept[-2::-1]:
        rest = [more.stops[other] for other in kept if other != number]
        if len(more.places[number]) <= spare and not floor.lacks(bay, request, rest, is_soon=True):
            kept.remove(number)
            spare -= len(more.places[number])
    return _More([more.stops[number] for number in kept], [more.places[number] for number in kept])


def _spread_soon(job: Job, needs_s: float, tier: str, floor: Floor) -> Place | None:
    """The same for a gang that fits on no node: whole nodes, the remainder on one more."""
    left, chosen, stops = job.request.gpus, [], dict[str, Running]()
    partly: list[tuple[Bay, list[int], list[Running]]] = []
    for bay in (bay for bay in floor.bays if bay.tier == tier and bay.index not in floor.holds):
        lowest = floor.contenders_in(bay)
        of_turns = [place for running in lowest for place in running.places_in(bay)]
        usable = floor.freeing.get(bay.index, []) + floor.free_in(bay) + of_turns
        usable = floor.fitting(usable, bay, job, needs_s)
        if usable and len(usable) == len(bay.gpus) <= left:
            chosen.append((bay, tuple(usable)))
            stops.update({running.turn.id: running for running in lowest})
            left -= len(usable)
        elif usable:
            partly.append((bay, usable, lowest))
    if left:
        enough = [entry for entry in partly if len(entry[1]) >= left]
        if not enough:
            return None
        bay, usable, lowest = min(enough, key=lambda entry: len(entry[1]))
        chosen.append((bay, tuple(usable[:left])))
        needed = {bay.gpus[place].uuid for place in usable[:left]}
        stops.update({r.turn.id: r for r in lowest if not needed.isdisjoint(r.turn.gpus)})
    return Place(tuple(chosen), tuple(stops.values()))

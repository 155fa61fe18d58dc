"""Which GPUs a reservation keeps, and from when on others must be off them."""

from __future__ import annotations

from collections.abc import Iterable

from rota.domain.jobs import Job
from rota.domain.reservations import Reservation
from rota.policy.bays import Bay, Bays

Kept = dict[str, tuple[Reservation, ...]]  #: by UUID: the reservations that a GPU is part of


def kept_gpus(reservations: Iterable[Reservation], bays: Bays, tiers: Iterable[str], at: float) -> Kept:
    """The GPUs of every reservation that is not over.

    They depend on the fleet alone, not on who runs where, so that they stay the same from plan to plan:
    the first of the best tier that the reservation accepts, on as few nodes as possible.
    """
    kept: Kept = {}
    for reservation in sorted(reservations, key=lambda one: (one.begins_at, one.name)):
        if reservation.ends_at <= at:
            continue
        taken = {uuid for uuid, others in kept.items() if any(_overlap(reservation, other) for other in others)}
        wanted = reservation.gpus
        for tier in reservation.tiers or tuple(tiers):
            for gpus in _by_fit(wanted, [bay for bay in bays.all if bay.tier == tier], taken | bays.out):
                for uuid in gpus[:wanted]:
                    kept[uuid] = (*kept.get(uuid, ()), reservation)
                wanted -= min(wanted, len(gpus))
    return kept


def admits(reservations: tuple[Reservation, ...], job: Job, at: float, until: float) -> bool:
    """Whether a job may hold such a GPU from now to then: it is meant, or the two do not meet."""
    return all(
        until <= one.begins_at or one.ends_at <= at or one.admits(job.member, job.project) for one in reservations
    )


def _overlap(one: Reservation, other: Reservation) -> bool:
    return one.begins_at < other.ends_at and other.begins_at < one.ends_at


def _by_fit(wanted: int, bays: list[Bay], taken: set[str]) -> list[list[str]]:
    """What each bay has left: the smallest that has enough first, else the largest first."""
    left = [[gpu.uuid for gpu in bay.gpus if gpu.uuid not in taken] for bay in bays]
    return sorted(left, key=lambda gpus: (len(gpus) < wanted, len(gpus) if len(gpus) >= wanted else -len(gpus)))

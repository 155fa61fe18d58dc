"""What rota.toml keeps for a time: `[[reservations]]` and `[[deadlines]]`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pydantic import Field, model_validator

from rota.domain.durations import say_duration
from rota.domain.gpus import Fleet
from rota.domain.reservations import Reservation
from rota.errors import BadSettings
from rota.ledger.deadlines import Deadline
from rota.written import Duration, Moment, Name, Section

LONGEST_EARLY_S = 60 * 86400.0


class ReservationSettings(Section):
    """GPUs kept for members or projects from one time to another."""

    name: Name
    gpus: int = Field(ge=1, le=1_000_000)
    tiers: tuple[Name, ...] = ()
    begins_at: Moment = Field(alias="begins")
    ends_at: Moment = Field(alias="ends")
    members: tuple[Name, ...] = ()
    projects: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _makes_sense(self) -> ReservationSettings:
        if self.ends_at <= self.begins_at:
            raise ValueError(f"{self.name} ends before it begins. Make ends later than begins.")
        if not self.members and not self.projects:
            raise ValueError(
                f'{self.name} is for nobody. Say who may use it: members = ["kim"], projects = ["vision"], or both.'
            )
        return self

    def value(self) -> Reservation:
        """As the policy reads it."""
        return Reservation(self.name, self.gpus, self.begins_at, self.ends_at, self.tiers, self.members, self.projects)


class DeadlineSettings(Section):
    """When a project's results must be there, and for how long before it may have some of its share early."""

    project: Name
    at: Moment
    early_s: Duration = Field(alias="early")

    @model_validator(mode="after")
    def _makes_sense(self) -> DeadlineSettings:
        if self.early_s > LONGEST_EARLY_S:
            raise ValueError(f"early is longer than {say_duration(LONGEST_EARLY_S)}. Write it like 7d.")
        return self

    def value(self) -> Deadline:
        """As the ledger reads it."""
        return Deadline(self.project, self.at, self.early_s)


def check_reservations(reservations: Iterable[Reservation], fleet: Fleet) -> None:
    """Raises BadSettings for what this fleet cannot keep, or keep together."""
    known: list[Reservation] = []
    for one in reservations:
        where = f"rota.toml, [[reservations]] {one.name}"
        if any(other.name == one.name for other in known):
            raise BadSettings(f"{where}: there are two of that name. Give each its own.")
        for tier in one.tiers:
            if tier not in fleet.tiers:
                raise BadSettings(f"{where}: there is no tier {tier!r} here. Tiers: {', '.join(fleet.tiers)}.")
        there = _gpus(one, fleet)
        if one.gpus > there:
            of = f" of tier {' or '.join(one.tiers)}" if one.tiers else ""
            raise BadSettings(f"{where}: it keeps {one.gpus} GPUs, and there are {there}{of}. Keep {there} or fewer.")
        known.append(one)
    _check_together(known, fleet)


def _check_together(known: list[Reservation], fleet: Fleet) -> None:
    """Most is kept at a moment when one of them begins."""
    for one in known:
        together = [other for other in known if other.begins_at <= one.begins_at < other.ends_at]
        kept = sum(other.gpus for other in together)
        if kept > len(fleet.gpus):
            names = " and ".join(other.name for other in together)
            raise BadSettings(
                f"rota.toml, [[reservations]]: {names} are at the same time and keep {kept} GPUs together; there are "
                f"{len(fleet.gpus)}. Keep fewer, or at another time."
            )


def _gpus(one: Reservation, fleet: Fleet) -> int:
    per_tier = Counter(gpu.tier for gpu in fleet.gpus)
    return sum(per_tier[tier] for tier in one.tiers or fleet.tiers)

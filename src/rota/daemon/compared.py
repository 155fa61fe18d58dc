"""How fast the laboratory's tiers are, from the table and from what its own jobs report on two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rota.domain.gpus import Fleet
from rota.domain.turns import Turn, TurnState
from rota.engines.contract import Progressed
from rota.fleet.speeds import table_speeds
from rota.forecast.paces import Paces
from rota.forecast.speeds import TierSpeed, tier_speeds
from rota.store.contract import Entries


@dataclass(slots=True)
class Compared:
    """Speeds by tier. The reports are kept in memory only: after a restart the table stands until jobs have reported
    on two tiers again."""

    fleet: Fleet
    stated: Mapping[str, float]
    speeds: dict[str, TierSpeed] = field(init=False)
    _paces: Paces = field(default_factory=Paces)

    def __post_init__(self) -> None:
        self.restate(self.stated)

    def restate(self, stated: Mapping[str, float]) -> None:
        """The laboratory's own figures, which come before any measurement."""
        self.stated = stated
        self.speeds = tier_speeds(self.fleet.tiers, table_speeds(self.fleet), stated, self._paces)

    def against_fastest(self, tier: str) -> float:
        """How fast a tier is, the fastest of the fleet being 1."""
        speeds = [self.speeds[one].speed for one in self.fleet.tiers]
        return self.speeds[tier].speed / max(speeds) if tier in self.speeds else 1.0

    def hear(self, event: Progressed, turn: Turn) -> None:
        """A turn says how far its job is."""
        if event.progress is None:
            self._paces.end_turn(turn.id)
        else:
            self._paces.report(turn.id, turn.job, turn.tier, event.step, event.total, event.at)

    def take_over(self, entries: Entries) -> None:
        """Turns and jobs have ended."""
        ended = [turn for turn in entries.turns if turn.state is TurnState.ENDED]
        for turn in ended:
            self._paces.end_turn(turn.id)
        for job in entries.jobs:
            if job.state.is_final:
                self._paces.end_job(job.id)
        if ended and len(self.fleet.tiers) > 1:
            self.restate(self.stated)

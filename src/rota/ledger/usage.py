"""Usage: GPU-seconds weighted by tier and decayed by half-life, so that old use counts less.

A second of use that is `age` seconds old counts 2**(-age / half_life). Slurm's multifactor plugin decays usage by
the same law (priority/multifactor documentation, PriorityDecayHalfLife); here it is the exact integral over each turn:

    u(t) = w * integral from a to b of 2**(-(t - s) / h) ds = w * h / ln 2 * (2**(-(t - b) / h) - 2**(-(t - a) / h))
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rota.domain.turns import Turn

Account = tuple[str, str]  #: (project, member)


def decayed_seconds(began_at: float, ended_at: float, at: float, half_life_s: float) -> float:
    """Seconds from begin to end, each decayed by its age at `at`; an end in the future is cut at `at`."""
    ended_at = min(ended_at, at)
    if ended_at <= began_at:
        return 0.0
    rate = math.log(2) / half_life_s
    return (math.exp(-rate * (at - ended_at)) - math.exp(-rate * (at - began_at))) / rate


def weighted(turn: Turn, tier_weights: Mapping[str, float]) -> float:
    """How many GPU-seconds one second of this turn counts."""
    return len(turn.gpus) * tier_weights.get(turn.tier, 1.0)


@dataclass(slots=True)
class Accounts:
    """Decayed usage of ended turns by (project, member), kept as of one moment and carried forward when asked."""

    half_life_s: float
    as_of: float = 0.0
    _values: dict[Account, float] = field(default_factory=dict)

    def add(self, account: Account, gpus: float, began_at: float, ended_at: float) -> None:
        """Charge a turn that has ended. `gpus` counts GPUs times the tier's weight."""
        self._advance(max(self.as_of, ended_at))
        spent = gpus * decayed_seconds(began_at, ended_at, self.as_of, self.half_life_s)
        self._values[account] = self._values.get(account, 0.0) + spent

    def usage(
        self, running: Iterable[tuple[Account, float, float]], at: float
    ) -> tuple[dict[str, float], dict[Account, float]]:
        """By project and by (project, member) at a moment; `running` are (account, weighted GPUs, begin)."""
        decay = math.exp(-math.log(2) / self.half_life_s * max(at - self.as_of, 0.0))
        by_member = {account: value * decay for account, value in self._values.items()}
        for account, gpus, began_at in running:
            spent = gpus * decayed_seconds(began_at, at, at, self.half_life_s)
            by_member[account] = by_member.get(account, 0.0) + spent
        by_project: dict[str, float] = {}
        for (project, _), value in by_member.items():
            by_project[project] = by_project.get(project, 0.0) + value
        return by_project, by_member

    def _advance(self, at: float) -> None:
        decay = math.exp(-math.log(2) / self.half_life_s * (at - self.as_of))
        if decay != 1.0:
            self._values = {account: value * decay for account, value in self._values.items()}
        self.as_of = at

"""How much an idle project or member saves up: only so much, so that who comes back does not push everybody out.

Decayed usage alone lets a project that was idle for weeks take every GPU for days when it returns. Start-time fair
queueing (Goyal, Vin, Cheng 1996) gives the remedy: who comes back is lifted to where the others are. Here it is lifted
to a credit below the best served, so that having been modest still counts for something. Who waits all the time is
lifted by nothing: what others are ahead is owed to them.

Who has everything they ask for, and asks for less than their share, saves up nothing meanwhile: they count as served
as well as the least served of those who wait. Otherwise small jobs that never ask for their whole share stand in the
way of a gang for ever, whose project must take its own share in large pieces.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Who = TypeVar("Who")


@dataclass(frozen=True, slots=True)
class Asks:
    """What one asks for at a moment."""

    waits: bool  #: for more than it has
    gpus: int  #: that it has


class Credit(Generic[Who]):
    """What each was lifted by so far, in GPU-seconds, decaying with usage. One moment after the other."""

    def __init__(self, half_life_s: float) -> None:
        self.half_life_s = half_life_s
        self._lifts: dict[Who, float] = {}
        self._waited: frozenset[Who] = frozenset()
        self._as_of = -math.inf

    def lifted(
        self,
        usage_gpu_s: Mapping[Who, float],
        weights: Mapping[Who, float],
        asks: Mapping[Who, Asks],
        gpus: float,
        credit_s: float,
        at: float,
        debtors: Collection[Who] = (),
    ) -> dict[Who, float]:
        """Usage as it counts, for all in `weights` (those who run or wait now), who share so many GPUs.

        Nobody is lifted because of `debtors`: what they had early would be forgiven by it.
        """
        self._decay(at)
        counted = {who: usage_gpu_s.get(who, 0.0) + self._lifts.get(who, 0.0) for who in weights}
        gpus_a_weight = gpus / (sum(weights.values()) or 1.0)
        levels = {who: counted[who] / weight for who, weight in weights.items() if who not in debtors}
        floor = max(levels.values(), default=0.0) - credit_s * gpus_a_weight
        waiting = [
            level if who in self._waited else max(level, floor) for who, level in levels.items() if asks[who].waits
        ]
        least_waiting = min(waiting, default=floor)
        for who, weight in weights.items():
            if who in self._waited:
                continue
            is_content = not asks[who].waits and asks[who].gpus < gpus_a_weight * weight
            lacking = (max(floor, least_waiting) if is_content else floor) * weight - counted[who]
            if lacking > 0:
                self._lifts[who] = self._lifts.get(who, 0.0) + lacking
                counted[who] += lacking
        self._waited = frozenset(who for who, asked in asks.items() if asked.waits)
        return counted

    def _decay(self, at: float) -> None:
        if at > self._as_of:
            part = 0.5 ** ((at - self._as_of) / self.half_life_s)
            self._lifts = {who: lift * part for who, lift in self._lifts.items() if lift * part > 1e-9}
            self._as_of = at


Account = tuple[str, str]  #: (project, member)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What the credit is measured by."""

    credit_s: float  #: for how long of its share one saves up
    gpus: int  #: of the whole fleet
    weights: Mapping[str, float]  #: of projects; 1 if absent


class Credits:
    """The credit of projects, and inside each of its members."""

    def __init__(self, half_life_s: float) -> None:
        self._projects = Credit[str](half_life_s)
        self._members: dict[str, Credit[str]] = {}
        self._half_life_s = half_life_s

    def counted(
        self,
        by_project: Mapping[str, float],
        by_member: Mapping[Account, float],
        asks: Mapping[Account, Asks],
        entitlement: Entitlement,
        at: float,
        debtors: Collection[str] = (),
    ) -> tuple[dict[str, float], dict[Account, float]]:
        """Usage as it counts between those who run or wait now, GPU-seconds.

        `asks`: by account, of those who run or wait; `debtors`: projects of deadlines.py.
        """
        members: dict[str, dict[str, Asks]] = {}
        for (project, member), asked in sorted(asks.items(), key=lambda entry: entry[0]):
            members.setdefault(project, {})[member] = asked
        weights = {project: entitlement.weights.get(project, 1.0) for project in members}
        wholes = {
            project: Asks(any(one.waits for one in those.values()), sum(one.gpus for one in those.values()))
            for project, those in members.items()
        }
        credit_s, gpus = entitlement.credit_s, entitlement.gpus
        projects = self._projects.lifted(by_project, weights, wholes, gpus, credit_s, at, debtors)
        counted: dict[Account, float] = {}
        for project, those in members.items():
            credit = self._members.get(project)
            if credit is None:
                credit = self._members[project] = Credit(self._half_life_s)
            usage = {name: by_member.get((project, name), 0.0) for name in those}
            share_gpus = gpus * weights[project] / (sum(weights.values()) or 1.0)
            lifted = credit.lifted(usage, dict.fromkeys(those, 1.0), those, share_gpus, credit_s, at)
            counted.update({(project, name): value for name, value in lifted.items()})
        return projects, counted

"""How much an idle project or member saves up: only so much, so that who comes back does not push everybody out.

Decayed usage alone lets a project that was idle for weeks take every GPU for days when it returns. Start-time fair
queueing (Goyal, Vin, Cheng 1996) gives the remedy: who was idle is lifted to where the others are. Here it is lifted
to a credit below the best served, so that having been modest still counts for something.

Who has everything they ask for saves up nothing at all meanwhile: they count as served as well as the least served of
those who wait. Otherwise small jobs that never ask for their whole share stand in the way of a gang for ever, whose
project must take its own share in large pieces and cannot take it at all while everybody else comes before it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Who = TypeVar("Who")


class Credit(Generic[Who]):
    """What each was lifted by so far, in GPU-seconds, decaying with usage. One moment after the other."""

    def __init__(self, half_life_s: float) -> None:
        self.half_life_s = half_life_s
        self._lifts: dict[Who, float] = {}
        self._as_of = -math.inf

    def lifted(
        self,
        usage_gpu_s: Mapping[Who, float],
        weights: Mapping[Who, float],
        most_gpu_s: float,
        at: float,
        waiting: Collection[Who],
        debtors: Collection[Who] = (),
    ) -> dict[Who, float]:
        """Usage as it counts, for all in `weights` (those who run or wait now).

        `most_gpu_s`: how far below the best served one may be, for each unit of weight; `waiting`: those who ask for
        more than they have. Nobody is lifted because of `debtors`: what they had early would be forgiven by it.
        """
        self._decay(at)
        counted = {who: usage_gpu_s.get(who, 0.0) + self._lifts.get(who, 0.0) for who in weights}
        levels = {who: counted[who] / weight for who, weight in weights.items() if who not in debtors}
        floor = max(levels.values(), default=0.0) - most_gpu_s
        least_waiting = min((max(level, floor) for who, level in levels.items() if who in waiting), default=floor)
        for who, weight in weights.items():
            lacking = (floor if who in waiting else max(floor, least_waiting)) * weight - counted[who]
            if lacking > 0:
                self._lifts[who] = self._lifts.get(who, 0.0) + lacking
                counted[who] += lacking
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
        active: Mapping[Account, bool],
        entitlement: Entitlement,
        at: float,
        debtors: Collection[str] = (),
    ) -> tuple[dict[str, float], dict[Account, float]]:
        """Usage as it counts between those who run or wait now, GPU-seconds.

        `active`: the accounts, and whether they have something waiting; `debtors`: projects of deadlines.py.
        """
        members: dict[str, list[str]] = {}
        for project, member in sorted(active):
            members.setdefault(project, []).append(member)
        waiting = {account for account, waits in active.items() if waits}
        weights = {project: entitlement.weights.get(project, 1.0) for project in members}
        most_gpu_s = entitlement.credit_s * entitlement.gpus / (sum(weights.values()) or 1.0)
        projects_waiting = {project for project, _ in waiting}
        projects = self._projects.lifted(by_project, weights, most_gpu_s, at, projects_waiting, debtors)
        counted: dict[Account, float] = {}
        for project, names in members.items():
            credit = self._members.get(project)
            if credit is None:
                credit = self._members[project] = Credit(self._half_life_s)
            usage = {name: by_member.get((project, name), 0.0) for name in names}
            most = most_gpu_s * weights[project] / len(names)
            members_waiting = {name for name in names if (project, name) in waiting}
            lifted = credit.lifted(usage, dict.fromkeys(names, 1.0), most, at, members_waiting)
            counted.update({(project, name): value for name, value in lifted.items()})
        return projects, counted

"""Draws a random laboratory day from a seed: fleet, settings, jobs, what people do, what goes wrong and when."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from rota.domain.gpus import Condition, Fleet, Gpu, Node, in_slices
from rota.domain.jobs import Request
from rota.domain.members import Project
from rota.domain.reservations import Reservation
from rota.ledger.deadlines import Deadline
from rota.policy.quantum import Bounds
from rota.simulate.day import (
    AddsProject,
    Changes,
    ClockJumps,
    Day,
    Expects,
    Fault,
    Happening,
    LosesTurn,
    Marks,
    Reserves,
    SetsQuantum,
    Strikes,
    Submits,
    Verb,
    What,
)
from rota.simulate.machine import Manner, Script

MEMBERS = ("kim", "lee", "park", "choi")
PROJECTS = ("vision", "speech")
#: Tier and GPUs of each node. Of any of them, a day may have the very last GPU in two slices.
FLEETS: tuple[tuple[tuple[str, int], ...], ...] = (
    (("h100", 2), ("rtx3090", 2)),
    (("h100", 4),),
    (("h100", 2), ("h100", 2), ("rtx3090", 1)),
    (("h100", 1), ("a100", 2), ("rtx3090", 3)),
)
MEMORY_BYTES = {"h100": 80 * 2**30, "a100": 40 * 2**30, "rtx3090": 24 * 2**30}
LATEST_POINT = 12  # a fault strikes after at most so many points: about two steps of the daemon


@dataclass(frozen=True, slots=True)
class FaultRates:
    """How many of each there are in a day, on average."""

    crash: float = 0.0
    store: float = 0.0
    engine: float = 0.0
    lost_turn: float = 0.0
    broken_gpu: float = 0.0
    clock_jump: float = 0.0


ROUGH = FaultRates(crash=15.0, store=7.0, engine=7.0, lost_turn=1.5, broken_gpu=0.7, clock_jump=0.3)


@dataclass(frozen=True, slots=True)
class Scenario:
    """How large and how rough a simulated laboratory is. Times in virtual seconds."""

    jobs: int = 12  #: submits; as many times somebody does something to a job or a GPU
    quantum_s: float = 10.0
    lasts_s: float = 120.0
    longest_job_s: float = 60.0
    rates: FaultRates = ROUGH


def draw_day(seed: int, scenario: Scenario | None = None) -> Day:
    """The day of this seed: the same for ever, on every machine."""
    wanted, chance = scenario or Scenario(), random.Random(seed)
    fleet = fleet_of(chance.choice(FLEETS), is_sliced=chance.random() < 0.2)
    bounds = Bounds(wanted.quantum_s / 2, wanted.quantum_s) if chance.random() < 0.3 else None
    drawn = _Drawn(wanted, fleet, chance)
    happenings = sorted([*drawn.settings(), *drawn.people(), *drawn.faults()], key=lambda one: one.at)
    submits = [(one.at, number) for number, one in enumerate(happenings, start=1) if isinstance(one.what, Submits)]
    numbered = {
        number: replace(one, what=_refer(one, submits, chance)) for number, one in enumerate(happenings, start=1)
    }
    return Day(seed, fleet, wanted.quantum_s, bounds, wanted.lasts_s, numbered)


def fleet_of(nodes: tuple[tuple[str, int], ...], *, is_sliced: bool = False) -> Fleet:
    """Nodes with so many GPUs of a tier; with slices, the very last GPU is in two parts."""
    names = [f"{tier}-{number}" for number, (tier, _) in enumerate(nodes)]
    gpus = [
        Gpu(f"SIM-{name}-{index}", index, name, tier, tier.upper(), MEMORY_BYTES[tier], is_simulated=True)
        for name, (tier, many) in zip(names, nodes, strict=True)
        for index in range(many)
    ]
    if is_sliced:
        whole = gpus[-1]
        for part in (1, 2):
            index, memory_bytes = whole.index + part, whole.memory_bytes // 2
            gpus.append(
                Gpu(
                    f"{whole.uuid}-part{part}", index, whole.node, whole.tier, whole.model, memory_bytes,
                    slice_of=whole.uuid, is_simulated=True,
                )
            )  # fmt: skip
    tiers = tuple(dict.fromkeys(tier for tier, _ in nodes))
    return Fleet(tuple(Node(name, 64, 2**40) for name in names), tuple(gpus), tiers, is_simulated=True)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Everything that is drawn for one day."""

    wanted: Scenario
    fleet: Fleet
    chance: random.Random

    # --- what a laboratory sets -------------------------------------------------------------------

    def settings(self) -> Iterator[Happening]:
        chance, lasts_s = self.chance, self.wanted.lasts_s
        if chance.random() < 0.4:
            for name in PROJECTS:
                yield Happening(0.0, AddsProject(Project(name, weight=chance.choice((1.0, 1.0, 3.0)))))
        if chance.random() < 0.4:
            begins_at = round(chance.uniform(10.0, 0.6 * lasts_s), 1)
            yield Happening(0.0, Reserves(self._reservation(begins_at)))
        if chance.random() < 0.3:
            at = round(chance.uniform(30.0, lasts_s), 1)
            yield Happening(0.0, Expects(Deadline(chance.choice(PROJECTS), at, early_s=30.0)))
        if chance.random() < 0.2:
            yield Happening(self._time(), SetsQuantum(chance.choice((0.5, 2.0)) * self.wanted.quantum_s))

    def _reservation(self, begins_at: float) -> Reservation:
        chance = self.chance
        ends_at = begins_at + round(chance.uniform(10.0, 40.0), 1)
        tiers = chance.choice(((), (chance.choice(self.fleet.tiers),)))
        members = (chance.choice(MEMBERS),)
        return Reservation("lecture", chance.choice((1, 1, 2)), begins_at, ends_at, tiers, members)

    # --- what people do ---------------------------------------------------------------------------

    def people(self) -> Iterator[Happening]:
        for _ in range(self.wanted.jobs):
            yield Happening(self._time(until=0.5), self._submits())
        for _ in range(self.wanted.jobs):
            yield Happening(self._time(), self._does_something())

    def _submits(self) -> Submits:
        chance, wanted = self.chance, self.wanted
        is_resumable = chance.random() < 0.8
        manner = chance.choice(list(Manner)) if is_resumable else Manner.DEAF
        longest_s = wanted.quantum_s if manner is Manner.DEAF else wanted.longest_job_s
        script = Script(
            target=round(chance.uniform(1.0, longest_s), 3),
            manner=manner,
            saves_every_s=round(chance.uniform(1.0, 8.0), 3),
            tells=chance.random() < 0.5,
            begins_after_s=round(chance.uniform(0.0, 0.5), 3),
        )
        tiers = chance.choice(((), (), (self.fleet.tiers[0],), tuple(reversed(self.fleet.tiers))))
        time_s = round(script.target * chance.lognormvariate(0.0, 1.0), 1) if chance.random() < 0.4 else None
        request = Request(
            gpus=chance.choice((1, 1, 1, 2, self._largest_gang(tiers))),
            gpu_memory_bytes=chance.choice((0, 0, 0, 20 * 2**30)),
            cpus=chance.choice((0, 0, 8, 40)),
            tiers=tiers,
            checkpoint="/checkpoint" if is_resumable else None,
            time_s=time_s if is_resumable else script.target + 30.0,
            retries=1,
        )
        follows = 1 if chance.random() < 0.15 else None  # which one is drawn when all are in their order
        tasks = chance.choice((1, 1, 1, 3))
        return Submits(chance.choice(MEMBERS), chance.choice(PROJECTS), request, script, tasks, follows)

    def _largest_gang(self, tiers: tuple[str, ...]) -> int:
        """All whole GPUs of the largest tier that it accepts: more than a node has, where the tier has several."""
        sliced = in_slices(self.fleet.gpus)
        whole = [gpu.tier for gpu in self.fleet.gpus if not gpu.slice_of and gpu.uuid not in sliced]
        return max((whole.count(tier) for tier in tiers or self.fleet.tiers), default=1) or 1

    def _does_something(self) -> What:
        chance = self.chance
        if chance.random() < 0.35:
            condition = chance.choice((Condition.DRAINED, Condition.HEALTHY))
            return Marks(chance.choice(self.fleet.gpus).uuid, condition)
        tiers = chance.choice(((), (chance.choice(self.fleet.tiers),)))
        return Changes(chance.choice(list(Verb)), 1, chance.randrange(3), tiers)

    # --- what goes wrong --------------------------------------------------------------------------

    def faults(self) -> Iterator[Happening]:
        chance, rates = self.chance, self.wanted.rates

        def a_gpu() -> str:
            return chance.choice(self.fleet.gpus).uuid

        def strikes(fault: Fault, most_times: int) -> What:
            return Strikes(fault, chance.randrange(LATEST_POINT), chance.randint(1, most_times))

        yield from self._now_and_then(rates.crash, lambda: strikes(Fault.CRASH, 1))
        yield from self._now_and_then(rates.store, lambda: strikes(Fault.STORE, 3))
        yield from self._now_and_then(rates.engine, lambda: strikes(Fault.ENGINE, 3))
        yield from self._now_and_then(rates.lost_turn, lambda: LosesTurn(a_gpu()))
        yield from self._now_and_then(rates.broken_gpu, lambda: Marks(a_gpu(), Condition.FAILED))
        yield from self._now_and_then(rates.clock_jump, lambda: ClockJumps(round(chance.uniform(-600.0, 600.0), 1)))

    def _now_and_then(self, mean: float, draw: Callable[[], What]) -> Iterator[Happening]:
        """A Poisson process: so many in a day on average, each at any time."""
        at = 0.0
        while mean > 0:
            at += self.chance.expovariate(mean / self.wanted.lasts_s)
            if at > self.wanted.lasts_s:
                return
            yield Happening(round(at, 3), draw())

    def _time(self, until: float = 1.0) -> float:
        return round(self.chance.uniform(0.0, until * self.wanted.lasts_s), 3)


def _refer(one: Happening, submits: list[tuple[float, int]], chance: random.Random) -> What:
    """With the number of the submit that it speaks of: any for a change, an earlier one for a successor.

    `submits`: when, and which number.
    """
    what = one.what
    if isinstance(what, Changes) and submits:
        return replace(what, submit=chance.choice(submits)[1])
    if isinstance(what, Submits) and what.follows is not None:
        earlier = submits[: bisect_left(submits, (one.at, 0))]
        return replace(what, follows=chance.choice(earlier)[1] if earlier else None)
    return what

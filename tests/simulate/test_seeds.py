"""The whole daemon in virtual time: crashes between any two steps, lost turns, full disks, broken GPUs, clock jumps."""

from __future__ import annotations

import pytest

from rota.simulate.faults import FaultRates
from rota.simulate.run import Simulation, run
from rota.simulate.scenario import Scenario

SEEDS = 300
LONG_SEEDS = 10_000
CALM = FaultRates()


@pytest.mark.parametrize("first", range(0, SEEDS, 25))
def test_every_invariant_holds_on_a_rough_day(first: int) -> None:
    for seed in range(first, first + 25):
        run(seed)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(20))
def test_every_invariant_holds_on_ten_thousand_rough_days(part: int) -> None:
    for seed in range(SEEDS + part, SEEDS + LONG_SEEDS, 20):
        run(seed)


def test_a_seed_gives_the_same_day_again() -> None:
    first, second = Simulation(4), Simulation(4)
    assert first.run() == second.run()
    assert [p.ended for p in first.machine.processes.values()] == [p.ended for p in second.machine.processes.values()]


def test_rough_days_are_rough() -> None:
    reports = [run(seed) for seed in range(10)]
    assert sum(report.crashes for report in reports) > 50
    assert sum(report.turns for report in reports) > 300


def test_on_a_calm_day_nobody_loses_work() -> None:
    for seed in range(5):
        simulation = Simulation(seed, Scenario(rates=CALM))
        simulation.run()
        store = simulation.store
        for turn in store.turns_of(tuple(simulation.acknowledged)):
            script = simulation.machine.scripts[turn.job]
            if script.manner in ("signal", "periodic", "again") and turn.outcome == "unsaved":
                raise AssertionError(f"seed {seed}: turn {turn.id} of a {script.manner} job lost {turn.lost_s} s")

"""The whole daemon in virtual time: crashes between any two steps, lost turns, full disks, broken GPUs, clock jumps."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from rota.domain.turns import Outcome
from rota.simulate.day import AddsProject, Changes, Expects, Reserves, SetsQuantum, Strikes, Submits
from rota.simulate.machine import Manner
from rota.simulate.run import Simulation, run
from rota.simulate.scenario import FaultRates, Scenario, draw_day

SEEDS = 150
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
    assert draw_day(4) == draw_day(4)
    first, second = Simulation(draw_day(4)), Simulation(draw_day(4))
    assert first.run() == second.run()
    assert [p.ended for p in first.machine.processes.values()] == [p.ended for p in second.machine.processes.values()]


def test_the_record_is_the_same_in_another_process_whatever_the_order_of_its_sets() -> None:
    def said(hash_seed: str, seed: int) -> str:
        command = [sys.executable, "-m", "rota.simulate", "--seed", str(seed), "--trace"]
        return subprocess.check_output(command, env={**os.environ, "PYTHONHASHSEED": hash_seed}, text=True)

    for seed in (1, 2, 3):
        first = said("1", seed)
        assert "record " in first.splitlines()[-1]
        assert first == said("2", seed)


def test_happenings_that_are_left_out_change_no_other() -> None:
    day = draw_day(7)
    some = day.only(list(day.happenings)[::3])
    assert all(some.happenings[number] == day.happenings[number] for number in some.happenings)
    assert Simulation(some).run() == Simulation(some).run()


def test_rough_days_are_rough() -> None:
    reports = [run(seed) for seed in range(10)]
    assert sum(report.crashes for report in reports) > 50
    assert sum(report.turns for report in reports) > 300


def test_days_have_everything_that_a_laboratory_has() -> None:
    days = [draw_day(seed) for seed in range(100)]
    kinds = Counter(type(happening.what) for day in days for happening in day.happenings.values())
    assert all(kinds[kind] >= 10 for kind in (Submits, Changes, AddsProject, Reserves, Expects, SetsQuantum, Strikes))
    submits = [h.what for day in days for h in day.happenings.values() if isinstance(h.what, Submits)]
    assert {what.script.manner for what in submits} == set(Manner)
    assert any(what.script.tells for what in submits)
    assert any(what.request.time_s and what.request.is_resumable for what in submits)
    assert max(what.request.gpus for what in submits) >= 4
    assert any(len(day.fleet.tiers) > 2 for day in days)
    assert any(gpu.slice_of for day in days for gpu in day.fleet.gpus)
    assert any(day.bounds for day in days)


def test_on_a_calm_day_nobody_loses_work() -> None:
    for seed in range(5):
        simulation = Simulation(draw_day(seed, Scenario(rates=CALM)))
        simulation.run()
        jobs = [job for jobs in simulation.told.values() for job in jobs]
        for turn in simulation.store.turns_of(jobs):
            script = simulation.machine.works[turn.job].script
            if script.manner in (Manner.SIGNAL, Manner.PERIODIC, Manner.AGAIN) and turn.outcome is Outcome.UNSAVED:
                raise AssertionError(f"seed {seed}: turn {turn.id} of a {script.manner} job lost {turn.lost_s} s")

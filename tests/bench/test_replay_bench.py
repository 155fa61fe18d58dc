"""How `make bench-replay` speaks of its figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from bench.replay.__main__ import main
from bench.replay.cases import FLEETS, Case, cases_in, known_of, setting_of
from bench.replay.completion import targets_of
from bench.replay.growth import Size, measure
from bench.replay.laboratory import QUANTUM_S, Laboratory
from bench.replay.laws import Flooded, FloodOf, Kept
from bench.replay.laws import targets_of as targets_of_laws
from bench.replay.speed import peak_resident_mb
from bench.replay.synthetic import LABORATORIES, OVER, synthetic_trace
from bench.replay.targets import Target, say_table, say_targets

from rota.policy.follow import Follower
from rota.policy.plan import plan
from rota.simulate.replay.report import Report, offered_load

REPORT = Report("rota", "noisy", 9, 110.0, 90.0, 900.0, 5.0, 60.0, 86_400.0, 70.0, 66.0, 1.0, 3, 0.015, 2e6, 1.0)


def test_a_figure_is_met_or_missed_by_a_factor() -> None:
    assert Target("memory", 500.0, 500.0).verdict == "met"
    assert Target("memory", 750.0, 500.0).verdict == "missed (1.50x)"
    assert Target("jobs/s", 10.0, 20.0, is_at_least=True).verdict == "missed (2.00x)"
    assert Target("slowdown", 63.0, 60.0).verdict == "missed (1.05x)"
    assert Target("slowdown", 60.1, 60.0).verdict == "missed (by less than 1%)"
    assert Target("waits", 3.0, None).verdict == ""


def test_targets_stand_beside_figures() -> None:
    said = say_targets([Target("first wait", 1234.4, 5000.0, " s", 0), Target("slowdown", 7.0, None)])
    first, second = said.splitlines()
    assert first.split() == ["first", "wait", "1,234", "s", "<=", "5,000", "s", "met"]
    assert second.split() == ["slowdown", "7.00"]


def test_a_table_has_columns() -> None:
    assert say_table(["a", "bbb"], [["one", "2"], ["x", ""]]) == "a    bbb\none    2\nx"


def test_a_made_up_laboratory_is_the_same_each_time_and_as_busy_as_it_says() -> None:
    for laboratory in (*LABORATORIES, OVER):
        trace = synthetic_trace(laboratory)
        assert trace == synthetic_trace(laboratory)
        assert len(trace.jobs) == laboratory.jobs
        assert offered_load(trace, 8 * laboratory.nodes) == pytest.approx(laboratory.load, rel=0.05)
        assert setting_of(Case(laboratory.name, laboratory.fleet), None).trace.left_out == ()


def test_traces_are_found_by_name_and_made_up_laboratories_are_always_there(tmp_path: Path) -> None:
    made_up = [laboratory.name for laboratory in LABORATORIES]
    assert [case.name for case in cases_in(None)] == made_up
    assert [case.name for case in cases_in(tmp_path)] == made_up
    (tmp_path / "philly-b436b2.csv").write_text("submit_s,gpus,duration_s\n0,1,60\n")
    first = cases_in(tmp_path)[0]
    assert (first.name, first.fleet) == ("philly-b436b2", FLEETS["philly-b436b2"])
    assert len(first.trace().jobs) == 1


def test_what_is_known_of_a_trace_is_found_by_its_name() -> None:
    known = known_of("philly-b436b2", "srtf oracle")
    assert known is not None
    assert known.avg_jct_s == 26_922
    assert known_of("small-jobs", "srtf oracle") is None


def test_each_figure_is_held_against_its_target() -> None:
    srtf = replace(REPORT, policy="srtf", information="oracle", avg_jct_s=100.0)
    few = {"srtf oracle": srtf, "rota noisy": REPORT}
    assert [(one.what.partition(":")[0], one.verdict) for one in targets_of("small-jobs", few)] == [
        ("noisy", "met"),
        ("noisy", "missed (1.10x)"),
        ("noisy", "met"),
        ("noisy", "met"),
    ]
    all_of_them = {**few, "rota none": REPORT, "rota oracle": replace(REPORT, avg_jct_s=120.0)}
    said = [one.what.partition(":")[0] for one in targets_of("philly-b436b2", all_of_them)]
    assert said == ["none"] * 2 + ["noisy"] * 6 + ["oracle"]


def test_a_law_is_told_by_its_worst_case() -> None:
    flood = Flooded(FloodOf("m1", 1, 60.0), (-1.0, 0.0, 9.0), (0.0, 0.5))
    kept = Kept(Case("t", "h100:8"), 9, 1.0, {"p1": (-3.0, 0.0, 1.0)}, (0.5, 2.0), (flood,))
    assert [(one.measured, one.verdict) for one in targets_of_laws(kept)] == [
        (3.0, "missed (1.50x)"),
        (2.0, "met"),
        (0.5, "met"),
        (9.0, ""),
    ]


def test_a_busy_laboratory_stays_busy_and_is_followed_exactly() -> None:
    laboratory, follower = Laboratory(24, 60), Follower()
    for number in range(30):
        snapshot = laboratory.snapshot()
        held = [gpu for turn in snapshot.turns for gpu in turn.gpus]
        assert len(held) == len(set(held))
        assert len(snapshot.jobs) - len(snapshot.turns) in range(50, 70)
        decided = follower.plan(snapshot, wants_reasons=False)
        afresh = plan(snapshot)
        assert (decided.begins, decided.ends) == (afresh.begins, afresh.ends)
        laboratory.carry_out(decided)
        laboratory.go_on(QUANTUM_S / 8 if number < 20 else laboratory.step_s)
    assert len(held) >= 12


def test_one_size_is_measured_in_milliseconds() -> None:
    grown = measure(Size(16, 30), settling_steps=2, rounds=1)
    assert 0 < grown.step_ms <= grown.slowest_step_ms
    assert grown.fresh_ms > 0 < grown.reasons_ms


def test_a_process_has_some_memory() -> None:
    assert 5 < peak_resident_mb() < 10_000


def test_a_stranger_without_traces_is_told_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROTA_TRACES", raising=False)
    monkeypatch.setattr("bench.replay.__main__.show_growth", lambda: print("growth"))
    main(["--only", "growth"])
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Made-up laboratories only. Say where traces are: make bench-replay TRACES=DIR")
    assert said[-1] == "growth"

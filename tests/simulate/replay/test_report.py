"""The figures of a replay, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.simulate.replay.fairness import WEEK_S, divide, finish_time_fairness, weekly_shares
from rota.simulate.replay.report import as_json, offered_load, quantile, report_of
from rota.simulate.replay.values import PastTurn, TraceJob
from tests.simulate.replay.builders import a_past, a_replay, a_trace

SHORT, LONG, GANG = TraceJob(1, 0.0, 1, 10.0), TraceJob(2, 5.0, 1, 1000.0), TraceJob(3, 10.0, 2, 100.0)
PAST = (a_past(SHORT, 0.0, 10.0), a_past(LONG, 10.0, 2005.0, turns=3), a_past(GANG, 110.0, 210.0, turns=2))


def test_a_report_has_the_figures_that_the_definitions_say() -> None:
    report = report_of(a_replay(*PAST, cost_gpu_s=121.0, spent_gpu_s=2420.0))
    assert (report.policy, report.information, report.jobs, report.wall_s) == ("fifo", "noisy", 3, 0.5)
    assert (report.avg_jct_s, report.median_jct_s) == ((10 + 2000 + 200) / 3, 200)
    assert report.p99_jct_s == pytest.approx(200 + 0.98 * 1800)
    assert (report.mean_first_wait_s, report.longest_first_wait_s) == (35, 100)
    assert report.max_slowdown == 2
    assert report.p999_slowdown_long == 2  # the gang's is 2 as well, but it took less than 10 min
    assert report.preemptions == 3
    assert report.cost_part == 0.05
    assert report.makespan_s == 2005


def test_the_json_has_the_names_that_are_promised() -> None:
    names = list(as_json(report_of(a_replay(*PAST))))
    promised = ["policy", "information", "jobs", "avg_jct_s", "median_jct_s", "p99_jct_s", "mean_first_wait_s"]
    promised += ["p99_first_wait_s", "max_slowdown", "preemptions", "makespan_s", "wall_s"]
    assert [name for name in names if name in promised] == promised


def test_without_a_long_job_there_is_no_slowdown_of_long_jobs() -> None:
    assert report_of(a_replay(PAST[0])).p999_slowdown_long is None


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=40), st.floats(0, 1))
def test_a_quantile_is_what_numpy_says(values: list[float], part: float) -> None:
    assert quantile(sorted(values), part) == pytest.approx(float(np.quantile(values, part)), abs=1e-6)


def test_offered_load_is_work_against_the_gpus_while_jobs_came() -> None:
    assert offered_load(a_trace((0, 2, 100), (100, 1, 50)), gpus=5) == 0.5
    assert offered_load(a_trace((0, 2, 100)), gpus=5) is None


# Finish-time fairness


def test_a_job_that_is_alone_and_runs_at_once_has_rho_1() -> None:
    assert finish_time_fairness([a_past(GANG, 10.0, 110.0)], gpus=2) == [1.0]


def test_rho_holds_the_jct_against_an_equal_share_of_the_time_that_the_job_was_there() -> None:
    # Two jobs of two GPUs on two GPUs. Job 1 runs 0 to 100, job 2 waits and runs 100 to 200.
    first, second = TraceJob(1, 0.0, 2, 100.0), TraceJob(2, 0.0, 2, 100.0)
    rhos = finish_time_fairness([a_past(first, 0.0, 100.0), a_past(second, 100.0, 200.0)], gpus=2)
    # N is 2 for the first, and (2 * 100 + 1 * 100) / 200 = 1.5 for the second.
    assert rhos == [100 / (100 * 2), 200 / (100 * 1.5)]


def test_a_share_larger_than_the_job_does_not_make_it_faster_than_it_is() -> None:
    small = [a_past(TraceJob(number, 0.0, 1, 50.0), 0.0, 50.0) for number in range(4)]
    assert finish_time_fairness(small, gpus=100) == [1.0] * 4


# Shares


def test_what_one_project_leaves_is_for_the_others_by_weight() -> None:
    assert divide(10, {"a": 20, "b": 20}, {}) == {"a": 5, "b": 5}
    assert divide(9, {"a": 20, "b": 20}, {"a": 2.0}) == {"a": 6, "b": 3}
    assert divide(9, {"a": 1, "b": 20}, {"a": 2.0}) == {"a": 1, "b": 8}
    assert divide(9, {"a": 1, "b": 2, "c": 0}, {}) == {"a": 1, "b": 2}


@given(
    st.integers(1, 100),
    st.dictionaries(st.sampled_from("abcde"), st.integers(0, 50)),
    st.dictionaries(st.sampled_from("abcde"), st.floats(0.1, 10)),
)
def test_a_division_gives_away_what_is_asked_for_and_no_more(
    gpus: int, asked: dict[str, int], weights: dict[str, float]
) -> None:
    given_gpus = divide(gpus, asked, weights)
    assert sum(given_gpus.values()) == pytest.approx(min(gpus, sum(asked.values())))
    assert all(given_gpus.get(name, 0) <= wanted for name, wanted in asked.items())


def test_weekly_shares_hold_what_was_received_against_the_entitlement() -> None:
    # Both ask for both GPUs in the first week; a has them all the time. In the second, b has them alone.
    a, b = TraceJob(1, 0.0, 2, WEEK_S, project="a"), TraceJob(2, 0.0, 2, WEEK_S, project="b")
    end = TraceJob(3, 2 * WEEK_S, 1, 1.0, project="b")
    gpus = ("h100-1:0", "h100-1:1")
    turns = (PastTurn(1, gpus, 0.0, WEEK_S, False), PastTurn(2, gpus, WEEK_S, 2 * WEEK_S, False))
    past = (a_past(a, 0.0, WEEK_S), a_past(b, WEEK_S, 2 * WEEK_S), a_past(end, 2 * WEEK_S, 2 * WEEK_S + 1))
    shares = weekly_shares(a_replay(*past, turns=turns), {"a": 3.0})
    told = {(share.week, share.project): (share.received, share.entitled) for share in shares}
    assert told == {(1, "a"): (1, 0.75), (1, "b"): (0, 0.25), (2, "a"): (0, 0), (2, "b"): (1, 1)}

"""Replays small enough to be done by hand, and what holds for every replay."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest

from rota.policy.baselines import POLICIES
from rota.policy.values import Rules
from rota.simulate.replay.compare import replay_one
from rota.simulate.replay.run import COST_S, WIDE_COST_S
from rota.simulate.replay.values import Replayed, TraceJob
from tests.simulate.replay.builders import a_busy_trace, a_setting, a_trace, replayed

ONE_LONG_TWO_SHORT = a_trace((0, 1, 100), (1, 1, 50), (2, 1, 10))


def times(past: Replayed) -> dict[int, tuple[float, float]]:
    """By job: when its first turn began, when it was done."""
    return {job.job.id: (job.first_turn_s, job.finish_s) for job in past.jobs}


def spans(past: Replayed, job: int) -> list[tuple[float, float]]:
    return [(turn.began_s, turn.ended_s) for turn in past.turns if turn.job == job]


# By hand


def test_fifo_serves_in_the_order_of_submits() -> None:
    assert times(replayed(ONE_LONG_TWO_SHORT, "fifo")) == {1: (0, 100), 2: (100, 150), 3: (150, 160)}


def test_under_fifo_nobody_passes_the_first_in_line() -> None:
    trace = a_trace((0, 1, 100), (1, 2, 50), (2, 1, 10))
    assert times(replayed(trace, "fifo", "h100:2")) == {1: (0, 100), 2: (100, 150), 3: (150, 160)}


def test_backfill_lets_a_job_pass_that_is_done_before_the_first_in_line_could_begin() -> None:
    trace = a_trace((0, 1, 100), (1, 2, 50), (2, 1, 90), (3, 1, 20))
    past = replayed(trace, "backfill", "h100:2", "oracle")
    assert times(past) == {1: (0, 100), 2: (100, 150), 3: (2, 92), 4: (150, 170)}


def test_sjf_serves_the_shortest_and_stops_nobody() -> None:
    assert times(replayed(ONE_LONG_TWO_SHORT, "sjf")) == {1: (0, 100), 2: (110, 160), 3: (100, 110)}


def test_srtf_stops_whoever_has_more_left_and_the_stop_costs_forty_seconds() -> None:
    past = replayed(a_trace((0, 1, 100), (10, 1, 20)), "srtf")
    assert times(past) == {1: (0, 160), 2: (10, 30)}  # 10 s done, 20 s away, 40 s repeated, 90 s left
    assert spans(past, 1) == [(0, 10), (30, 160)]
    assert [turn.is_preempted for turn in past.turns] == [True, False, False]
    assert (past.cost_gpu_s, past.spent_gpu_s) == (COST_S, 160)


def test_stopping_a_job_of_more_than_eight_gpus_costs_sixty_seconds_on_each_of_them() -> None:
    past = replayed(a_trace((0, 16, 1000), (100, 1, 50)), "srtf", "2x h100:8")
    assert times(past)[1] == (0, 1000 + 50 + WIDE_COST_S)
    assert past.cost_gpu_s == 16 * WIDE_COST_S


def test_a_turn_that_is_stopped_while_it_repeats_work_does_nothing_useful() -> None:
    # Job 1 comes back at 30 and is stopped again at 50, before its 40 s of repeated work are over.
    past = replayed(a_trace((0, 1, 100), (10, 1, 20), (50, 1, 5)), "srtf")
    assert spans(past, 1) == [(0, 10), (30, 50), (55, 55 + 40 + 90)]
    assert past.cost_gpu_s == 20 + 40


def test_tiresias_stops_a_job_once_it_has_had_its_five_gpu_hours() -> None:
    past = replayed(a_trace((0, 1, 20_000), (17_000, 1, 100)), "tiresias")
    assert spans(past, 1) == [(0, 18_000), (18_100, 18_100 + 40 + 2_000)]
    assert times(past)[2] == (18_000, 18_100)


def test_under_rota_a_short_job_has_its_turn_when_the_long_ones_quantum_is_over() -> None:
    past = replayed(a_trace((0, 1, 10_000), (100, 1, 100)), "rota", information="oracle")
    assert spans(past, 1) == [(0, 900), (1000, 1000 + 40 + 9_100)]
    assert times(past)[2] == (900, 1000)


@pytest.mark.parametrize("information", ["none", "noisy", "oracle"])
def test_rota_stops_no_turn_inside_its_quantum(information: str) -> None:
    past = replayed(a_busy_trace(), "rota", "h100:8", information)
    stopped = [turn for turn in past.turns if turn.is_preempted]
    assert stopped
    assert all(turn.ended_s - turn.began_s > 900 - 1e-6 for turn in stopped)


def test_rota_does_not_stop_anybody_while_nobody_waits() -> None:
    past = replayed(a_trace((0, 1, 50_000), (10, 1, 50_000)), "rota", "h100:2")
    assert times(past) == {1: (0, 50_000), 2: (10, 50_010)}
    assert past.cost_gpu_s == 0


def test_a_job_takes_longer_on_a_slower_tier() -> None:
    trace = a_trace(TraceJob(1, 0.0, 1, 100.0, tiers=("t4",)))
    setting = a_setting(trace, "h100:1, t4:1", rules=Rules(speeds={"h100": 1.0, "t4": 0.1}))
    past = replay_one(setting, "fifo", keeps_turns=True)
    assert times(past) == {1: (0, 1000)}


# What holds whatever the policy


@pytest.mark.parametrize("information", ["none", "noisy", "oracle"])
@pytest.mark.parametrize("policy", POLICIES)
def test_every_job_does_its_work_once_and_no_gpu_has_two_turns(policy: str, information: str) -> None:
    past = replayed(a_busy_trace(), policy, "2x h100:4", information)
    lengths: dict[int, list[float]] = defaultdict(list)
    by_gpu: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for turn in past.turns:
        lengths[turn.job].append(turn.ended_s - turn.began_s)
        for gpu in turn.gpus:
            by_gpu[gpu].append((turn.began_s, turn.ended_s))
    cost_gpu_s = 0.0
    for job in past.jobs:
        first, *later = lengths[job.job.id]
        repeated_s = sum(min(COST_S, length) for length in later)
        assert first + sum(later) - repeated_s == pytest.approx(job.job.duration_s)
        assert job.turns == 1 + len(later)
        assert job.first_turn_s >= job.job.submit_s
        cost_gpu_s += repeated_s * job.job.gpus
    assert past.cost_gpu_s == pytest.approx(cost_gpu_s)
    assert all(len(set(turn.gpus)) == past.jobs[turn.job - 1].job.gpus for turn in past.turns)
    for taken in by_gpu.values():
        assert all(before[1] <= after[0] for before, after in pairwise(sorted(taken)))


@pytest.mark.parametrize("policy", POLICIES)
def test_work_is_done_at_the_speed_of_the_tier_it_is_done_on(policy: str) -> None:
    speeds = {"h100": 1.0, "a100": 0.5}
    setting = a_setting(a_busy_trace(), "2x h100:4, a100:2", rules=Rules(speeds=speeds))
    past = replay_one(setting, policy, keeps_turns=True)
    work_s: dict[int, float] = defaultdict(float)
    for turn in past.turns:
        length_s = turn.ended_s - turn.began_s
        repeated_s = min(COST_S, length_s) if turn.job in work_s else 0.0
        work_s[turn.job] += (length_s - repeated_s) * speeds[turn.gpus[0].partition("-")[0]]
    assert work_s == {job.job.id: pytest.approx(job.job.duration_s) for job in past.jobs}


@pytest.mark.parametrize("policy", ["fifo", "backfill", "sjf", "multifactor"])
def test_policies_without_preemption_stop_nobody(policy: str) -> None:
    past = replayed(a_busy_trace(), policy, "2x h100:4")
    assert len(past.turns) == len(past.jobs)
    assert past.cost_gpu_s == 0

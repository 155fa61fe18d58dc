"""What the end of a turn means: design.md, Turns 4 and 5."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.daemon.outcomes import MOST_LOST_TURNS, judge, outcome_of
from rota.domain.jobs import AfterTurn, Job, JobState
from rota.domain.turns import Outcome, Turn, TurnState
from rota.engines.contract import Ended
from tests.builders import a_job, a_turn

RUNNING = a_job(state=JobState.RUNNING, turns=1)
ONE_SHOT = a_job(state=JobState.RUNNING, turns=1, checkpoint=None)
ENDED = Ended(turn="1.1", at=60.0, clock_s=50.0, began_at=10.0, exit_code=0)
NOTICED = replace(ENDED, notice_at=50.0)
TERMINATED = replace(NOTICED, exit_code=None, signal=15, was_terminated=True)


@pytest.mark.parametrize(
    ("ended", "job", "outcome", "state"),
    [
        (ENDED, RUNNING, Outcome.FINISHED, JobState.FINISHED),
        (replace(ENDED, exit_code=85), RUNNING, Outcome.AGAIN, JobState.WAITING),
        (replace(ENDED, exit_code=85), ONE_SHOT, Outcome.AGAIN, JobState.WAITING),
        (replace(ENDED, exit_code=3), RUNNING, Outcome.FAILED, JobState.FAILED),
        (replace(ENDED, exit_code=None, signal=11), RUNNING, Outcome.FAILED, JobState.FAILED),
        (replace(NOTICED, saved_after_notice=True), RUNNING, Outcome.SAVED, JobState.WAITING),
        (NOTICED, RUNNING, Outcome.UNSAVED, JobState.WAITING),
        (replace(NOTICED, said_done=True), RUNNING, Outcome.FINISHED, JobState.FINISHED),
        (replace(TERMINATED, said_done=True), RUNNING, Outcome.FINISHED, JobState.FINISHED),
        (replace(NOTICED, exit_code=1, said_done=True), RUNNING, Outcome.FAILED, JobState.FAILED),
        (replace(TERMINATED, saved_after_notice=True), RUNNING, Outcome.SAVED, JobState.WAITING),
        (TERMINATED, RUNNING, Outcome.UNSAVED, JobState.WAITING),
        (replace(ENDED, exit_code=None, is_lost=True), RUNNING, Outcome.LOST, JobState.WAITING),
        (TERMINATED, replace(RUNNING, after_turn=AfterTurn.CANCEL), Outcome.CANCELLED, JobState.CANCELLED),
        (TERMINATED, replace(RUNNING, after_turn=AfterTurn.HOLD), Outcome.UNSAVED, JobState.HELD),
        (ENDED, replace(RUNNING, after_turn=AfterTurn.CANCEL), Outcome.FINISHED, JobState.FINISHED),
    ],
)  # fmt: skip
def test_what_an_end_means(ended: Ended, job: Job, outcome: Outcome, state: JobState) -> None:
    verdict = judge(ended, a_turn(), job)
    assert (verdict.turn.outcome, verdict.job.state) == (outcome, state)
    assert verdict.job.after_turn is None


def test_a_job_without_checkpoint_that_used_all_its_time_fails_and_says_so() -> None:
    verdict = judge(TERMINATED, a_turn(limit_at=55.0), ONE_SHOT)
    assert (verdict.turn.outcome, verdict.job.state) == (Outcome.TIME_OVER, JobState.FAILED)


def test_retries_are_used_up_one_by_one() -> None:
    job = a_job(state=JobState.RUNNING, retries=1)
    once = judge(replace(ENDED, exit_code=1), a_turn(), job).job
    assert once.state is JobState.WAITING
    again = judge(replace(ENDED, exit_code=1), a_turn(), replace(once, state=JobState.RUNNING)).job
    assert again.state is JobState.FAILED


def test_a_job_whose_turns_are_lost_again_and_again_fails_in_the_end() -> None:
    job, ends = RUNNING, 0
    while job.state is JobState.RUNNING:
        job = judge(replace(ENDED, exit_code=None, is_lost=True), a_turn(), job).job
        ends += 1
        if job.state is JobState.WAITING:
            job = replace(job, state=JobState.RUNNING)
    assert (ends, job.state) == (MOST_LOST_TURNS + 1, JobState.FAILED)


def test_lost_work_counts_from_the_last_save() -> None:
    verdict = judge(replace(TERMINATED, saved_at=40.0), a_turn(), RUNNING)
    assert verdict.turn.lost_s == 20.0
    assert verdict.job.last_end is not None
    assert verdict.job.last_end.saved_at == 40.0


def test_gpu_seconds_are_the_keepers_clock_times_the_gpus() -> None:
    verdict = judge(ENDED, a_turn(gpus=("gpu-0", "gpu-1")), RUNNING)
    assert verdict.turn.gpu_s == verdict.job.attained_gpu_s == 100.0


ends = st.builds(
    Ended,
    turn=st.just("1.1"),
    at=st.floats(0, 1e9),
    clock_s=st.floats(0, 1e6),
    began_at=st.none() | st.floats(0, 1e9),
    exit_code=st.none() | st.integers(0, 255),
    signal=st.none() | st.integers(1, 64),
    notice_at=st.none() | st.floats(0, 1e9),
    was_terminated=st.booleans(),
    said_done=st.booleans(),
    saved_at=st.none() | st.floats(0, 1e9),
    saved_after_notice=st.booleans(),
    is_lost=st.booleans(),
)
jobs = st.builds(
    lambda **changes: a_job(state=JobState.RUNNING, **changes),
    checkpoint=st.sampled_from([None, "/c"]),
    retries=st.integers(0, 2),
    after_turn=st.sampled_from([None, *AfterTurn]),
    failures=st.integers(0, 3),
)
turns = st.builds(
    a_turn, state=st.sampled_from([TurnState.GRANTED, TurnState.RUNNING, TurnState.ENDING]),
    limit_at=st.none() | st.floats(1, 1e9),
)  # fmt: skip


@given(ends, turns, jobs)
def test_every_end_leads_to_an_allowed_state_and_never_to_two_jobs_worth_of_time(
    ended: Ended, turn: Turn, job: Job
) -> None:
    verdict = judge(ended, turn, job)
    assert verdict.turn.state is TurnState.ENDED
    assert verdict.job.state is not JobState.RUNNING
    assert 0 <= verdict.turn.lost_s <= ended.clock_s
    assert verdict.job.attained_gpu_s == job.attained_gpu_s + ended.clock_s


@given(ends, turns, jobs)
def test_a_job_is_finished_only_by_exit_0_or_by_its_own_word(ended: Ended, turn: Turn, job: Job) -> None:
    if outcome_of(ended, turn, job) is Outcome.FINISHED:
        assert ended.exit_code == 0 or (ended.said_done and ended.was_terminated)

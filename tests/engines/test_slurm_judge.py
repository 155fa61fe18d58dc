"""What follows from what is seen of a turn in Slurm, case by case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.engines.slurm.judge import FILES_COME_WITHIN_S, SETTLE_S, STUBBORN_S, Act, Sight, act_on, why_lost
from rota.slurm.listing import Listed


def job(state: str) -> Listed:
    return Listed(7, state, "None", "h100a", 100.0, "")


def act(**seen: object) -> Act:
    sight = {"has_exit": False, "has_begun": True, "listed": job("RUNNING"), **seen}
    return act_on(Sight(**sight), fence_s=20.0, patience_s=60.0, term_s=10.0)  # type: ignore[arg-type]  # by name


def test_a_turn_that_runs_is_left_alone() -> None:
    assert act() is Act.NOTHING
    assert act(wants_end=True) is Act.NOTHING  # its keeper has been told


def test_what_the_keeper_wrote_counts_whatever_slurm_says() -> None:
    for listed in (None, job("RUNNING"), job("NODE_FAIL")):
        assert act(has_exit=True, listed=listed) is Act.REPORT_END


def test_a_job_that_slurm_has_given_up_with_its_node_may_live_on_and_is_fenced_first() -> None:
    assert act(listed=job("NODE_FAIL"), gone_s=SETTLE_S, silent_s=3) is Act.FENCE
    assert act(listed=None, gone_s=SETTLE_S, silent_s=3) is Act.FENCE
    assert act(listed=job("NODE_FAIL"), gone_s=60, silent_s=20) is Act.LOST


@pytest.mark.parametrize("state", ["CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "PREEMPTED", "FAILED"])
def test_of_a_job_that_slurm_itself_has_ended_nothing_is_left(state: str) -> None:
    assert act(listed=job(state), gone_s=SETTLE_S / 2) is Act.NOTHING
    assert act(listed=job(state), gone_s=SETTLE_S) is Act.LOST
    assert why_lost(job(state)).endswith((".", "--mem"))


def test_a_keeper_that_went_by_itself_has_written_a_file_that_may_take_a_minute_to_be_seen() -> None:
    assert act(listed=job("COMPLETED"), gone_s=FILES_COME_WITHIN_S - 1) is Act.NOTHING
    assert act(listed=job("COMPLETED"), gone_s=FILES_COME_WITHIN_S) is Act.LOST


def test_a_turn_that_slurm_has_not_begun_is_withdrawn_when_its_end_is_wanted_or_patience_is_over() -> None:
    assert act(has_begun=False, listed=job("PENDING"), pending_s=59) is Act.NOTHING
    assert act(has_begun=False, listed=job("PENDING"), pending_s=60) is Act.CANCEL
    assert act(has_begun=False, listed=job("PENDING"), wants_end=True) is Act.CANCEL
    assert act(has_begun=False, listed=job("RUNNING"), pending_s=600) is Act.NOTHING  # about to begin
    assert act(has_begun=False, listed=job("CANCELLED"), gone_s=SETTLE_S) is Act.NEVER_BEGAN


def test_a_keeper_that_does_not_end_its_turn_is_ended_by_slurm() -> None:
    assert act(at_once_s=10 + STUBBORN_S - 1) is Act.NOTHING
    assert act(at_once_s=10 + STUBBORN_S) is Act.CANCEL


STATES = st.none() | st.sampled_from(["PENDING", "RUNNING", "COMPLETING", "COMPLETED", "NODE_FAIL", "CANCELLED"]).map(
    job
)
SECONDS = st.floats(0, 1000)


@given(STATES, st.booleans(), SECONDS, SECONDS, SECONDS, st.booleans(), SECONDS)
def test_a_turn_whose_keeper_lives_on_a_lost_node_is_never_given_to_another(
    listed: Listed | None,
    has_begun: bool,
    gone_s: float,
    silent_s: float,
    pending_s: float,
    ends: bool,
    at_once_s: float,
) -> None:
    sight = Sight(False, has_begun, listed, gone_s, silent_s, pending_s, ends, at_once_s)
    done = act_on(sight, fence_s=20.0, patience_s=60.0, term_s=10.0)
    if done is Act.LOST:
        assert has_begun
        assert silent_s >= 20 or (listed is not None and listed.is_over and listed.state != "NODE_FAIL")
    if done is Act.NEVER_BEGAN:
        assert not has_begun
        assert listed is None or listed.is_over

"""What a stop costs: what the job did over again, and the time in which it only saved or loaded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.domain.turns import Outcome, Turn, TurnState
from rota.ledger.cost import UNSEEN_RESUME_S, spent_gpu_s, stop_cost_gpu_s
from tests.builders import a_turn


def ended(outcome: Outcome = Outcome.SAVED, **changes: object) -> Turn:
    """Granted at 0, began at 5, ended at 1000."""
    return a_turn(**{"state": TurnState.ENDED, "began_at": 5.0, "ended_at": 1000.0, "outcome": outcome, **changes})  # type: ignore[arg-type]


def test_a_job_that_is_done_in_one_turn_costs_nothing() -> None:
    assert stop_cost_gpu_s(ended(Outcome.FINISHED), is_resumed=False) == 0.0
    assert spent_gpu_s(ended(Outcome.FINISHED)) == 1000.0


def test_saving_costs_from_the_notice_to_the_end_on_every_gpu() -> None:
    assert stop_cost_gpu_s(ended(notice_at=990.0, gpus=("gpu-0", "gpu-1")), is_resumed=False) == 20.0


def test_lost_work_costs_and_includes_the_time_of_trying_to_save() -> None:
    lost = ended(Outcome.UNSAVED, notice_at=940.0, lost_s=100.0)
    assert stop_cost_gpu_s(lost, is_resumed=False) == 100.0


def test_resuming_costs_until_the_command_runs_and_until_it_works_again() -> None:
    assert stop_cost_gpu_s(ended(Outcome.FINISHED), is_resumed=True) == 5.0 + UNSEEN_RESUME_S


def test_a_crash_is_not_the_price_of_stopping() -> None:
    for outcome in (Outcome.FAILED, Outcome.LOST, Outcome.TIME_OVER, Outcome.CANCELLED):
        assert stop_cost_gpu_s(ended(outcome, lost_s=900.0), is_resumed=False) == 0.0


@given(
    st.sampled_from(list(Outcome)), st.booleans(), st.none() | st.floats(0, 2000), st.none() | st.floats(0, 2000),
    st.floats(0, 2000), st.floats(0, 2000),
)  # fmt: skip
def test_a_turn_never_costs_more_than_it_took(
    outcome: Outcome, is_resumed: bool, began_at: float | None, notice_at: float | None, ended_at: float, lost_s: float
) -> None:
    turn = ended(outcome, began_at=began_at, notice_at=notice_at, ended_at=ended_at, lost_s=lost_s)
    assert 0 <= stop_cost_gpu_s(turn, is_resumed) <= spent_gpu_s(turn) == pytest.approx(ended_at)

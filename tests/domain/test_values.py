"""Durations, sizes and state machines."""

from __future__ import annotations

import doctest
import importlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.domain import jobs, turns
from rota.domain.durations import parse_duration_s, parse_slurm_duration_s, say_duration
from rota.domain.jobs import JobState, move_job
from rota.domain.reasons import Asked, Reason
from rota.domain.sizes import parse_size_bytes, say_size
from rota.domain.turns import TurnState, move_turn
from rota.errors import BadRequest, TransitionNotAllowed
from tests.builders import a_job, a_turn
from tests.store.strategies import reasons

WHY = Asked("kim", "test")


@pytest.mark.parametrize(
    "name",
    ["rota.domain.counts", "rota.domain.durations", "rota.domain.sizes", "rota.domain.gpus", "rota.domain.ranges",
     "rota.fleet.notation", "rota.fleet.tiers", "rota.cli.arrays", "rota.cli.tables", "rota.cli.told",
     "rota.cli.compare"],
)  # fmt: skip
def test_what_docstrings_show_is_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@given(st.text(max_size=20))
def test_whatever_is_typed_is_a_value_or_a_clear_error(text: str) -> None:
    for parse in (parse_duration_s, parse_slurm_duration_s, parse_size_bytes):
        try:
            assert parse(text) >= 0
        except BadRequest as refused:
            assert "Write it like" in str(refused)


@given(st.integers(1, 10**8))
def test_a_duration_that_was_said_can_be_read_again(seconds: int) -> None:
    again = parse_duration_s(say_duration(seconds))
    assert abs(again - seconds) <= (3600 if seconds >= 86400 else 60 if seconds >= 3600 else 1)


@given(st.integers(2**20, 2**50))
def test_a_size_that_was_said_can_be_read_again(size: int) -> None:
    assert parse_size_bytes(say_size(size)) == pytest.approx(size, rel=0.06)


@given(st.sampled_from(JobState), st.sampled_from(JobState))
def test_a_job_takes_allowed_steps_and_no_others(before: JobState, after: JobState) -> None:
    job = a_job(state=before)
    if after in jobs.ALLOWED[before]:
        moved, step = move_job(job, after, 5.0, WHY)
        assert (moved.state, step.before, step.after, step.at, step.reason) == (after, before, after, 5.0, WHY)
        assert (moved.ended_at == 5.0) == after.is_final
    else:
        with pytest.raises(TransitionNotAllowed):
            move_job(job, after, 5.0, WHY)


@given(st.sampled_from(TurnState), st.sampled_from(TurnState))
def test_a_turn_takes_allowed_steps_and_no_others(before: TurnState, after: TurnState) -> None:
    turn = a_turn(state=before)
    if after in turns.ALLOWED[before]:
        assert move_turn(turn, after, 5.0, WHY)[0].state is after
    else:
        with pytest.raises(TransitionNotAllowed):
            move_turn(turn, after, 5.0, WHY)


@given(reasons)
def test_a_reason_survives_its_record(reason: Reason) -> None:
    assert Reason.from_dict(reason.to_dict()) == reason

"""Arrays and sweeps."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.cli.arrays import array_numbers, tasks
from rota.errors import BadRequest


def test_a_sweep_is_the_product_of_its_parameters_with_the_command_filled_in() -> None:
    made = tasks(None, ["lr=0.1,0.2", "seed=1,2"], ["python", "train.py", "--lr={lr}", "{seed}"])
    assert [json.loads(task["ROTA_TASK_ARGV"])[2:] for task in made] == [
        ["--lr=0.1", "1"], ["--lr=0.1", "2"], ["--lr=0.2", "1"], ["--lr=0.2", "2"],
    ]  # fmt: skip
    assert [task["ROTA_ARRAY_TASK"] for task in made] == ["1", "2", "3", "4"]
    assert made[0]["ROTA_PARAM_LR"] == "0.1"


def test_an_array_names_its_tasks_and_leaves_the_command_alone() -> None:
    assert tasks("3-5", [], ["true"]) == [{"ROTA_ARRAY_TASK": str(n)} for n in (3, 4, 5)]
    assert tasks(None, [], ["true"]) == []


@pytest.mark.parametrize("text", ["", "a-b", "5-1", "1-10:0", "1-99999999", "1--3", "²"])
def test_what_is_no_array_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        array_numbers(text)


@pytest.mark.parametrize("text", ["lr", "=1", "1a=2", "a b=1"])
def test_what_is_no_parameter_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        tasks(None, [text], ["true"])


@given(st.text(max_size=30))
def test_whatever_is_typed_is_an_array_or_a_clear_error(text: str) -> None:
    try:
        assert array_numbers(text)
    except BadRequest as refused:
        assert "1-10" in str(refused) or "at most" in str(refused)

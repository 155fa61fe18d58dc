"""Fleets as people write them, and tiers as the driver's names give them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.domain.gpus import Condition
from rota.errors import BadRequest
from rota.fleet.health import WATCHER, compare
from rota.fleet.notation import parse_fleet
from rota.fleet.tiers import order_tiers, tier_of


def test_one_node_each_and_several() -> None:
    assert Counter(gpu.node for gpu in parse_fleet("h100:8,rtx3090:4").gpus) == {"h100-1": 8, "rtx3090-1": 4}
    fleet = parse_fleet("2x h100:4, 3x rtx3090:2")
    assert [node.name for node in fleet.nodes] == ["h100-1", "h100-2", "rtx3090-1", "rtx3090-2", "rtx3090-3"]
    assert fleet.tiers == ("h100", "rtx3090")
    assert len({gpu.uuid for gpu in fleet.gpus}) == 14


NO_FLEETS = ["", "h100", "h100:", ":4", "h100:0", "0x h100:4", "h100:four", "h100:-1", "h100:4,", "h100:99999999"]


@pytest.mark.parametrize("text", NO_FLEETS)
def test_what_is_no_fleet_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadRequest, match="h100"):
        parse_fleet(text)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_fleet_or_a_clear_error(text: str) -> None:
    try:
        assert parse_fleet(text).gpus
    except BadRequest as refused:
        assert str(refused)


@pytest.mark.parametrize(
    ("model", "tier"),
    [
        ("NVIDIA H100 80GB HBM3", "h100"), ("NVIDIA H100 PCIe", "h100"), ("NVIDIA H200", "h200"),
        ("NVIDIA A100-SXM4-80GB", "a100"), ("Tesla V100-SXM2-32GB", "v100"), ("NVIDIA GeForce RTX 3090", "rtx3090"),
        ("NVIDIA RTX A6000", "a6000"), ("NVIDIA RTX 6000 Ada Generation", "rtx6000ada"), ("NVIDIA A40", "a40"),
        ("NVIDIA GeForce RTX 2080 Ti", "rtx2080ti"), ("Tesla T4", "t4"), ("NVIDIA L40S", "l40s"), ("", "gpu"),
    ],
)  # fmt: skip
def test_models_and_their_tiers(model: str, tier: str) -> None:
    assert tier_of(model) == tier


def test_the_laboratorys_order_comes_first_then_speed_then_the_name() -> None:
    assert order_tiers(["t4", "zeta", "alpha", "h100", "a100"], ["t4"]) == ("t4", "h100", "a100", "alpha", "zeta")


LOST = (Condition.FAILED, "the driver does not answer for it")


def test_only_marks_that_the_watcher_made_are_changed_by_it() -> None:
    known = ("a", "b", "c", "d")
    marks = {"b": (*LOST, WATCHER), "c": (Condition.DRAINED, "new fan", "root"), "d": (Condition.FAILED, "", "root")}
    change = compare({"a": LOST, "c": LOST}, marks, known)
    assert change.marks == {LOST: ("a",)}
    assert change.back == ("b",)


def test_a_mark_that_is_right_already_is_not_made_again() -> None:
    change = compare({"a": LOST}, {"a": (*LOST, WATCHER)}, ("a",))
    assert (change.marks, change.back) == ({}, ())


def test_what_gets_worse_or_has_another_reason_is_marked_anew() -> None:
    away, down = (Condition.DRAINED, "node not responding in Slurm"), (Condition.FAILED, "node down in Slurm")
    change = compare({"a": down, "b": down, "c": away}, {"a": (*away, WATCHER), "b": (*down, WATCHER)}, ("a", "b", "c"))
    assert change.marks == {down: ("a",), away: ("c",)}

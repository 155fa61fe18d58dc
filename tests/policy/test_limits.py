"""Requests that could never be served are refused with what would work."""

from __future__ import annotations

from typing import Any

import pytest

from rota.errors import BadRequest
from rota.policy.limits import refuse_impossible
from tests.builders import GIB, a_fleet, a_request

FLEET = a_fleet(big=("h100", 8), small=("rtx3090", 4))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"gpus": 16, "tiers": ("h100",)}, "No node has 16 GPUs of tier h100 (the largest has 8"),
        ({"gpus": 6, "tiers": ("rtx3090",)}, "or --tier any"),
        ({"tiers": ("h10",)}, "Did you mean h100?"),
        ({"tiers": ("tpu",)}, "Tiers: h100, rtx3090; or --tier any"),
        ({"gpu_memory_bytes": 900 * GIB}, "the largest has 80G"),
        ({"cpus": 1000}, "the largest has 64"),
        ({"memory_bytes": 5000 * GIB}, "the largest has 512G"),
        ({"gpus": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest) as refused:
        refuse_impossible(a_request(**asked), FLEET)
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) <= 3


def test_what_can_be_served_is_not_refused() -> None:
    for asked in ({"gpus": 8}, {"gpus": 4, "tiers": ("rtx3090",)}, {"gpu_memory_bytes": 80 * GIB}, {"cpus": 64}):
        refuse_impossible(a_request(**asked), FLEET)
    two_nodes = a_fleet(one=("h100", 4), two=("h100", 4))
    refuse_impossible(a_request(gpus=8), two_nodes)

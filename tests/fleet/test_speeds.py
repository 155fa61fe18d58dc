"""The table of speeds: in the code what it is in the docs, and found for the names that drivers give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rota.fleet.notation import parse_fleet
from rota.fleet.speeds import SPEEDS, speed_of, table_speeds
from rota.fleet.tiers import MODELS
from tests.builders import a_fleet, a_gpu

DOCS = Path(__file__).resolve().parents[2] / "docs" / "speeds.md"
ROW = re.compile(r"^\| ([A-Z][^|]*?) \| (\d\.\d\d) \| ([*e]?) ?\|$", re.MULTILINE)


def test_the_docs_and_the_code_hold_the_same_table() -> None:
    written = {model: (float(speed), note) for model, speed, note in ROW.findall(DOCS.read_text())}
    assert written == {known.model: (known.speed, known.note) for known in SPEEDS}


@pytest.mark.parametrize(
    ("name", "speed"),
    [
        ("NVIDIA H100 80GB HBM3", 1.00), ("NVIDIA H100 PCIe", 0.68), ("NVIDIA H200", 1.17),
        ("NVIDIA GH200 480GB", 1.04),
        ("NVIDIA A100-SXM4-80GB", 0.54), ("NVIDIA A100 80GB PCIe", 0.52), ("NVIDIA A100-SXM4-40GB", 0.43),
        ("NVIDIA A100-PCIE-40GB", 0.43), ("Tesla V100-SXM2-32GB", 0.24), ("Tesla V100-SXM2-16GB", 0.19),
        ("NVIDIA GeForce RTX 3090", 0.23), ("NVIDIA RTX A6000", 0.26), ("NVIDIA RTX A5000", 0.20), ("NVIDIA A40", 0.23),
        ("NVIDIA RTX 6000 Ada Generation", 0.35), ("Tesla T4", 0.07), ("NVIDIA Thing 7", None),
    ],
)  # fmt: skip
def test_models_as_drivers_name_them(name: str, speed: float | None) -> None:
    assert speed_of(name) == speed


def test_every_tier_that_rota_names_has_a_speed() -> None:
    assert [model.tier for model in MODELS if speed_of(model.tier) is None] == []


def test_a_tier_is_as_fast_as_the_slowest_model_in_it() -> None:
    assert table_speeds(parse_fleet("h100:2,rtx3090:1,thing:1")) == {"h100": 1.00, "rtx3090": 0.23}
    fleet = a_fleet(lab=("h100", 1))
    pcie = a_gpu(1, model="NVIDIA H100 PCIe")
    assert table_speeds(type(fleet)(fleet.nodes, (*fleet.gpus, pcie), fleet.tiers)) == {"h100": 0.68}

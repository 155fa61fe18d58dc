"""Names of output files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.domain.output_names import output_name

VALUES = {"j": "128", "A": "120", "a": "7", "x": "bert", "u": "kim"}


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("slurm-%j.out", "slurm-128.out"),
        ("job%4j.out", "job0128.out"),
        ("%A_%3a-%x-%u", "120_007-bert-kim"),
        ("100%%-%j", "100%-128"),
        ("%5x", "bert"),
        ("%N-%t", "%N-%t"),
        (r"\%j", "%j"),
        ("%%j", "%j"),
        ("plain", "plain"),
    ],
)
def test_patterns_are_those_of_sbatch(pattern: str, name: str) -> None:
    assert output_name(pattern, VALUES) == name


@given(st.text(max_size=20))
def test_no_pattern_breaks_it(pattern: str) -> None:
    assert isinstance(output_name(pattern, VALUES), str)

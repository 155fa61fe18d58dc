"""GRES strings, as Slurm prints them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.slurm.gres import gpu_counts

PRINTED = [
    ("gpu:h100:2(S:0-1)", {"h100": 2}),
    ("gpu:h100:2(IDX:0-1)", {"h100": 2}),
    ("gpu:tesla:7(IDX:0-4,8,11)", {"tesla": 7}),
    ("gpu:4", {"": 4}),
    ("gpu", {"": 1}),
    ("gpu:h100", {"h100": 1}),
    ("gpu:8(S:0-3)", {"": 8}),
    ("gpu:nvidia_h100_80gb_hbm3:8", {"nvidia_h100_80gb_hbm3": 8}),
    ("gpu:a100_1g.5gb:7", {"a100_1g.5gb": 7}),
    ("gpu:a100:2(S:0),gpu:1g.10gb:7(S:1)", {"a100": 2, "1g.10gb": 7}),
    ("gpu:h100:2(S:0),gpu:h100:2(S:1)", {"h100": 4}),
    ("gpu:h100:0(IDX:N/A),shard:0", {}),
    ("mps:200,gpu:t4:1,bandwidth:lustre:no_consume:4G", {"t4": 1}),
    ("gpu:t4:no_consume:2", {"t4": 2}),
    ("gpu:2080:4", {"2080": 4}),
    ("fpga:2", {}), ("", {}), ("(null)", {}), ("N/A", {}), ("gpus:3", {}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "counts"), PRINTED)
def test_what_slurm_prints(text: str, counts: dict[str, int]) -> None:
    assert gpu_counts(text) == counts


a_type = st.one_of(
    st.just(""), st.from_regex(r"[a-z][a-z0-9_.+-]{0,20}", fullmatch=True).filter(lambda t: t != "no_consume")
)
aside = st.sampled_from(["", "(S:0)", "(S:0-1)", "(IDX:0-1,3)", "(IDX:N/A)"])


@given(
    st.dictionaries(a_type, st.integers(1, 9999), max_size=5), aside, st.lists(st.sampled_from(["shard:8", "mps:1"]))
)
def test_whatever_is_written_is_read_again(counts: dict[str, int], aside: str, others: list[str]) -> None:
    parts = [f"gpu:{kind}:{count}{aside}" if kind else f"gpu:{count}{aside}" for kind, count in counts.items()]
    assert gpu_counts(",".join([*others, *parts])) == counts


@given(st.text(st.sampled_from("gpu:,()0123abIDX-²٣ \n"), max_size=60))
def test_any_text_has_a_number_of_gpus(text: str) -> None:
    assert all(count > 0 for count in gpu_counts(text).values())

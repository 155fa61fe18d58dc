"""Nodes, as the commands of several versions of Slurm list them.

recorded/nodes-22.05.json is what a real cluster printed. The others were written by hand for the same four nodes, after
the fields and types that Slurm documents for its data_parser plugins v0.0.39 to v0.0.43.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.slurm.commands import SlurmRefused, SlurmUnavailable
from rota.slurm.gres import gpu_counts
from rota.slurm.nodes import MIB, node_reader, parse_nodes

RECORDED = Path(__file__).parent / "recorded"
SAMPLES = sorted(path.name for path in RECORDED.glob("nodes-*.json"))


def test_there_is_a_sample_of_every_version_that_we_speak_of() -> None:
    assert [name.split("-")[1].removesuffix(".json") for name in SAMPLES] == [
        "22.05", "23.02", "23.11", "24.05", "24.11", "25.05",
    ]  # fmt: skip


@pytest.mark.parametrize("sample", SAMPLES)
def test_all_versions_tell_the_same_of_the_same_nodes(sample: str) -> None:
    na, nb, nc, nd = parse_nodes((RECORDED / sample).read_text())
    assert [node.name for node in (na, nb, nc, nd)] == ["na", "nb", "nc", "nd"]
    assert [(node.cpus, node.memory_bytes // MIB) for node in (na, nd)] == [(16, 64000), (64, 256000)]
    assert [node.states for node in (na, nb, nd)] == [{"MIXED"}, {"IDLE", "DRAIN"}, {"DOWN", "NOT_RESPONDING"}]
    assert [node.reason for node in (na, nb, nd)] == ["", "new fan, ask root", "power supply"]
    assert (set(na.partitions), na.features, nc.features) == ({"gpu", "one"}, ("ib", "hdr"), ())
    assert gpu_counts(na.gres) == {"h100": 4}
    assert gpu_counts(na.gres_used) == {"h100": 2}
    assert gpu_counts(nc.gres) == {"a100": 2, "1g.10gb": 2}
    assert gpu_counts(nc.gres_used) == {"1g.10gb": 1}
    assert na.version.startswith(sample.split("-")[1].removesuffix(".json"))


def test_what_slurm_keeps_for_itself_is_not_for_jobs() -> None:
    node = {"name": "n1", "cpus": 64, "effective_cpus": 60, "real_memory": 1000, "specialized_memory": 100}
    (found,) = parse_nodes(json.dumps({"nodes": [node]}))
    assert (found.cpus, found.memory_bytes) == (60, 900 * MIB)


NUMBERS = [
    (5, 5), ({"set": True, "infinite": False, "number": 5}, 5), ({"set": False, "infinite": False, "number": 5}, 0),
    ({"set": True, "infinite": True, "number": 0}, 0), (None, 0), ("many", 0), (5.0, 5),
]  # fmt: skip


@pytest.mark.parametrize(("given", "number"), NUMBERS)
def test_numbers_as_old_and_new_versions_write_them(given: object, number: int) -> None:
    assert parse_nodes(json.dumps({"nodes": [{"name": "n1", "cpus": given}]}))[0].cpus == number


RUBBISH = [
    "",
    "slurm_load_node: error",
    "{}",
    "[]",
    "null",
    '{"sinfo": []}',
    '{"nodes": [{}]}',
    '{"nodes": 7}',
    "[" * 100_000,
]


@pytest.mark.parametrize("text", RUBBISH)
def test_rubbish_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(SlurmUnavailable, match="cannot be read"):
        parse_nodes(text)


def test_no_node_at_all_is_no_answer_and_why_is_said() -> None:
    away = {"errors": [{"error": "Unspecified error", "errno": -1}], "nodes": []}
    with pytest.raises(SlurmUnavailable, match=r"no node at all. It says: Unspecified error\.$"):
        parse_nodes(json.dumps(away))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    "cpus",
    "real_memory",
    "gres",
    "gres_used",
    "state",
    "state_flags",
    "reason",
    "partitions",
    "features",
    "version",
)


@given(st.dictionaries(st.sampled_from(FIELDS), anything))
def test_whatever_stands_in_a_node_it_is_a_node_or_a_sentence(fields: dict[str, object]) -> None:
    try:
        (node,) = parse_nodes(json.dumps({"nodes": [{**fields, "name": "n1"}]}))
        assert node.name == "n1"
    except SlurmUnavailable as refused:
        assert str(refused)


class Shell:
    """A cluster's commands; `version` decides which of them know --json."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.typed: list[str] = []

    def __call__(self, words: Sequence[str], _: str) -> str:
        self.typed.append(words[0])
        if words[0] == "scontrol" and self.version == "22.05":
            raise SlurmRefused("Slurm refused scontrol: ...", "scontrol: unrecognized option '--json'\nTry ...")
        if words[0] == "sinfo" and self.version != "22.05":
            return '{"sinfo": []}'
        name = "nodes-22.05.json" if self.version == "22.05" else f"nodes-{self.version}-written.json"
        return (RECORDED / name).read_text()


def test_the_command_that_this_slurm_has_is_found_once() -> None:
    new = Shell("24.05")
    read = node_reader(new)
    assert len(read()) == len(read()) == 4
    assert new.typed == ["scontrol", "scontrol"]
    old = Shell("22.05")
    read = node_reader(old)
    assert len(read()) == len(read()) == 4
    assert old.typed == ["scontrol", "sinfo", "sinfo"]


def test_a_slurm_that_comes_back_newer_is_understood() -> None:
    shell = Shell("22.05")
    read = node_reader(shell)
    read()
    shell.version = "23.11"
    with pytest.raises(SlurmUnavailable):
        read()
    assert {node.version for node in read()} >= {"23.11.1"}


def test_another_refusal_is_told_as_it_is() -> None:
    def refuse(words: Sequence[str], _: str) -> str:
        raise SlurmRefused("Slurm refused scontrol: Access/permission denied", "Access/permission denied")

    with pytest.raises(SlurmRefused, match="permission denied"):
        node_reader(refuse)()

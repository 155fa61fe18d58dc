"""The fleet of a Slurm cluster, and how its GPUs are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.domain.gpus import Condition, Fleet
from rota.errors import RotaError
from rota.fleet.health import Ours, Seen
from rota.fleet.slurm import find_slurm_fleet, fleet_of
from rota.fleet.slurm_health import NOT_LISTED, TAKEN, conditions_of, slurm_look
from rota.slurm.commands import SlurmUnavailable
from rota.slurm.nodes import SlurmNode
from tests.builders import GIB

NODES = (Path(__file__).parents[1] / "slurm" / "recorded" / "nodes-25.05-written.json").read_text()
PARTITIONS = """\
PartitionName=gpu AllowGroups=ALL AllocNodes=ALL Default=YES QoS=N/A MaxTime=UNLIMITED Nodes=n[a-d]
PartitionName=one AllowGroups=ALL AllocNodes=ALL Default=NO QoS=N/A MaxTime=UNLIMITED Nodes=na
"""


def a_node(name: str = "n1", gres: str = "gpu:h100:4", used: str = "", **changes: object) -> SlurmNode:
    """A node that is well, with four h100."""
    node = SlurmNode(name, 64, 512 * GIB, gres, used, frozenset({"IDLE"}), "", ("gpu",), (), "24.05.1")
    return replace(node, **changes)  # type: ignore[arg-type]  # names are checked at run time


def cluster_says(words: Sequence[str], _: str) -> str:
    return PARTITIONS if "partition" in words else NODES


# --- the fleet -----------------------------------------------------------------------------------


def test_a_cluster_becomes_a_fleet() -> None:
    fleet = find_slurm_fleet(cluster_says)
    assert [(gpu.uuid, gpu.label, gpu.tier, gpu.model) for gpu in fleet.gpus if gpu.node in ("na", "nb")] == [
        ("SLURM-na-0", "na:0", "h100", "h100"),
        ("SLURM-na-1", "na:1", "h100", "h100"),
        ("SLURM-na-2", "na:2", "h100", "h100"),
        ("SLURM-na-3", "na:3", "h100", "h100"),
        ("SLURM-nb-0", "nb:0", "a100", ""),
        ("SLURM-nb-1", "nb:1", "a100", ""),
    ]
    assert [(node.name, node.cpus, node.memory_bytes >> 20) for node in fleet.nodes][-1] == ("nd", 64, 256000)
    assert fleet.tiers == ("h100", "a100", "rtx3090", "1g.10gb")
    assert not fleet.is_simulated


def test_only_the_partitions_that_are_asked_for() -> None:
    nodes = [a_node("n1", partitions=("gpu", "old")), a_node("n2", partitions=("new",)), a_node("n3", gres="(null)")]
    assert {gpu.node for gpu in fleet_of(nodes).gpus} == {"n1", "n2"}
    assert [node.name for node in fleet_of(nodes, partition="gpu").nodes] == ["n1"]
    assert {gpu.node for gpu in fleet_of(nodes, partition="old, new").gpus} == {"n1", "n2"}


def test_nodes_are_in_the_order_of_their_numbers_and_broken_ones_are_among_them() -> None:
    nodes = [a_node("gpu10"), a_node("gpu2", states=frozenset({"DOWN"})), a_node("gpu3", states=frozenset({"FUTURE"}))]
    assert [node.name for node in fleet_of(nodes).nodes] == ["gpu2", "gpu10"]


TYPES = [
    ("gpu:h100:1", (), "h100", 80),
    ("gpu:nvidia_h100_80gb_hbm3:1", (), "h100", 80),
    ("gpu:H100_NVL_94GB:1", (), "h100", 94),
    ("gpu:a100_40gb:1", (), "a100", 40),
    ("gpu:nvidia_a100-sxm4-40gb:1", (), "a100", 40),
    ("gpu:a100-40g:1", (), "a100", 40),
    ("gpu:rtx_3090:1", (), "rtx3090", 24),
    ("gpu:nvidia_geforce_rtx_2080_ti:1", (), "rtx2080ti", 11),
    ("gpu:nvidia_rtx_a6000:1", (), "a6000", 48),
    ("gpu:tesla_t4:1", (), "t4", 16),
    ("gpu:tesla_v100-sxm2-16gb:1", (), "v100", 16),
    ("gpu:gh200_480gb:1", (), "gh200", 96),
    ("gpu:titan:1", ("h100",), "titan", 24),
    ("gpu:1", ("ib", "a100_40gb", "h100"), "a100", 40),
    ("gpu:1", ("hdr", "RTX_3090"), "rtx3090", 24),
    ("gpu:1", ("ib",), "gpu", 24),
    ("gpu:1g.10gb:1", (), "1g.10gb", 10),
    ("gpu:1g.10gb:1", ("h100",), "h100-1g.10gb", 10),
    ("gpu:a100_1g.5gb:1", ("ib",), "a100-1g.5gb", 5),
    ("gpu:a100.3g.40gb:1", (), "a100-3g.40gb", 40),
    ("gpu:a100_1g.5gb+me:1", (), "a100-1g.5gb+me", 5),
    ("gpu:nvidia_h100_80gb_hbm3_2g.20gb:1", (), "h100-2g.20gb", 20),
    ("gpu:1c.3g.20gb:1", (), "1c.3g.20gb", 20),
]


@pytest.mark.parametrize(("gres", "features", "tier", "gib"), TYPES)
def test_types_their_tiers_and_their_memory(gres: str, features: tuple[str, ...], tier: str, gib: int) -> None:
    (gpu,) = fleet_of([a_node(gres=gres, features=features)]).gpus
    assert (gpu.tier, gpu.memory_bytes) == (tier, gib * GIB)


def test_a_node_of_two_types_numbers_its_gpus_through() -> None:
    fleet = fleet_of([a_node(gres="gpu:a100:2(S:0),gpu:1g.10gb:2(S:1)")], stated_order=("1g.10gb",))
    assert [(gpu.index, gpu.tier) for gpu in fleet.gpus] == [(0, "a100"), (1, "a100"), (2, "1g.10gb"), (3, "1g.10gb")]
    assert fleet.tiers == ("1g.10gb", "a100")


@given(st.text(max_size=30), st.lists(st.text(max_size=12), max_size=3), st.text(max_size=12))
def test_whatever_a_type_is_called_its_gpus_have_a_tier(gres_type: str, features: list[str], name: str) -> None:
    for gpu in fleet_of([a_node(name, gres=f"gpu:{gres_type}:2", features=tuple(features)), a_node("n2")]).gpus:
        assert gpu.tier
        assert gpu.memory_bytes > 0


WRONG = [
    ("nosuch", "Slurm has no partition 'nosuch'"),
    ("cpu", "No node of partition cpu has a GPU. Partitions with GPUs: "),
]


@pytest.mark.parametrize(("partition", "said"), WRONG)
def test_a_partition_without_gpus_is_told_with_those_that_have_some(partition: str, said: str) -> None:
    def says(words: Sequence[str], given: str) -> str:
        return cluster_says(words, given).replace('"gres": "gpu:2"', '"gres": ""')  # nb, alone in cpu

    with pytest.raises(RotaError, match=said) as refused:
        find_slurm_fleet(says, partition)
    assert "gpu, one" in str(refused.value)


def test_a_default_partition_without_gpus_is_named() -> None:
    def says(words: Sequence[str], given: str) -> str:
        swapped = PARTITIONS.replace("=gpu", "=cpu") if "partition" in words else cluster_says(words, given)
        return swapped.replace('"gres": "gpu:2"', '"gres": ""')

    with pytest.raises(RotaError, match=r"Slurm's default partition cpu has a GPU.*Choose one: \[slurm\] partition"):
        find_slurm_fleet(says)


def test_a_cluster_without_a_gpu_is_told_where_gpus_are_written_down() -> None:
    with pytest.raises(RotaError, match=r"1 nodes, and none of them has a GPU"):
        find_slurm_fleet(lambda words, _: PARTITIONS if "partition" in words else '{"nodes": [{"name": "n1"}]}')


# --- how nodes are -------------------------------------------------------------------------------

STATES = [
    ({"IDLE"}, None, ""),
    ({"MIXED", "PLANNED"}, None, ""),
    ({"IDLE", "CLOUD", "POWERED_DOWN"}, None, ""),
    ({"ALLOCATED", "COMPLETING"}, None, ""),
    ({"IDLE", "REBOOT_REQUESTED"}, None, ""),
    ({"DOWN", "NOT_RESPONDING"}, Condition.FAILED, "node down in Slurm: fan"),
    ({"DOWN", "DRAIN"}, Condition.FAILED, "node down in Slurm: fan"),
    ({"ERROR"}, Condition.FAILED, "node down in Slurm: fan"),
    ({"IDLE", "DRAIN"}, Condition.DRAINED, "node drained in Slurm: fan"),
    ({"ALLOCATED", "DRAIN", "NOT_RESPONDING"}, Condition.DRAINED, "node drained in Slurm: fan"),
    ({"MIXED", "NOT_RESPONDING"}, Condition.DRAINED, "node not responding in Slurm: fan"),
    ({"IDLE", "MAINTENANCE", "RESERVED"}, Condition.DRAINED, "node in maintenance in Slurm: fan"),
    ({"IDLE", "RESERVED"}, Condition.DRAINED, "node reserved in Slurm: fan"),
    ({"MIXED", "FAIL"}, Condition.DRAINED, "node about to fail in Slurm: fan"),
    ({"UNKNOWN", "REBOOT_ISSUED"}, Condition.DRAINED, "node rebooting in Slurm: fan"),
]


@pytest.mark.parametrize(("states", "condition", "why"), STATES)
def test_states_of_nodes(states: set[str], condition: Condition | None, why: str) -> None:
    node = a_node(states=frozenset(states), reason="fan" if condition else "")
    seen, _ = conditions_of([node], fleet_of([node]), Ours())
    assert set(seen.values()) == ({(condition, why)} if condition else set())
    assert len(seen) == (4 if condition else 0)


def test_what_slurm_does_not_list_any_more_gets_no_turn() -> None:
    fleet = fleet_of([a_node("n1"), a_node("n2")])
    seen, _ = conditions_of([a_node("n1", gres="gpu:h100:3")], fleet, Ours())
    assert seen == dict.fromkeys(["SLURM-n1-3", *(f"SLURM-n2-{i}" for i in range(4))], NOT_LISTED)


# --- what others use -----------------------------------------------------------------------------


def gpus(*numbers: int) -> frozenset[str]:
    """Of the node n1."""
    return frozenset(f"SLURM-n1-{number}" for number in numbers)


def taken(node: SlurmNode, before: int | None = None, **ours: frozenset[str]) -> frozenset[str]:
    """What one look says, `before` being how many others used at the look before."""
    looked = {} if before is None else {(node.name, "h100"): before}
    seen, _ = conditions_of([node], fleet_of([node]), Ours(**ours), looked)
    assert set(seen.values()) <= {TAKEN}
    return frozenset(seen)


def test_what_is_used_and_not_held_by_us_is_taken_the_last_first() -> None:
    assert taken(a_node(used="gpu:h100:0(IDX:N/A)")) == gpus()
    assert taken(a_node(used="gpu:h100:2(IDX:0-1)")) == gpus(2, 3)
    assert taken(a_node(used="gpu:h100:2(IDX:0-1)"), held=gpus(3)) == gpus(2)
    assert taken(a_node(used="gpu:h100:2(IDX:0-1)"), held=gpus(1, 3)) == gpus()
    assert taken(a_node(used="gpu:h100:4"), held=gpus(0)) == gpus(1, 2, 3)


def test_each_type_is_counted_for_itself() -> None:
    node = a_node(gres="gpu:a100:2,gpu:1g.10gb:2", used="gpu:a100:1(IDX:0),gpu:1g.10gb:1(IDX:2)")
    assert taken(node, held=gpus(0)) == gpus(3)
    assert taken(node, held=gpus(2)) == gpus(1)


def test_where_slurm_counts_without_types_any_of_the_node_may_be_meant() -> None:
    assert taken(a_node(gres="gpu:a100:2,gpu:t4:1", used="gpu:2"), held=gpus(0)) == gpus(2)
    assert taken(a_node(gres="gpu:4", used="gpu:3(IDX:0-2)"), held=gpus(3)) == gpus(1, 2)


def test_a_turn_that_begins_or_has_just_ended_is_not_somebody_elses() -> None:
    for used in (0, 1):
        assert taken(a_node(used=f"gpu:h100:{used}"), unsure=gpus(0)) == gpus()
    assert taken(a_node(used="gpu:h100:2"), unsure=gpus(0)) == gpus(3)


def test_nor_does_it_hide_what_somebody_else_has() -> None:
    for used in (1, 2):
        assert taken(a_node(used=f"gpu:h100:{used}"), unsure=gpus(0), taken=gpus(3)) == gpus(3)
    assert taken(a_node(used="gpu:h100:1"), held=gpus(0), taken=gpus(3)) == gpus()


def test_what_is_marked_stays_where_it_is() -> None:
    assert taken(a_node(used="gpu:h100:1"), taken=gpus(1)) == gpus(1)
    assert taken(a_node(used="gpu:h100:2"), taken=gpus(1)) == gpus(1, 3)


def test_a_turn_of_ours_that_does_not_begin_stands_where_others_are() -> None:
    assert taken(a_node(used="gpu:h100:1"), waiting=gpus(1)) == gpus(1)


def test_the_mark_moves_when_a_turn_of_ours_begins_under_it() -> None:
    assert taken(a_node(used="gpu:h100:2"), before=1, held=gpus(3), taken=gpus(3)) == gpus(2)


def test_one_look_alone_changes_nothing() -> None:
    assert taken(a_node(used="gpu:h100:2"), before=0) == gpus()
    assert taken(a_node(used="gpu:h100:2"), before=2) == gpus(2, 3)
    assert taken(a_node(used="gpu:h100:0"), before=2, taken=gpus(2, 3)) == gpus(2, 3)
    assert taken(a_node(used="gpu:h100:0"), before=0, taken=gpus(2, 3)) == gpus()
    assert taken(a_node(used="gpu:h100:3"), before=1, taken=gpus(3)) == gpus(3)


@st.composite
def a_moment(draw: st.DrawFn) -> tuple[int, int, Ours, bool]:
    """Four GPUs: others hold some, turns of ours others; whether Slurm counts those that begin or end is open."""
    others = draw(st.integers(0, 4))
    numbers = draw(st.permutations(range(4)))[others:]
    held = draw(st.integers(0, len(numbers)))
    unsure = draw(st.integers(0, len(numbers) - held))
    counted = draw(st.integers(0, unsure))
    is_marked = draw(st.booleans())
    free = [number for number in range(4) if number not in numbers[: held + unsure]]
    marked = gpus(*free[:others]) if is_marked else gpus()
    ours = Ours(held=gpus(*numbers[:held]), unsure=gpus(*numbers[held : held + unsure]), taken=marked)
    return others, others + held + counted, ours, is_marked


@given(a_moment())
def test_others_are_never_seen_more_than_there_are_and_once_marked_never_less(
    moment: tuple[int, int, Ours, bool],
) -> None:
    others, used, ours, is_marked = moment
    found = taken(a_node(used=f"gpu:h100:{used}"), held=ours.held, unsure=ours.unsure, taken=ours.taken)
    assert len(found) <= others
    assert found.isdisjoint(ours.held)
    if is_marked or not ours.unsure:
        assert len(found) == others


# --- looking -------------------------------------------------------------------------------------


class Slurm:
    """Answers as one node with four h100, of which so many are used."""

    def __init__(self) -> None:
        self.used, self.state, self.is_away = 0, "IDLE", False
        self.fleet: Fleet = fleet_of([a_node()])

    def __call__(self, words: Sequence[str], _: str) -> str:
        if self.is_away:
            raise SlurmUnavailable("Slurm does not answer scontrol: Connection refused")
        return (
            f'{{"nodes": [{{"name": "n1", "gres": "gpu:h100:4", "gres_used": "gpu:h100:{self.used}(IDX:0)", '
            f'"state": ["{self.state}"], "reason": ""}}]}}'
        )


def test_others_are_seen_at_once_at_first_and_then_by_two_looks() -> None:
    slurm = Slurm()
    look = slurm_look(slurm, slurm.fleet)
    slurm.used = 1
    assert look(Ours()) == {"SLURM-n1-3": TAKEN}
    slurm.used = 2
    marked = Ours(taken=gpus(3))
    assert [_taken_in(look(marked)), _taken_in(look(marked))] == [gpus(3), gpus(2, 3)]
    slurm.used = 0
    marked = Ours(taken=gpus(2, 3))
    assert [_taken_in(look(marked)), _taken_in(look(marked))] == [gpus(2, 3), gpus()]


def _taken_in(seen: Seen | None) -> frozenset[str]:
    return frozenset(seen or {})


def test_a_slurm_that_does_not_answer_says_nothing() -> None:
    slurm = Slurm()
    look = slurm_look(slurm, slurm.fleet)
    slurm.used = 1
    look(Ours())
    slurm.is_away = True
    assert look(Ours(taken=gpus(3))) is None
    slurm.is_away = False
    assert look(Ours(taken=gpus(3))) == {"SLURM-n1-3": TAKEN}


def test_a_node_that_goes_down_has_failed_whoever_used_it() -> None:
    slurm = Slurm()
    look = slurm_look(slurm, slurm.fleet)
    slurm.used = 1
    look(Ours())
    slurm.state = "DOWN"
    seen = look(Ours(taken=gpus(3)))
    assert seen == dict.fromkeys(gpus(0, 1, 2, 3), (Condition.FAILED, "node down in Slurm"))

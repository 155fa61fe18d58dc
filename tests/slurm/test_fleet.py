"""The fleet of a real cluster, watched while its administrator and its other users are at work."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from examples.slurm_cluster import Cluster

from rota.domain.gpus import Condition, Fleet
from rota.errors import RotaError
from rota.fleet.health import Look, Ours, Seen
from rota.fleet.slurm import find_slurm_fleet
from rota.fleet.slurm_health import TAKEN, slurm_look
from rota.slurm.commands import Run, commands
from tests.waiting import wait_until


@pytest.fixture
def cluster(fresh_cluster: Cluster) -> Cluster:
    return fresh_cluster


@pytest.fixture
def run(cluster: Cluster) -> Run:
    return commands(environment=cluster.environment)


@pytest.fixture
def fleet(run: Run) -> Fleet:
    return find_slurm_fleet(run)


def seen_until(look: Look, is_so: Callable[[Seen], bool]) -> Seen:
    """What is seen when it is so."""

    def looked() -> list[Seen]:
        seen = look(Ours())
        return [seen] if seen is not None and is_so(seen) else []

    return wait_until(looked, 60, 0.1, "it is seen so")[0]


def state_of(job: str, cluster: Cluster) -> str:
    return cluster.run("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T").strip()


def test_the_cluster_is_found_as_a_fleet(run: Run, fleet: Fleet) -> None:
    assert [gpu.uuid for gpu in fleet.gpus if gpu.tier == "h100"] == [
        "SLURM-h100a-0", "SLURM-h100a-1", "SLURM-h100b-0", "SLURM-h100b-1",
    ]  # fmt: skip
    assert [(node.name, node.cpus, node.memory_bytes >> 20) for node in fleet.nodes][::2] == [
        ("h100a", 8, 64_000), ("rtx3090a", 8, 32_000),
    ]  # fmt: skip
    assert fleet.tiers == ("h100", "rtx3090")
    assert slurm_look(run, fleet)(Ours()) == {}
    with pytest.raises(RotaError, match=r"no partition 'nosuch'.*there are: gpu\."):
        find_slurm_fleet(run, "nosuch")


def test_a_node_that_is_drained_and_one_that_is_down_are_seen_until_they_are_back(
    cluster: Cluster, run: Run, fleet: Fleet
) -> None:
    look = slurm_look(run, fleet)
    drained = (Condition.DRAINED, "node drained in Slurm: new fan")
    down = (Condition.FAILED, "node down in Slurm: power supply")
    cluster.run("scontrol", "update", "nodename=h100a", "state=drain", "reason=new fan")
    assert seen_until(look, bool) == dict.fromkeys(["SLURM-h100a-0", "SLURM-h100a-1"], drained)
    cluster.run("scontrol", "update", "nodename=h100a", "state=resume")
    assert seen_until(look, lambda seen: not seen) == {}
    cluster.run("scontrol", "update", "nodename=rtx3090b", "state=down", "reason=power supply")
    assert seen_until(look, bool) == dict.fromkeys(["SLURM-rtx3090b-0", "SLURM-rtx3090b-1"], down)
    cluster.run("scontrol", "update", "nodename=rtx3090b", "state=resume")
    assert seen_until(look, lambda seen: not seen) == {}


@pytest.mark.long
def test_a_node_without_power_is_no_place_for_a_turn_before_slurm_gives_it_up(
    cluster: Cluster, run: Run, fleet: Fleet
) -> None:
    look = slurm_look(run, fleet)
    cluster.lose_node("rtx3090a")
    gpu = "SLURM-rtx3090a-0"
    seen = seen_until(look, lambda seen: gpu in seen and seen[gpu][0] is Condition.FAILED)
    assert seen[gpu][1].startswith("node down in Slurm")
    assert {uuid for uuid in seen if "rtx3090a" not in uuid} == set()
    cluster.start_node("rtx3090a")
    assert seen_until(look, lambda seen: not seen) == {}


def test_what_others_use_is_taken_and_what_is_ours_is_not(cluster: Cluster, run: Run, fleet: Fleet) -> None:
    look = slurm_look(run, fleet)
    assert look(Ours()) == {}
    job = cluster.run(
        "sbatch", "--parsable", "--output=/dev/null", "--nodelist=h100b", "--gres=gpu:h100:1", "--wrap=sleep 600"
    ).strip()
    wait_until(lambda: state_of(job, cluster) == "RUNNING", what="somebody's job runs")
    assert look(Ours()) == {}, "one look is not believed"
    assert look(Ours()) == {"SLURM-h100b-1": TAKEN}
    ours = Ours(held=frozenset({"SLURM-h100b-0"}))
    assert slurm_look(run, fleet)(ours) == {}, "the same, if it were our own turn"
    marked = Ours(taken=frozenset({"SLURM-h100b-1"}))
    cluster.run("scancel", job)
    wait_until(lambda: state_of(job, cluster) == "CANCELLED", what="it is over")
    assert look(marked) == {"SLURM-h100b-1": TAKEN}, "one look is not believed"
    assert look(marked) == {}


def test_a_controller_that_is_away_says_nothing(cluster: Cluster, run: Run, fleet: Fleet) -> None:
    impatient = commands(timeout_s=1.0, environment=cluster.environment)
    look = slurm_look(impatient, fleet)
    cluster.run("scontrol", "update", "nodename=h100a", "state=drain", "reason=new fan")
    assert look(Ours())
    cluster.freeze_controller()
    assert look(Ours()) is None
    cluster.thaw_controller()
    assert seen_until(look, lambda seen: len(seen) == 2)

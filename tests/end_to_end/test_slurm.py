"""Rota over a real Slurm, with real processes that count."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.slurm_cluster import Cluster

from tests.end_to_end.counting import check_counts, check_record, check_turns, submit_counters
from tests.end_to_end.heads import Heads
from tests.end_to_end.slurm_session import SlurmRota
from tests.end_to_end.test_rotation import kill_until_done
from tests.postgres import fresh_database, own_postgres
from tests.slurm.cluster import booted_cluster, cluster
from tests.waiting import wait_until

__all__ = ["booted_cluster", "cluster"]


@pytest.fixture
def rota(cluster: Cluster) -> Iterator[SlurmRota]:
    """Four nodes of two GPUs, two of them good; a quantum of two seconds."""
    state = Path(tempfile.mkdtemp(prefix="rota-"))
    state.chmod(0o755)
    made = SlurmRota(state, cluster)
    yield made
    made.down()
    shutil.rmtree(state, ignore_errors=True)


def test_jobs_rotate_over_the_nodes_of_a_cluster_while_daemon_and_controller_come_and_go(rota: SlurmRota) -> None:
    rota.up()
    submit_counters(rota, 10, 60, "0.1", "--tier", "h100")
    wait_until(lambda: sum(job["turns"] for job in rota.jobs("--all")) >= 8, 60, 0.3)
    rota.kill_daemon()
    rota.cluster.restart_controller()
    rota.up()
    wait_until(lambda: not rota.jobs(), 150, 0.5, "all jobs have ended")
    assert {job["state"] for job in rota.jobs("--all")} == {"finished"}
    check_counts(rota, 10, 60)
    assert check_turns(rota) >= 20
    check_record(rota)


def test_slurm_that_hangs_is_told_and_nothing_is_lost(rota: SlurmRota) -> None:
    rota.up()
    first = rota.count("first", 60, "--tier", "h100", pace="0.1")
    rota.wait_for(first, "running")
    rota.cluster.freeze_controller()
    told = "The engine (Slurm) is unreachable since"
    wait_until(lambda: told in rota("list"), 40, 0.5, "rota list says that Slurm is away")
    second = rota.submit("--name", "second", "--", "true")  # is taken all the same
    assert any(told in sentence for sentence in json.loads(rota("list", "--json"))["trouble"])
    rota.cluster.thaw_controller()
    wait_until(lambda: told not in rota("list"), 40, 0.5, "and that it is back")
    for number in (first, second):
        rota.wait_for(number, "finished", timeout_s=60)
    assert json.loads((rota.state / "first.json").read_text())["numbers"] == list(range(1, 61))


def test_a_drained_node_is_emptied_politely_and_a_lost_one_costs_only_what_was_not_saved(rota: SlurmRota) -> None:
    rota.up()
    number = rota.count("walker", 400, "--tier", "h100", pace="0.05")

    def turns() -> list[dict[str, object]]:
        found: list[dict[str, object]] = rota.job(number)["turns"]
        return found

    wait_until(lambda: turns() and turns()[0]["saved_at"], 30, 0.3, "it has begun, and saved once")
    node = turns()[0]["node"]
    rota.cluster.run("scontrol", "update", f"nodename={node}", "state=drain", "reason=a fan is loud")

    wait_until(lambda: len(turns()) >= 2 and turns()[1]["began_at"], 60, 0.3, "it goes on elsewhere")
    first, second = turns()[:2]
    assert (first["outcome"], first["lost_s"]) == ("saved", 0)
    assert second["node"] != node
    assert "a fan is loud" in rota("fleet")
    rota.cluster.run("scontrol", "update", f"nodename={node}", "state=resume")
    wait_until(lambda: "a fan is loud" not in rota("fleet"), 30, 0.3, "Slurm's own mark is taken away again")
    rota.cluster.lose_node(str(second["node"]))
    wait_until(lambda: len(turns()) >= 3 and turns()[2]["began_at"], 90, 0.5, "it goes on on the other node")
    lost, third = turns()[1:3]
    assert lost["outcome"] in ("lost", "unsaved")
    assert third["node"] != second["node"]
    rota.wait_for(number, "finished", timeout_s=120)
    assert json.loads((rota.state / "walker.json").read_text())["numbers"] == list(range(1, 401))


def test_a_job_for_more_gpus_than_a_node_has_runs_on_two_nodes(rota: SlurmRota) -> None:
    rota.up()
    words = ("srun", "sh", "-c", "echo $SLURMD_NODENAME $SLURM_PROCID of $SLURM_NTASKS")
    number = rota.submit("--gpus", "4", "--tier", "h100", "--", *words)
    rota.wait_for(number, "finished", "failed")
    said = rota("logs", str(number)).splitlines()
    assert sorted(said) == ["h100a 0 of 4", "h100a 1 of 4", "h100b 2 of 4", "h100b 3 of 4"]


@pytest.mark.postgres
def test_when_the_head_node_dies_the_other_one_goes_on_with_the_turns_that_run(rota: SlurmRota) -> None:
    (rota.state / "other").mkdir()
    other = SlurmRota(rota.state / "other", rota.cluster, turns_dir=str(rota.state / "turns"))
    with own_postgres() as postgres:
        heads = Heads(postgres, fresh_database(postgres.address), rota, other)
        heads.begin_both()
        jobs = submit_counters(rota, 6, 60, "0.1", "--tier", "h100")
        wait_until(lambda: sum(job["state"] == "running" for job in rota.jobs()) == 4, 30, 0.2)
        rota.kill_daemon()
        heads.await_lead(other)
        wait_until(lambda: not other.jobs(), 90, 0.5, "all jobs have ended")
        turns = [turn for job in jobs for turn in other.job(job)["turns"]]
        assert {turn["outcome"] for turn in turns} <= {"saved", "finished"}  # none was lost with the head node
        assert sum(turn["outcome"] == "finished" for turn in turns) == len(jobs)
        other.down()
    check_counts(rota, 6, 60)
    check_turns(rota)


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_thirty_jobs_on_four_nodes_with_everything_killed_in_between(rota: SlurmRota) -> None:
    rota.up()
    submit_counters(rota, 30, 200, "0.1")

    def trouble() -> None:
        for strike in (rota.cluster.restart_controller, lambda: rota.cluster.kill_node("rtx3090b")):
            threading.Event().wait(20)
            strike()
        threading.Event().wait(40)
        rota.cluster.start_node("rtx3090b")
        rota.cluster.restart_controller()

    striking = threading.Thread(target=trouble)
    striking.start()
    kills = kill_until_done(rota, random.Random(5), most=10, longest_s=12.0)
    striking.join()
    assert kills == 10
    assert {job["state"] for job in rota.jobs("--all")} == {"finished"}
    check_counts(rota, 30, 200)
    assert check_turns(rota) >= 150
    check_record(rota)

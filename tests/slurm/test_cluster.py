"""The throw-away cluster behaves as facts about Slurm say that a cluster does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from examples.slurm_cluster import Cluster

from tests.end_to_end.session import EXAMPLES, processes_with
from tests.waiting import wait_until


def submitted(cluster: Cluster, script: str, *options: str) -> tuple[int, Path]:
    """A batch job, and where its output goes."""
    words = ("sbatch", "--parsable", "--no-requeue", "--output", "%j.out", *options, "--wrap", script)
    job = int(cluster.run(*words))
    return job, cluster.folder / f"{job}.out"


def said(output: Path, word: str) -> bool:
    return output.exists() and word in output.read_text()


def state(cluster: Cluster, job: int) -> str:
    return cluster.run("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T").strip()


def test_four_nodes_of_two_types_are_idle(cluster: Cluster) -> None:
    listed = cluster.run("sinfo", "--noheader", "--Node", "--format", "%N %T %G %c").splitlines()
    assert [line.split() for line in listed] == [
        ["h100a", "idle", "gpu:h100:2", "8"],
        ["h100b", "idle", "gpu:h100:2", "8"],
        ["rtx3090a", "idle", "gpu:rtx3090:2", "8"],
        ["rtx3090b", "idle", "gpu:rtx3090:2", "8"],
    ]


def test_a_job_is_told_which_gpu_is_its_own(cluster: Cluster) -> None:
    asked = ("--nodelist=rtx3090b", "--gres=gpu:rtx3090:1")
    jobs = [submitted(cluster, "echo on $SLURMD_NODENAME: $CUDA_VISIBLE_DEVICES; sleep 600", *asked) for _ in range(2)]
    wait_until(lambda: all(said(output, "on") for _, output in jobs), what="both have begun")
    assert sorted(output.read_text() for _, output in jobs) == ["on rtx3090b: 0\n", "on rtx3090b: 1\n"]


@pytest.mark.long
def test_a_killed_slurmd_is_noticed_and_its_job_is_lost(cluster: Cluster) -> None:
    job, output = submitted(cluster, "echo begun; sleep 600", "--nodelist=h100b")
    wait_until(lambda: said(output, "begun"), what="it has begun")
    cluster.lose_node("h100b")
    wait_until(lambda: cluster.node_state("h100b") == "down*", 60, 0.2, "the node is down")
    assert state(cluster, job) == "NODE_FAIL"
    assert cluster.node_state("h100a") == "idle"
    cluster.start_node("h100b")
    assert cluster.node_state("h100b") == "idle"


def test_a_job_outlives_a_restart_of_the_controller(cluster: Cluster, tmp_path: Path) -> None:
    done = tmp_path / "done"
    job, output = submitted(cluster, f"echo begun; while [ ! -e {done} ]; do sleep 0.1; done; echo whole")
    wait_until(lambda: said(output, "begun"), what="it has begun")
    cluster.restart_controller()
    assert state(cluster, job) == "RUNNING"
    done.touch()
    wait_until(lambda: state(cluster, job) == "COMPLETED", what="it is done")
    assert output.read_text() == "begun\nwhole\n"


def test_a_frozen_controller_does_not_answer_until_it_is_thawed(cluster: Cluster) -> None:
    cluster.freeze_controller()
    environment = {**os.environ, **cluster.environment}
    asked = subprocess.Popen(["sinfo", "--noheader"], env=environment, stdout=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        asked.communicate(timeout=1)
    cluster.thaw_controller()
    answer, _ = asked.communicate(timeout=30)
    assert b"idle" in answer


def test_nothing_is_left_when_its_program_is_killed() -> None:
    program = subprocess.Popen([sys.executable, str(EXAMPLES / "slurm_cluster.py")], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    conf = program.stdout.readline().strip().removeprefix("export SLURM_CONF=")
    folder = Path(conf).parent
    words = ["sbatch", "--output", str(folder / "out"), "--wrap", "setsid env --ignore-environment sleep 600 & wait"]
    subprocess.run(words, env={**os.environ, "SLURM_CONF": conf}, check=True, stdout=subprocess.DEVNULL)
    wait_until((folder / "out").exists, what="the job has begun")
    program.send_signal(signal.SIGKILL)
    program.wait()
    wait_until(lambda: not folder.exists() and not processes_with(str(folder)), what="everything has gone")

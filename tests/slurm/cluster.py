"""A real Slurm for tests: booted once per test process when first asked for, made whole again after each test."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from examples.slurm_cluster import Cluster, missing_programs

from tests.missing import is_missing
from tests.waiting import wait_until


@contextmanager
def booted() -> Iterator[Cluster]:
    """Two nodes with two h100 each, two with two rtx3090; ports, key and folder are its own."""
    if missing := missing_programs():
        is_missing(f"no Slurm here ({', '.join(missing)}): apt install slurm-wlm munge")
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="slurm-")), keep_folder=False)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def booted_cluster() -> Iterator[Cluster]:
    """One for all tests of this process."""
    with booted() as cluster:
        yield cluster


@pytest.fixture
def fresh_cluster() -> Iterator[Cluster]:
    """One that no other test has seen: Slurm may say for half a minute that a node is busy when it is not any more."""
    with booted() as cluster:
        yield cluster


@pytest.fixture
def cluster(booted_cluster: Cluster) -> Iterator[Cluster]:
    """All nodes idle and no job there, before the test and after it, whatever it does to them."""
    yield booted_cluster
    mend(booted_cluster)


def mend(cluster: Cluster) -> None:
    """The controller answers, every node is up and idle, and no job is left."""
    cluster.thaw_controller()
    if not cluster.is_running("slurmctld"):
        cluster.start_controller()
    resume(cluster, "drain")
    for node in cluster.nodes:
        if not cluster.is_running(node.name):
            cluster.start_node(node.name)
    resume(cluster, "down")
    if jobs := cluster.run("squeue", "--noheader", "--format", "%A").split():
        cluster.run("scancel", *jobs)
    wait_until(cluster.is_idle, 30, 0.1, "every node is up and no job is left")


def resume(cluster: Cluster, state: str) -> None:
    """What somebody has set by `scontrol update nodename=... state=...`."""
    for node in cluster.nodes:
        if cluster.node_state(node.name).startswith(state):
            cluster.run("scontrol", "update", f"nodename={node.name}", "state=resume")

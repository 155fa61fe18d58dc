"""`make demo-slurm`, with fewer and shorter jobs, as somebody at a terminal sees it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.slurm_cluster import missing_programs

from tests.end_to_end.session import EXAMPLES, processes_with
from tests.missing import is_missing

CLOSING = re.compile(r"demo-slurm: 6 jobs, (\d+) turns, 1 nodes lost, every count exact")


@pytest.fixture
def state() -> Iterator[Path]:
    """Where the demo keeps its record; every process of it knows this path."""
    if missing := missing_programs():
        is_missing(f"no Slurm here ({', '.join(missing)}): apt install slurm-wlm munge")
    folder = Path(tempfile.mkdtemp(prefix="rota-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def demo(state: Path, *options: str, **environment: str) -> subprocess.Popen[str]:
    words = [sys.executable, str(EXAMPLES / "slurm_lab.py"), "--state", str(state), "--port", "0", "--jobs", "6"]
    return subprocess.Popen(
        [*words, *options], env={**os.environ, **environment}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_a_node_dies_and_every_count_is_exact(state: Path) -> None:
    told, complaints = (running := demo(state, "--target", "40")).communicate(timeout=200)
    assert running.returncode == 0, told + complaints
    *story, closing = told.splitlines()
    assert (turns := CLOSING.fullmatch(closing)), closing
    assert int(turns[1]) > 6, "nobody had a second turn"
    (lost,) = (re.search(r"(\S+) loses its power", line) for line in story if "loses its power" in line)
    (after,) = (re.search(r"turn \d+ is on (\S+)", line) for line in story if "goes on" in line)
    assert lost and after
    assert lost[1] != after[1]
    assert not left_behind(state, told)


def left_behind(state: Path, told: str) -> list[int]:
    """Processes of Rota, of its jobs, of Slurm."""
    cluster = re.search(r"Slurm is up in (\S+):", told)
    assert cluster
    assert not Path(cluster[1]).exists()
    return processes_with(str(state)) + processes_with(cluster[1])


def test_ctrl_c_leaves_nothing_behind(state: Path) -> None:
    running = demo(state)
    assert running.stdout is not None
    told = ""
    while "turn 1 on" not in told:
        told += running.stdout.readline()
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=30)
    assert running.returncode == 130
    assert not left_behind(state, told)


def test_without_slurm_it_says_what_to_install(state: Path) -> None:
    told, complaints = (running := demo(state, PATH="/nonexistent")).communicate(timeout=30)
    assert (running.returncode, told) == (1, "")
    assert complaints.startswith("demo-slurm failed: not installed here: sbatch, ")
    assert complaints.endswith("apt install slurm-wlm munge\n")

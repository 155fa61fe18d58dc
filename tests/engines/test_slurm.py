"""The Slurm engine on a real Slurm: the suite that every engine must pass, and what only Slurm does."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.slurm_cluster import Cluster

from rota.domain.gpus import Fleet, Gpu, Node
from rota.engines.contract import EngineEvent, StartOrder
from rota.engines.slurm.engine import SlurmEngine
from rota.engines.slurm.settings import SlurmSite
from rota.engines.turn_folder.settings import KeeperSettings
from rota.slurm.commands import commands
from tests.end_to_end.session import processes_with
from tests.engines.contract import Does, EngineContract, real_order, real_runs

KEEPER = KeeperSettings(term_s=0.5, settle_s=0.1)
FLEET = Fleet(
    nodes=(Node("h100a", 4, 0), Node("h100b", 4, 0)),
    gpus=tuple(
        Gpu(f"SLURM-{node}-{i}", i, node, "h100", "h100", 80 * 2**30) for node in ("h100a", "h100b") for i in range(2)
    ),
    tiers=("h100",),
)


class SlurmBench:
    """A SlurmEngine without a thread of its own, looked at by hand."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.folder, self.cluster = folder, cluster
        self.seen: list[EngineEvent] = []
        self.engine = self.an_engine()

    def an_engine(self) -> SlurmEngine:
        site = SlurmSite(self.folder, poll_s=0.2, fence_s=3.0, patience_s=5.0, keeper=KEEPER)
        return SlurmEngine(site, FLEET, commands(environment=self.cluster.environment), time.time)

    def look(self) -> list[EngineEvent]:
        self.engine.poll()
        self.seen.extend(self.engine.events())
        return self.seen

    def crash(self) -> None:
        self.look()
        self.seen = []
        self.engine = self.an_engine()

    def output(self, turn: str) -> str:
        log = self.folder / turn / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def order(self, turn: str, does: Does) -> StartOrder:
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        return real_order(turn, does, work, FLEET.gpus[0])

    def runs(self, job: int) -> int:
        return real_runs(self.folder / "work")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="rs-"))
    made = Cluster(folder).start()
    yield made
    made.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bench(cluster: Cluster) -> Iterator[SlurmBench]:
    folder = Path(tempfile.mkdtemp(prefix="rota-slurm-"))
    folder.chmod(0o755)
    made = SlurmBench(folder, cluster)
    yield made
    cluster.run("scancel", "--full", "--signal=KILL", "--name", "", "--state", "RUNNING") if False else None
    for pid in processes_with(str(folder)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


class TestContract(EngineContract):
    """The suite that every engine passes."""

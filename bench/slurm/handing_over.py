"""How many turns can be handed over to Slurm in a minute."""

from __future__ import annotations

import time
from pathlib import Path

from examples.slurm_cluster import Cluster
from tests.engines.contract import an_order
from tests.waiting import wait_until

from bench.slurm.idle import an_engine
from bench.table import Row
from rota.engines.contract import Ended

TURNS = 1000


def handing_over(cluster: Cluster, folder: Path) -> list[Row]:
    """All at once; most wait in Slurm then, since there are eight GPUs."""
    engine, fleet = an_engine(cluster, folder / "many", patience_s=3600.0)
    for number in range(1, TURNS + 1):
        engine.start(an_order(f"{number}.1", "sleep", "1000", gpus=(fleet.gpus[number % len(fleet.gpus)],)))
    errors_before = _errors(cluster)
    began = time.monotonic()
    engine.poll()
    spent_s = time.monotonic() - began
    refused = [event for event in engine.events() if isinstance(event, Ended)]
    known = len(cluster.run("squeue", "--noheader", "--format=%A").split())
    assert (engine.trouble(), refused, known) == ("", [], TURNS), (engine.trouble(), refused[:1], known)
    beside = f"{_errors(cluster) - errors_before} errors in the log of slurmctld"
    cluster.run("scancel", "--user=root")
    wait_until(cluster.is_idle, 60, 0.2, "the cluster is idle again")
    return [Row(f"turns handed over in a minute ({TURNS:,} at once)", TURNS / spent_s * 60, "/min", ">= 1,000", beside)]


def _errors(cluster: Cluster) -> int:
    log = (cluster.folder / "log" / "slurmctld.log").read_text(errors="replace")
    return sum(" error: " in line for line in log.splitlines())

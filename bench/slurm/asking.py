"""What it costs to know how a large cluster is: thousands of jobs of other people, hundreds of nodes.

The jobs are real ones in a real slurmctld, asked with the real squeue. Of the nodes there is a made-up answer, in the
form of Slurm 22.05, that `cat` prints. Counted is the processor time of this process and of every command that it ran.
"""

from __future__ import annotations

import json
import resource
import threading
import time
from pathlib import Path

from examples.slurm_cluster import Cluster
from tests.engines.contract import an_order

from bench.slurm.idle import an_engine
from bench.table import Row
from rota.domain.gpus import Fleet
from rota.fleet.health import Ours
from rota.fleet.slurm import fleet_of
from rota.fleet.slurm_health import EVERY_S, slurm_look
from rota.slurm.commands import Run, commands
from rota.slurm.nodes import parse_nodes

JOBS, NODES, GPUS = 5000, 500, 8
OVER_S = 40.0
NOTHING = Ours(frozenset(), frozenset(), frozenset(), frozenset())


def asking(cluster: Cluster, folder: Path) -> list[Row]:
    """With one turn of ours that runs, so that jobs are asked for as often as they ever are."""
    _fill(cluster)
    engine, fleet = an_engine(cluster, folder / "asking", patience_s=3600.0)
    engine.start(an_order("1.1", "sleep", "1000", gpus=fleet.gpus[:1]))
    jobs_percent = _percent(lambda: threading.Event().wait(engine.poll()))
    run, large = _nodes(folder / "nodes.json")
    look = slurm_look(run, large)
    nodes_percent = _percent(lambda: (look(NOTHING), threading.Event().wait(EVERY_S)))
    cluster.run("scancel", "--user=root")
    return [
        Row(f"asking for {JOBS:,} pending jobs", jobs_percent, "% core", "", f"over {OVER_S:g} s"),
        Row(f"asking for {NODES} nodes", nodes_percent, "% core", "", f"over {OVER_S:g} s"),
        Row("asking for both", jobs_percent + nodes_percent, "% core", "< 5 %", ""),
    ]


def _percent(again: object) -> float:
    """Processor time of this process and its commands, as a part of the time that passed."""
    assert callable(again)
    again()
    used, began = _processor_s(), time.monotonic()
    while time.monotonic() - began < OVER_S:
        again()
    return 100 * (_processor_s() - used) / (time.monotonic() - began)


def _processor_s() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _fill(cluster: Cluster) -> None:
    """Jobs of somebody else that will begin tomorrow."""
    script = cluster.folder / "sleep.sh"
    script.write_text("#!/bin/sh\nsleep 1000\n")
    submit = f"for i in $(seq {JOBS // 2}); do sbatch --quiet --begin=now+1day --output=/dev/null {script}; done"
    cluster.run("sh", "-c", f"({submit}) & ({submit}); wait")


def _nodes(answer: Path) -> tuple[Run, Fleet]:
    alike = {
        "cpus": 128, "real_memory": 1_000_000, "gres": f"gpu:h100:{GPUS}(S:0-1)", "state": "mixed", "state_flags": [],
        "reason": "", "partitions": ["gpu", "all"], "active_features": "h100,ib", "slurmd_version": "22.05.8",
        "architecture": "x86_64", "boot_time": 1_790_000_000, "threads": 1, "sockets": 2, "cores": 64, "weight": 1,
        "operating_system": "Linux 6.1.0-28-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)",
        "tres": "cpu=128,mem=1000000M,billing=128,gres/gpu=8", "tres_used": "cpu=32,gres/gpu=4", "temporary_disk": 0,
    }  # fmt: skip
    nodes = [
        {**alike, "name": f"gpu{number:03}", "gres_used": f"gpu:h100:{number % GPUS}(IDX:0-7)"}
        for number in range(NODES)
    ]
    answer.write_text(json.dumps({"meta": {}, "errors": [], "nodes": nodes}))
    real = commands()

    def run(words: object, given: str) -> str:
        return real(["cat", str(answer)], given)

    return run, fleet_of(parse_nodes(answer.read_text()))

"""From the grant of a turn to the first byte that its job prints."""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from pathlib import Path

from examples.slurm_cluster import Cluster
from tests.end_to_end.slurm_session import SlurmRota
from tests.waiting import wait_until

from bench.table import Row

RUNS = 15
GOLDEN = 0.618  # multiples of it spread evenly over a second
SAYS = ("date", "+%s.%N")


def beginnings(cluster: Cluster, folder: Path) -> list[Row]:
    """Beside it, sbatch alone with the same command in the same minutes."""
    (folder / "first").mkdir()
    rota = SlurmRota(folder / "first", cluster, quantum="1h").up()
    try:
        ours, plain = [], []
        for run in range(RUNS):
            _rest(cluster, run)
            ours.append(_through_rota(rota))
            _rest(cluster, run)
            plain.append(_through_sbatch(cluster, folder / f"plain-{run}.out"))
    finally:
        rota.down()
    beside = statistics.median(plain)
    return [
        Row("sbatch to first output (the baseline)", beside * 1e3, "ms", "", "1.0x"),
        Row(
            "turn granted to first output", statistics.median(ours) * 1e3, "ms", "<= 1,000 ms",
            f"{statistics.median(ours) / beside:.1f}x",
        ),
    ]  # fmt: skip


def _rest(cluster: Cluster, run: int) -> None:
    """Until nothing is left of the job before; then at another moment of slurmctld's second each time."""
    wait_until(lambda: not cluster.run("squeue", "--noheader").strip(), 30)
    threading.Event().wait(run * GOLDEN % 1.0)


def _through_rota(rota: SlurmRota) -> float:
    number = rota.submit("--", *SAYS)
    rota.wait_for(number, "finished")
    said = (rota.state / "turns" / f"{number}.1" / "log").read_text()
    granted: float = rota.job(number)["turns"][0]["granted_at"]
    return float(said) - granted


def _through_sbatch(cluster: Cluster, output: Path) -> float:
    began = time.time()
    words = ["sbatch", "--gres=gpu:h100:1", f"--output={output}", f"--wrap={' '.join(SAYS)}"]
    subprocess.run(words, env={**os.environ, **cluster.environment}, check=True, capture_output=True)
    wait_until(lambda: output.exists() and output.read_text(), 30)
    return float(output.read_text()) - began

"""`python -m bench.slurm`: a real Slurm on this machine, with targets. Nothing fails when a machine is slow."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from examples.slurm_cluster import Cluster

from bench.slurm.asking import asking
from bench.slurm.beginning import beginnings
from bench.slurm.handing_over import handing_over
from bench.table import show


def main() -> None:
    """Boot a cluster, measure, print one table."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    cluster = Cluster(folder / "slurm").start()
    try:
        show([*beginnings(cluster, folder), *handing_over(cluster, folder), *asking(cluster, folder)])
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)

"""An engine without a daemon around it."""

from __future__ import annotations

import time
from pathlib import Path

from examples.slurm_cluster import Cluster

from rota.domain.gpus import Fleet
from rota.engines.slurm.engine import SlurmEngine
from rota.engines.slurm.settings import SlurmSite
from rota.fleet.slurm import find_slurm_fleet
from rota.slurm.commands import commands


def an_engine(cluster: Cluster, folder: Path, patience_s: float) -> tuple[SlurmEngine, Fleet]:
    """On the cluster, with its turns in a folder of its own."""
    run = commands(environment=cluster.environment)
    fleet = find_slurm_fleet(run)
    return SlurmEngine(SlurmSite(folder, patience_s=patience_s), fleet, run, time.time), fleet

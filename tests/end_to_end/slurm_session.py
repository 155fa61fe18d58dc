"""A terminal session whose Rota hands its turns over to a Slurm cluster."""

from __future__ import annotations

from pathlib import Path

from examples.slurm_cluster import Cluster

from tests.end_to_end.session import Rota


class SlurmRota(Rota):
    """Like Rota; the cluster's commands answer to the daemon and to jobs alike."""

    has_anybody = False

    def __init__(
        self, state: Path, cluster: Cluster, quantum: str = "2s", grace: str = "5s", turns_dir: str = ""
    ) -> None:
        super().__init__(state, quantum=quantum, grace=grace)
        self.cluster = cluster
        with (state / "rota.toml").open("a") as settings:
            settings.write(f'\n[slurm]\npoll = "1s"\nturns_dir = "{turns_dir}"\n')

    def where(self) -> list[str]:
        return ["--slurm"]

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **self.cluster.environment}

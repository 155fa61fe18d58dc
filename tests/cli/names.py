"""A daemon that knows these names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class FixedNames:
    """For rota.cli.sbatch_meaning.Names."""

    known_tiers: Sequence[str] = ("h100", "a100", "rtx3090")
    known_projects: Sequence[str] = ()
    node_gpus: int = 8
    arrays: Mapping[int, Sequence[int]] = field(default_factory=dict)  #: first job -> all its jobs

    def tiers(self) -> Sequence[str]:
        return self.known_tiers

    def largest_node(self) -> int:
        return self.node_gpus

    def projects(self) -> Sequence[str]:
        return self.known_projects

    def tasks_of(self, job: int, task: str) -> Sequence[int]:
        jobs = self.arrays.get(job, (job,))
        return (jobs[int(task)],) if task else jobs

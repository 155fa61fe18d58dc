"""What is wrong with a Slurm under Rota: the part of `rota doctor` that looks at it."""

from rota.fleet.slurm_doctor.look import slurm_findings
from rota.fleet.slurm_doctor.world import Site, World, real_world

__all__ = ["Site", "World", "real_world", "slurm_findings"]

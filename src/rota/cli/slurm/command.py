"""`rota slurm`: a Slurm for departments that have none."""

from __future__ import annotations

import click

from rota.cli.main import state_option
from rota.cli.slurm.init import init_command
from rota.cli.slurm.records import records_command


@click.group("slurm", epilog="\b\nExample:\n  rota slurm init gpu1,gpu2 --controller head")
@state_option
def slurm_command() -> None:
    """Slurm under Rota: many servers instead of one machine."""


slurm_command.add_command(init_command)
slurm_command.add_command(records_command)

"""`rota import`: takes over who waits elsewhere, in Slurm's queue or on a list of paper."""

from __future__ import annotations

import importlib

import click

from rota.cli.main import state_option

#: Where each part lives. A module is imported only when it is used: one of them needs Slurm, the other a list.
PARTS = {"slurm-queue": "queue_command.slurm_queue_command", "list": "list_command.list_command"}
EPILOG = """\b
Examples:
  rota import slurm-queue --dry-run
  rota import list waiting.csv --dry-run
"""


class Parts(click.Group):
    """Imports a part when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in PARTS:
            return None
        module, _, name = PARTS[cmd_name].partition(".")
        command: click.Command = getattr(importlib.import_module(f"rota.cli.take_over.{module}"), name)
        return command


@click.group("import", cls=Parts, epilog=EPILOG)
@state_option
def import_command() -> None:
    """Take over a waiting list: Slurm's queue, or a list of paper or of a spreadsheet."""

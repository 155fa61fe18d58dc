"""`rota up`: becomes the daemon. Nothing of the daemon is imported here."""

from __future__ import annotations

import os
import sys

import click

from rota.cli.main import state_dir, state_option

EPILOG = """\b
Examples:
  sudo rota up                        serve every account of this machine
  rota up                             serve yourself
  rota up --simulate h100:4           without a GPU: jobs run, GPUs are pretended
  sudo rota up --slurm                many servers: turns run as jobs of a Slurm cluster
  rota up --simulate "2x h100:4, 3x rtx3090:2"
"""


@click.command("up", epilog=EPILOG)
@click.option("--simulate", metavar="FLEET", help="Pretend these GPUs instead of asking the driver")
@click.option("--slurm", is_flag=True, help="Share the GPUs of this Slurm cluster; turns are Slurm jobs")
@click.option("--config", metavar="FILE", help="Settings [default: rota.toml in the state folder]")
@click.option("--web", metavar="HOST:PORT", help="Where the page is served [default: 127.0.0.1:8420]")
@click.option("--no-web", is_flag=True, help="Serve no page")
@click.option("--store", metavar="URL", help="Database [default: SQLite in the state folder]")
@state_option
def up_command(
    simulate: str | None, slurm: bool, config: str | None, web: str | None, no_web: bool, store: str | None
) -> None:
    """Run the daemon in the foreground, with the web page.

    Turns go on when it stops, and it finds them again when it starts.
    """
    words = ["--state", str(state_dir())]
    for option, value in (("--simulate", simulate), ("--config", config), ("--web", web), ("--store", store)):
        if value is not None:
            words += [option, value]
    os.execv(
        sys.executable,
        [
            sys.executable,
            "-m",
            "rota.server",
            *words,
            *(["--no-web"] if no_web else []),
            *(["--slurm"] if slurm else []),
        ],
    )

"""`rota fleet`: the GPUs, and taking one out of service."""

from __future__ import annotations

import json
from typing import Any

import click

from rota.cli.client import Answer, quoted
from rota.cli.main import client, json_option, state_option
from rota.cli.output import print_answer
from rota.cli.tables import table
from rota.domain.sizes import say_size
from rota.errors import RotaError

COLOURS = {"healthy": "green", "drained": "yellow", "failed": "red", "taken": "magenta"}


@click.group(
    "fleet",
    invoke_without_command=True,
    epilog="\b\nExamples:\n  rota fleet\n  rota fleet drain lab:3 --why 'new fan'\n  rota fleet resume lab:3",
)
@json_option
@state_option
@click.pass_context
def fleet_command(ctx: click.Context, as_json: bool) -> None:
    """The GPUs, how they are, and who is on them."""
    if ctx.invoked_subcommand is None:
        print_answer(client().get("/fleet"), as_json, _show)


def _show(answer: Answer) -> None:
    rows = [_row(gpu) for gpu in answer["gpus"]]
    click.echo(table(("GPU", "TIER", "MODEL", "MEMORY", "CONDITION", "JOB", "MEMBER", "PROJECT"), rows))
    free = sum(gpu["turn"] is None and gpu["condition"] == "healthy" for gpu in answer["gpus"])
    pretended = ", simulated" if answer["is_simulated"] else ""
    click.echo(f"\n{len(answer['gpus'])} GPUs{pretended}, {free} free")


def _row(gpu: Answer) -> tuple[str, ...]:
    condition = click.style(gpu["condition"], fg=COLOURS[gpu["condition"]])
    return (
        gpu["label"],
        gpu["tier"],
        gpu["model"],
        say_size(gpu["memory_bytes"]),
        f"{condition} ({gpu['why']})" if gpu["why"] else condition,
        f"{gpu['job']} {gpu['job_name']}" if gpu["job"] else "",
        gpu["member"] or "",
        gpu["project"] or "",
    )


def _complete_gpus(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    try:
        gpus = client().get("/fleet")["gpus"]
    except RotaError:
        return []
    names = dict.fromkeys(name for gpu in gpus for name in (gpu["node"], gpu["label"]))
    return [name for name in names if name.startswith(incomplete)]


gpu_argument = click.argument("gpu", metavar="GPU", shell_complete=_complete_gpus)


def _print(answer: dict[str, Any], as_json: bool) -> None:
    click.echo(json.dumps(answer) if as_json else answer["message"])


@fleet_command.command(
    "drain", epilog="\b\nExamples:\n  rota fleet drain lab:3 --why 'new fan'\n  rota fleet drain lab"
)
@gpu_argument
@click.option("--why", default="", metavar="TEXT", help="What others are told")
@json_option
@state_option
def drain_command(gpu: str, why: str, as_json: bool) -> None:
    """Let no further turn begin on GPU (node:index, a UUID, or a node). Turns on it end after their quantum."""
    _print(client().post(f"/fleet/{quoted(gpu)}/drain", {"why": why}), as_json)


@fleet_command.command("resume", epilog="\b\nExample:\n  rota fleet resume lab:3")
@gpu_argument
@json_option
@state_option
def resume_command(gpu: str, as_json: bool) -> None:
    """Put a drained or failed GPU back into service."""
    _print(client().post(f"/fleet/{quoted(gpu)}/resume"), as_json)

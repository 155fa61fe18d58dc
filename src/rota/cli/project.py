"""`rota project`: what work is charged to."""

from __future__ import annotations

import json

import click

from rota.cli.client import Answer
from rota.cli.main import client, json_option, state_option
from rota.cli.output import print_answer, say_span
from rota.cli.tables import table


@click.group("project", epilog="\b\nExamples:\n  rota project add vision --kind funded --weight 2\n  rota project list")
@state_option
def project_command() -> None:
    """What work is charged to. Until the first is added, jobs may name any project."""


@project_command.command(
    "add", epilog="\b\nExample:\n  rota project add vision --kind funded --member kim --member lee"
)
@click.argument("name")
@click.option("--kind", type=click.Choice(["funded", "personal", "class", "industry"]), default="personal")
@click.option("--weight", type=click.FloatRange(min=0, min_open=True), default=1.0, help="Its share against the others")
@click.option("--member", "members", multiple=True, metavar="MEMBER", help="Who may charge to it [default: everybody]")
@json_option
@state_option
def add_command(name: str, kind: str, weight: float, members: tuple[str, ...], as_json: bool) -> None:
    """Add a project, or change the one of that name (administrators)."""
    body: Answer = {"name": name, "kind": kind, "weight": weight, "members": list(members)}
    answer = client().post("/projects", body)
    click.echo(json.dumps(answer) if as_json else f"Project {name}: {kind}, weight {weight:g}.")


@project_command.command("list")
@json_option
@state_option
def list_command(as_json: bool) -> None:
    """Projects, and what each has received lately."""
    print_answer(client().get("/projects"), as_json, _show)


def _show(answer: Answer) -> None:
    rows = [
        (
            known["name"],
            known["kind"],
            f"{known['weight']:g}",
            say_span(known["usage_gpu_s"]),
            ", ".join(known["members"]),
        )
        for known in answer["projects"]
    ]
    if rows:
        click.echo(table(("PROJECT", "KIND", "WEIGHT", "GPU TIME LATELY", "MEMBERS"), rows))
    else:
        click.echo("No project has been added, so jobs may name any. The first: rota project add NAME")

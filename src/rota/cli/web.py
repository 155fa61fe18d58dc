"""`rota web`: a one-time link to the page."""

from __future__ import annotations

import os

import click

from rota.cli.client import Answer
from rota.cli.main import client, json_option, state_option
from rota.cli.output import print_answer


@click.command("web", epilog="\b\nExample:\n  rota web")
@json_option
@state_option
def web_command(as_json: bool) -> None:
    """A link that lets one browser in as you, once, within ten minutes."""
    print_answer(client().post("/links"), as_json, _show)


def _show(answer: Answer) -> None:
    click.echo(answer["url"])
    if "SSH_CONNECTION" in os.environ and "//127.0.0.1:" in answer["url"]:
        port = answer["url"].split(":")[2].split("/")[0]
        host = os.environ["SSH_CONNECTION"].split()[2]
        click.echo(f"You are here by ssh. On your own machine, first: ssh -L {port}:127.0.0.1:{port} {host}", err=True)

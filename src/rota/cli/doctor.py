"""`rota doctor`: what is wrong with this installation, and the command that mends it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import click

from rota.cli.client import Client
from rota.cli.main import json_option, state_dir, state_option
from rota.errors import NoDaemon, RotaError

SIGNS = {True: ("ok  ", "green"), False: ("BAD ", "red"), None: ("note", "yellow")}


@click.command("doctor", epilog="\b\nExamples:\n  rota doctor\n  sudo rota doctor --slurm --deep")
@click.option("--slurm", is_flag=True, help="Look at Slurm as well [default: where the settings have it]")
@click.option("--deep", is_flag=True, help="Run a step of a second on every node: accounts, clocks, Python, turns_dir")
@json_option
@state_option
def doctor_command(slurm: bool, deep: bool, as_json: bool) -> None:
    """Look at this machine, the state folder, the settings, the database, the daemon, and Slurm."""
    asked = [*(["--slurm"] if slurm else []), *(["--deep"] if deep else [])]
    findings = [*_local_findings(asked), *_daemon_findings(Client(state_dir()))]
    if as_json:
        click.echo(json.dumps({"findings": findings}))
    else:
        for finding in findings:
            _show(finding)
    if any(finding["ok"] is False for finding in findings):
        sys.exit(1)


def _local_findings(asked: list[str]) -> list[dict[str, Any]]:
    """What can be seen without the daemon. It imports the driver, so it is a process of its own."""
    command = [sys.executable, "-m", "rota.fleet.doctor", "--state", str(state_dir()), *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)
    except ValueError:
        raise click.ClickException(f"The checks themselves failed:\n{done.stderr[-500:]}") from None
    return found


def _daemon_findings(api: Client) -> list[dict[str, Any]]:
    try:
        health = api.get("/health")
    except NoDaemon as away:
        return [{"check": "daemon", "ok": None, "text": str(away), "mend": "rota up"}]
    except RotaError as refusal:  # it is there, and says why it does not answer: it may stand by
        return [{"check": "daemon", "ok": None, "text": str(refusal), "mend": ""}]
    whom = "every account of this machine" if health["is_admin"] and health["member"] == "root" else "you"
    leads = ", leads" if health["role"] == "leader" else ""
    said = f"process {health['pid']}, version {health['version']}, {health['store']}{leads}, serves {whom}"
    found: list[dict[str, Any]] = [{"check": "daemon", "ok": True, "text": said, "mend": ""}]
    found += [{"check": "daemon", "ok": False, "text": text, "mend": ""} for text in health["trouble"]]
    if health["web"]:
        found.append({"check": "page", "ok": True, "text": f"served at {health['web']}", "mend": ""})
    return found


def _show(finding: dict[str, Any]) -> None:
    sign, colour = SIGNS[finding["ok"]]
    click.echo(f"{click.style(sign, fg=colour)}  {finding['check']:<10} {finding['text']}")
    if finding["mend"]:
        click.echo(f"{'':<17}{click.style('->', bold=True)} {finding['mend']}")

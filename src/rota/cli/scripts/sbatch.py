"""`rota sbatch`: sbatch's command line and sbatch's answer, for Rota's waiting list."""

from __future__ import annotations

import json
import os
import pwd
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

import rota
from rota.cli.checks import checked_argv, checked_cwd
from rota.cli.client import Answer, ApiError, Client
from rota.cli.daemon_names import DaemonNames
from rota.cli.main import client, json_option, state_option
from rota.cli.scripts.job import account_name, prepared
from rota.cli.scripts.meaning import Wanted
from rota.cli.scripts.options import default_options, read_options, remarks_on, rota_options
from rota.cli.scripts.script import Script, read_script, script_of
from rota.cli.submit import submit_body, told_environment
from rota.errors import BadRequest, NoSuchThing, RotaError
from rota.slurm.sbatch_options import Given, Option, Reader, Takes

EPILOG = """\b
All options of sbatch are understood, before the script and in its #SBATCH lines: mapped, left out with a remark, or
refused where something else would come of the job. SBATCH_... variables count as with sbatch. Of `rota run` these may
be added: --checkpoint --project --tier --gpu-memory --retries --after --param --as --since.

\b
Examples:
  rota sbatch train.sh
  rota sbatch --gres=gpu:h100:2 -t 8:00:00 -J bert train.sh --lr 0.1
  rota sbatch --array=1-10 --checkpoint 'runs/%a/*.ckpt' sweep.sh
  rota sbatch --wrap 'python train.py'
  alias sbatch='rota sbatch'
"""
#: Options of `rota run` that sbatch has not, or not by that name.
OWN = ("checkpoint", "project", "tier", "gpu-memory", "retries", "after", "param", "as", "since")
#: sbatch's own defaults, filename pattern.
OUTPUT, ARRAY_OUTPUT = "slurm-%j.out", "slurm-%A_%a.out"
ASK_AGAIN_S = 0.25  # while waiting for the end
WRAPPED = "#!/bin/sh\n# This script was created by sbatch --wrap.\n\n"


class SbatchCommand(click.Command):
    """Its words are read as sbatch reads them, not as click does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.params["words"] = tuple(args)
        return []


@click.command("sbatch", cls=SbatchCommand, epilog=EPILOG, options_metavar="[sbatch's options]")
@json_option
@state_option
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="SCRIPT [ARGS]...")
@click.pass_context
def sbatch_command(ctx: click.Context, /, words: tuple[str, ...], **_: Any) -> None:
    """Put a Slurm script on the waiting list, unchanged.

    The answer is sbatch's: "Submitted batch job N", N being Rota's number; exit code 0, or 1.
    """
    try:
        _sbatch(ctx, words)
    except RotaError as refused:
        code = refused.wire_code if isinstance(refused, ApiError) else refused.code
        raise ApiError(str(refused), code, 1) from None


def _sbatch(ctx: click.Context, words: Sequence[str]) -> None:
    reader = Reader(
        [*map(Option, (*OWN, "state")), *(Option(name, takes=Takes.NOTHING) for name in ("json", "dry-run"))]
    )
    given, rest = reader.command_line(words)
    if any(one.name in ("help", "usage") for one in given):
        click.echo(ctx.get_help())
        return
    if any(one.name == "version" for one in given):
        click.echo(f"rota {rota.__version__}, with the options of sbatch 24.11")
        return
    mine = {one.name: one.value for one in given if one.name in ("state", "json", "dry-run")}
    if "state" in mine:
        ctx.ensure_object(dict)["state"] = mine["state"]
    script, args = _script(given, rest)
    api = client()
    typed = [one for one in given if one.name not in (*OWN, *mine)]
    wanted = read_options(script, [*reader.environment(os.environ), *typed], reader, DaemonNames(api))
    own_words = [word for one in given if one.name in OWN for word in (f"--{one.name}", one.value)]
    options = _options(wanted, rota_options(own_words), script, checked_cwd())
    wanted.is_dry_run |= "dry-run" in mine
    _submit(script, args, wanted, options, api, "json" in mine)


def _script(given: Sequence[Given], rest: Sequence[str]) -> tuple[Script, list[str]]:
    """The script and its arguments: a file, --wrap, or what comes from standard input."""
    wraps = [one.value for one in given if one.name == "wrap"]
    if wraps and rest:
        raise BadRequest(f"--wrap makes the script, so there can be no other one: {rest[0]}")
    if wraps:
        return script_of(wraps[-1], f"{WRAPPED}{wraps[-1]}\n", has_file=False), []
    if not rest:
        return script_of("sbatch", _standard_input(), has_file=False), []
    if rest[0] == ":" or ":" in rest[1:2]:
        raise BadRequest(
            "A job of Rota's has GPUs of one kind, so it cannot consist of several parts ( : ).\n"
            "Submit the parts as jobs of their own, or one job with all the GPUs."
        )
    try:
        return read_script(rest[0], searches_path=True), list(rest[1:])
    except NoSuchThing:
        raise NoSuchThing(f"Unable to open file {rest[0]}. Look at the spelling, or cd to its folder.") from None


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("What comes from standard input is not a script in UTF-8.") from None


def _options(wanted: Wanted, own: Mapping[str, Any], script: Script, cwd: str) -> dict[str, Any]:
    """All options of the submit: Rota's defaults, sbatch's, what was asked for."""
    options = {**default_options(), **wanted.options, **own}
    if wanted.options.get("after") and own.get("after"):
        options["after"] = (*wanted.options["after"], *own["after"])
    if options["name"] is None:
        options["name"] = "wrap" if wanted.wrap is not None else Path(script.name).name
    options["output"] = options["output"] or (ARRAY_OUTPUT if options["array"] else OUTPUT)
    if str(options["member"] or "").isdigit():
        try:
            options["member"] = pwd.getpwuid(int(options["member"])).pw_name
        except (KeyError, OverflowError):
            raise BadRequest(f"There is no account with the number {options['member']} on this machine.") from None
    folder = options.get("chdir")
    if folder and not Path(cwd, folder).is_dir():
        raise BadRequest(f"--chdir: there is no folder {folder}. Make it first: mkdir -p {folder}")
    return options


def _submit(
    script: Script, args: Sequence[str], wanted: Wanted, options: dict[str, Any], api: Client, as_json: bool
) -> None:
    remarks = remarks_on(script, wanted, options)
    if not wanted.is_quiet:
        for remark in remarks:
            click.echo(f"sbatch: {remark}", err=True)
    cwd = checked_cwd()
    account = options["member"] or account_name()
    job = prepared(script, args, wanted, options, cwd, os.environ, account, is_for_slurm=True)
    body = submit_body(checked_argv(job.argv), {**options, **job.options}, cwd, told_environment(job.environment))
    answer = api.post("/jobs", {**body, "dry_run": wanted.is_dry_run})
    _say(answer, wanted, remarks, as_json)
    if wanted.waits and answer["jobs"]:
        sys.stdout.flush()
        sys.exit(_wait(answer["jobs"], api))


def _say(answer: Answer, wanted: Wanted, remarks: list[str], as_json: bool) -> None:
    """On stdout exactly what sbatch says; all else on stderr."""
    if as_json:
        click.echo(json.dumps({**answer, "remarks": remarks}, ensure_ascii=False))
        return
    if not wanted.is_quiet:
        for line in answer["message"]:
            click.echo(f"sbatch: {line}", err=True)
    if answer["job"] is None:
        return
    if wanted.is_parsable:
        click.echo(answer["job"])
    elif not wanted.is_quiet:
        click.echo(f"Submitted batch job {answer['job']}")


def _wait(jobs: Sequence[int], api: Client) -> int:
    """Until all have ended; the highest exit code, and 1 for one that has none (sbatch(1), --wait)."""
    worst = 0
    for job in jobs:
        while (shown := api.get(f"/jobs/{job}")["job"])["ended_at"] is None:
            time.sleep(ASK_AGAIN_S)
        code = 0 if shown["state"] == "finished" else shown["exit_code"] or 1
        worst = max(worst, code)
    return worst

"""`rota run`: puts a job on the waiting list."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from rota.cli import told
from rota.cli.arrays import tasks
from rota.cli.checks import checked_argv, checked_checkpoint, checked_cwd, checked_environment, checked_output
from rota.cli.client import Answer
from rota.cli.main import client, json_option, state_option
from rota.cli.run_options import dry_run_options, run_options
from rota.errors import BadRequest, RotaError

#: How long a forecast is waited for, and how long the whole answer, once the job is on the list; seconds.
FORECAST_WAIT_S, LONGEST_WAIT_S = 0.35, 0.5

EPILOG = """\b
Examples:
  rota run -- python train.py
  rota run --gpus 2 --gpu-memory 40G --checkpoint runs/a/*.pt -- torchrun --nproc-per-node 2 train.py
  rota run --param lr=0.1,0.01 --param seed=1,2,3 -- python train.py --lr {lr} --seed {seed}
  rota run --after 12 -- python evaluate.py
  rota run --gpus 4 --time 8h --dry-run --compare -- python train.py
"""


@click.command(
    "run",
    epilog=EPILOG,
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": False},
    options_metavar="[OPTIONS] --",
)
@run_options
@dry_run_options
@json_option
@state_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=False)
def run_command(command: tuple[str, ...], dry_run: bool, has_compare: bool, as_json: bool, **options: Any) -> None:
    """Put COMMAND on the waiting list.

    It runs in this folder, with this environment, as you. With --checkpoint it can be stopped and continued, so it may
    take as many turns as it needs; without, it has one turn of at most --time.
    """
    submit(checked_argv(command), options, dry_run, has_compare, as_json)


def submit(
    argv: list[str],
    options: dict[str, Any],
    dry_run: bool,
    has_compare: bool,
    as_json: bool,
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Post one submit and say what became of it."""
    if has_compare and not dry_run:
        raise BadRequest("--compare changes nothing, so it goes with --dry-run: rota run --dry-run --compare ...")
    body = submit_body(argv, options, checked_cwd(), told_environment(environment))
    body["dry_run"] = dry_run
    answer = client().post("/jobs", body)
    if not as_json:
        _show(answer, body)
        sys.stdout.flush()  # who only wants the number need not wait for the rest
    if has_compare:
        _compare(answer, body, as_json)
        return
    ahead = _ahead(answer["job"])
    if as_json:
        forecast = ahead["job"]["forecast"] if ahead else None
        known = forecast if told.is_known(forecast) else None
        click.echo(json.dumps({**answer, "forecast": known}, ensure_ascii=False))
    elif answer["job"] is not None:
        for line in told.after_submit(ahead) if ahead else [told.ask_later(answer["job"])]:
            click.echo(f"   {line}")


def told_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What can be kept of it; what cannot is said."""
    kept, left_out = checked_environment(environment)
    if left_out:
        click.echo(f"rota: left out of the environment, because not UTF-8: {', '.join(left_out)}", err=True)
    return kept


def _compare(answer: Answer, body: Answer, as_json: bool) -> None:
    from rota.cli import compare  # noqa: PLC0415  (only when it is asked for)

    rows, now = compare.compare(client(), body)
    if as_json:
        click.echo(json.dumps({**answer, "compare": rows}, ensure_ascii=False))
    else:
        click.echo("\n" + compare.shown(rows, body, now))


def _ahead(job: int | None) -> Answer | None:
    """What is ahead of a job just submitted; None for a dry run, and when it cannot be had within a moment."""
    if job is None:
        return None
    try:
        return client(LONGEST_WAIT_S).get(f"/jobs/{job}/ahead", wait_s=FORECAST_WAIT_S)
    except RotaError:
        return None  # the job is on the list, and that is what was asked for


def submit_body(argv: list[str], options: dict[str, Any], cwd: str, environment: dict[str, str]) -> Answer:
    """The SubmitBody of api/schemas.py. Raises BadRequest."""
    folder = str(Path(cwd, Path(options["chdir"]).expanduser())) if options.get("chdir") else cwd
    body: Answer = {
        "argv": argv,
        "cwd": folder,
        "environment": environment,
        "umask": _umask(),
        "name": options.get("name"),
        "project": options.get("project"),
        "gpus": options["gpus"],
        "gpu_memory_bytes": options.get("gpu_memory") or 0,
        "cpus": options.get("cpus") or 0,
        "memory_bytes": options.get("mem") or 0,
        "tiers": [tier.strip() for tier in options["tier"].split(",") if tier.strip()],
        "checkpoint": checked_checkpoint(options.get("checkpoint"), folder),
        "time_s": options.get("time_s"),
        "notice_signal": _signal(options.get("notice_signal")),
        "retries": options["retries"],
        "after": [one for text in options["after"] for one in _dependencies(text)],
        "output": checked_output(options.get("output"), folder),
        "tasks": tasks(options.get("array"), options["param"], argv, options.get("task_variables", ())),
        "member": options.get("member"),
        "held": options.get("hold") or None,
        "waiting_since": options.get("since"),
    }
    return {name: value for name, value in body.items() if value is not None}


def _dependencies(text: str) -> list[Answer]:
    """`12`, `any:12`, `12,13`."""
    found = []
    for part in text.split(","):
        job = part.strip().removeprefix("any:")
        if not job.isdigit() or not int(job):
            raise BadRequest(f"--after {text!r} names no job. Write it like --after 12, or --after any:12")
        found.append({"job": int(job), "any_end": part.strip().startswith("any:")})
    return found


def _signal(name: str | None) -> str | None:
    if name is None:
        return None
    import signal  # noqa: PLC0415  (only when it is asked for)

    short = name.upper().removeprefix("SIG")
    if not hasattr(signal, f"SIG{short}"):
        raise BadRequest(f"There is no signal {name!r}. Write it like --signal USR1 or --signal TERM")
    return short


def _umask() -> int:
    umask = os.umask(0o022)
    os.umask(umask)
    return umask


def _show(answer: Answer, body: Answer) -> None:
    """The number first, so that scripts can cut it off."""
    numbers = answer["jobs"]
    if numbers:
        span = str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"
        what = body.get("name") or " ".join(body["argv"])
        many = f"{len(numbers)} jobs " if len(numbers) > 1 else ""
        click.echo(f"{span} {'held' if body.get('held') else 'waiting'}  {many}{what[:60]}")
    for line in answer["message"]:
        click.echo(f"   {line}" if numbers else line)

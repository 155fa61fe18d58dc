"""`rota logs`: what a job prints, turn after turn."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from rota.cli.client import Answer, Client
from rota.cli.jobs import one_job
from rota.cli.main import client, json_option, state_option
from rota.cli.output import print_answer
from rota.errors import RotaError

ASK_AGAIN_S = 0.25  # while following: a person does not notice it, and the daemon neither


@click.command("logs", epilog="\b\nExamples:\n  rota logs 12\n  rota logs -f 12\n  rota logs --turn 3 --tail 50 12")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has ended, over all its turns")
@click.option("--turn", type=click.IntRange(min=1), metavar="N", help="Only this turn [default: all]")
@click.option("--tail", type=click.IntRange(min=0), metavar="LINES", help="Only the last lines")
@one_job
@json_option
@state_option
def logs_command(job: int, follow: bool, turn: int | None, tail: int | None, as_json: bool) -> None:
    """What a job printed, stdout and stderr together."""
    api = client()
    first = api.get(f"/jobs/{job}/log", turn=turn, tail=tail)
    if as_json:
        print_answer(first, True, lambda answer: None)
    elif first["path"]:
        _own_file(api, job, Path(first["path"]), follow, tail)
    elif turn is not None or (tail is not None and not follow):
        _turn(api, job, first, follow)
    else:
        _all_turns(api, job, first if tail is not None else None, follow)


def _all_turns(api: Client, job: int, start: Answer | None, follow: bool) -> None:
    """Every turn in its order; followed, until the job is over."""
    number = 1
    if start is not None:
        number = _turn(api, job, start, follow) + 1
    while True:
        try:
            piece = api.get(f"/jobs/{job}/log", turn=number)
        except RotaError:  # that turn has not come yet
            if not follow or _is_over(api, job):
                return
            time.sleep(ASK_AGAIN_S)
            continue
        _turn(api, job, piece, follow)
        number += 1


def _turn(api: Client, job: int, piece: Answer, follow: bool) -> int:
    """The rest of one turn from this piece on. Returns the turn's number."""
    number = int(piece["turn"])
    while number:
        sys.stdout.write(piece["text"])
        sys.stdout.flush()
        if piece["is_over"] or (not piece["text"] and not follow):
            break
        if not piece["text"]:
            time.sleep(ASK_AGAIN_S)
        piece = api.get(f"/jobs/{job}/log", turn=number, offset=piece["next_offset"])
    return number


def _is_over(api: Client, job: int) -> bool:
    return api.get(f"/jobs/{job}")["job"]["state"] in ("finished", "failed", "cancelled")


def _own_file(api: Client, job: int, path: Path, follow: bool, tail: int | None) -> None:
    """A file that the member named: read here, with the member's own rights."""
    if not path.exists() and not follow:
        raise click.ClickException(f"The job writes to {path}, and that is not there yet.")
    offset = 0
    if tail is not None and path.exists():
        sys.stdout.write("".join(path.read_text(errors="replace").splitlines(keepends=True)[-tail:]))
        offset = path.stat().st_size
    while True:
        is_over = _is_over(api, job)
        if path.exists():
            with path.open("rb") as file:
                file.seek(offset)
                sys.stdout.write(file.read().decode(errors="replace"))
                offset = file.tell()
        sys.stdout.flush()
        if not follow or is_over:
            return
        time.sleep(ASK_AGAIN_S)

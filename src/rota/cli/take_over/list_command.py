"""`rota import list FILE.csv`: what is asked, shown and said."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from rota.cli.main import client, json_option, state_option
from rota.cli.output import say_span
from rota.cli.tables import table
from rota.cli.take_over.asking import asking_options, is_wanted
from rota.cli.take_over.list_import import ListImport, aliases_of
from rota.cli.take_over.list_rows import Understood, Wish
from rota.cli.take_over.list_sheet import Sheet, read_sheet
from rota.domain.counts import say_count
from rota.errors import BadRequest, NoSuchThing, RotaError

EPILOG = """\b
Examples:
  rota import list waiting.csv --dry-run                 how each line is understood
  sudo rota import list waiting.csv --who '김민수=kim'
  rota import list waiting.csv --skip-bad

\b
Columns, in any order and by many names: member, command; and as far as they are there gpus, tier, since, time, project,
folder, checkpoint, name, note, state. In Korean: 이름, 명령, GPU 수, GPU 종류, 신청일, 시간, 과제, 폴더, 체크포인트,
작업명, 비고, 상태. An example: examples/waiting-list.csv. More: docs/moving-to-rota.md
"""
HEADS = ("LINE", "MEMBER", "GPUS", "TIER", "SINCE", "TIME", "PROJECT", "NAME", "COMMAND")


@click.command("list", epilog=EPILOG)
@click.argument("file", metavar="FILE.csv")
@click.option("--who", multiple=True, metavar="NAME=ACCOUNT", help="Whose account a name on the list means")
@click.option("--skip-bad", is_flag=True, help="Take over the lines that are right, and leave the others out")
@asking_options
@json_option
@state_option
def list_command(file: str, who: tuple[str, ...], skip_bad: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Take over a waiting list of paper or of a spreadsheet, in its order, with the days since when people wait."""
    sheet = read_sheet(_read(file), file)
    import_ = ListImport(client(), time.time(), aliases_of(who))
    found = import_.understood(sheet)
    if not as_json:
        click.echo(_plan(found, sheet, import_.is_admin))
    is_refused = bool(found.mistakes) and not skip_bad
    if dry_run or is_refused or not found.wishes:
        if as_json:
            click.echo(_json([], found))
        if is_refused and not dry_run:
            raise BadRequest(
                f"Nothing was taken over: {say_count(len(found.mistakes), 'mistake')} "
                f"in {say_count(len({one.line for one in found.mistakes}), 'line')}. "
                "Mend the list, or leave those lines out: --skip-bad"
            )
        return
    if not is_wanted(f"Take over {say_count(len(found.wishes), 'line')}?", yes, as_json):
        click.echo("Nothing was changed.")
        return
    _take(import_, found, as_json)


def _take(import_: ListImport, found: Understood, as_json: bool) -> None:
    taken: list[tuple[Wish, int]] = []
    try:
        for wish, job in import_.take(found.wishes):
            taken.append((wish, job))
            if not as_json:
                click.echo(f"{job} waiting  line {wish.line}, {wish.member}: {wish.name}")
    except RotaError:
        click.echo(
            f"rota: It broke off after {say_count(len(taken), 'line')}. Type the same again: it goes on from there.",
            err=True,
        )
        raise
    click.echo(_json(taken, found) if as_json else f"\n{say_count(len(taken), 'line')} taken over. See: rota list")


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except FileNotFoundError:
        raise NoSuchThing(f"There is no file {file}. Look at the spelling, or cd to its folder.") from None
    except OSError as failed:
        raise BadRequest(f"{file} cannot be read: {failed.strerror}.") from None


def _plan(found: Understood, sheet: Sheet, is_admin: bool) -> str:
    """How every line was understood, and what is wrong with the others."""
    blocks = []
    if found.wishes:
        blocks.append(table(HEADS, [_row(wish) for wish in found.wishes]))
    if sheet.unknown:
        columns = "Columns that Rota has no use for" if len(sheet.unknown) > 1 else "A column that Rota has no use for"
        blocks.append(f"{columns}: {', '.join(sheet.unknown)}")
    if not is_admin and any(wish.since for wish in found.wishes):
        blocks.append("The days are left out: only an administrator says since when somebody has waited elsewhere.")
    if found.left_out:
        blocks.append("\n".join(f"Left out: {one}" for one in found.left_out))
    if found.mistakes:
        blocks.append("\n".join(map(str, found.mistakes)))
    blocks.append(f"{say_count(len(found.wishes), 'line')} can be taken over.")
    return "\n\n".join(blocks)


def _row(wish: Wish) -> tuple[str, ...]:
    return (
        str(wish.line),
        wish.member,
        str(wish.gpus),
        ",".join(wish.tiers) or "any",
        _day(wish.since),
        say_span(wish.time_s),
        wish.project or "",
        wish.name,
        " ".join(wish.command.split()),
    )


def _day(since: float | None) -> str:
    if since is None:
        return ""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(since)).removesuffix(" 00:00")


def _json(taken: Sequence[tuple[Wish, int]], found: Understood) -> str:
    numbers = {wish.line: job for wish, job in taken}
    return json.dumps(
        {
            "taken": [{**asdict(wish), "job": job} for wish, job in taken],
            "would_take": [asdict(wish) for wish in found.wishes if wish.line not in numbers],
            "left_out": [asdict(one) for one in found.left_out],
            "mistakes": [asdict(one) for one in found.mistakes],
        },
        ensure_ascii=False,
    )

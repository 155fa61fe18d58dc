"""`rota slurm records`: Slurm's record and Rota's, compared turn by turn. Nothing is ever corrected."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from rota.cli.client import Answer, Client
from rota.cli.main import client, json_option, state_option
from rota.cli.output import print_answer
from rota.cli.slurm.words import finding_words, show_comparison, summary
from rota.domain.durations import parse_duration_s
from rota.errors import BadRequest
from rota.slurm.accounting import SACCT_TIMEOUT_S, SlurmBook, file_book, slurm_book
from rota.slurm.commands import commands
from rota.slurm.records import SlurmRecord

DEFAULT_SINCE = "7d"
#: Of Slurm's record more is read than the window: so far apart the two books may have one end and still be compared.
MARGIN_S = 86400.0
#: Of a turn that the comparison reads.
TURN_COLUMNS = ("turn", "node", "gpus", "gpu_uuids", "began_at", "ended_at", "gpu_s")
EPILOG = """\b
Exit code: 0 when all agree, 1 when something differs.

\b
Examples:
  rota slurm records
  rota slurm records --since 2026-11-01 --until 2026-12-01 --json
  rota slurm records --since 30d --from jobcomp.txt.1 --from jobcomp.txt
"""


@click.command("records", epilog=EPILOG)
@click.option(
    "--since",
    metavar="TIME",
    default=DEFAULT_SINCE,
    help=f"30d, 2026-11-01, 2026-11-01T14:00 [default: {DEFAULT_SINCE}]",
)
@click.option("--until", metavar="TIME", help="The same; turns and jobs count that ended before it [default: now]")
@click.option(
    "--from",
    "files",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Read this instead of asking Slurm: a file of jobcomp/filetxt, or of sacct -P; may be repeated",
)
@json_option
@state_option
def records_command(since: str, until: str | None, files: tuple[Path, ...], as_json: bool) -> None:
    """Compare Slurm's record of Rota's jobs with Rota's own: times, GPU time, GPUs, nodes, members.

    Slurm's record is asked of sacct where slurmdbd is there, else read from the file of jobcomp/filetxt. An
    administrator compares everybody's turns, a member their own. What differs is shown, and never corrected.
    """
    now = time.time()
    window = {"since": _moment(since, now), "until": _moment(until, now) if until else now, "now": now}
    if window["since"] >= window["until"]:
        raise click.UsageError(f"Nothing lies between {since} and {until or 'now'}. Give an earlier --since.")
    api = client()
    health = api.get("/health")
    member = None if health["is_admin"] else str(health["member"])
    book = _book(files, window["since"] - MARGIN_S, member)
    asked = {
        "turns": _turns(api),
        "records": [asdict(record) for record in book.records],
        "window": {**window, "book_begins_at": book.begins_at},
        "site": _site(Path(health["turns_dir"])),
    }
    answer = _compare(asked)
    answer |= {"source": book.source, "read": book.said, "unreadable": book.unreadable, "whose": member, **window}
    for finding in answer["findings"]:
        finding["text"] = finding_words(finding, now)
    print_answer({"sentence": summary(answer), **answer}, as_json, show_comparison)
    if answer["findings"]:
        sys.exit(1)


def _moment(text: str, now: float) -> float:
    """Epoch seconds of `7d` (ago), or of a date or time in the zone of this machine."""
    try:
        return now - parse_duration_s(text)
    except BadRequest:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise click.UsageError(f"{text!r} is no time. Write it like 7d, 2026-11-01 or 2026-11-01T14:00.") from None


def _book(files: tuple[Path, ...], since: float, member: str | None) -> SlurmBook:
    """Slurm's record of Rota's jobs that had not ended before `since`; a member's own, or everybody's."""

    def is_wanted(record: SlurmRecord) -> bool:
        is_rotas = record.name.startswith("rota.") or record.comment.startswith("rota ")
        is_seen = member is None or record.user == member
        return is_rotas and is_seen and (record.ended_at is None or record.ended_at >= since)

    return file_book(files, is_wanted) if files else slurm_book(commands(SACCT_TIMEOUT_S), since, is_wanted)


def _turns(api: Client) -> list[Answer]:
    """Every turn that the daemon lets us have, with whose it was."""
    turns: list[Answer] = []
    after: int | None = 0
    while after is not None:
        page = api.get("/export", after=after)
        whose = {job["job"]: {"member": job["member"], "project": job["project"]} for job in page["jobs"]}
        turns += [{**{name: turn[name] for name in TURN_COLUMNS}, **whose[turn["job"]]} for turn in page["turns"]]
        after = page["next_after"]
    return turns


def _site(turns_dir: Path) -> str | None:
    """This Rota's name in the comments of its jobs; None where it has none: its turns never went to Slurm."""
    try:
        found = json.loads((turns_dir / "site.json").read_bytes())["site"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(found)


def _compare(books: dict[str, Any]) -> Answer:
    """In a process of its own, like all that is not the command line itself."""
    command = [sys.executable, "-P", "-m", "rota.ledger.two_books"]
    done = subprocess.run(command, input=json.dumps(books), capture_output=True, text=True, check=False)
    try:
        found: Answer = json.loads(done.stdout)
    except ValueError:
        raise click.ClickException(f"The comparison itself failed:\n{done.stderr[-500:]}") from None
    return found

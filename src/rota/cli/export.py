"""`rota export`: jobs and turns as two CSV files, whole or not at all (docs/export.md)."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import click

from rota.cli.client import Answer, Client
from rota.cli.main import client, json_option, state_option
from rota.domain.counts import say_count
from rota.errors import BadRequest, RotaError

#: Names and order of the columns; new ones are added at the end.
JOB_COLUMNS = (
    "job", "name", "member", "project", "gpus", "tiers", "time_s", "is_resumable", "submitted_at", "state", "turns",
    "attained_gpu_s", "ended_at", "exit_code", "gpu_memory_bytes", "cpus", "memory_bytes", "retries", "array",
)  # fmt: skip
TURN_COLUMNS = (
    "turn", "job", "number", "node", "tier", "gpus", "gpu_uuids", "granted_at", "began_at", "guaranteed_until",
    "notice_at", "saved_at", "ended_at", "outcome", "exit_code", "gpu_s", "lost_s",
)  # fmt: skip
JOBS, TURNS = "jobs.csv", "turns.csv"


@click.command("export", epilog="\b\nExamples:\n  rota export lab-2026\n  rota replay lab-2026 --fleet h100:8")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace jobs.csv and turns.csv in a folder that is not empty")
@json_option
@state_option
def export_command(folder: Path, force: bool, as_json: bool) -> None:
    """Write jobs.csv and turns.csv into DIR: your own jobs, or everybody's if you are an administrator.

    Times are epoch seconds. `rota replay DIR` reads them; docs/export.md has every column.
    """
    api = client()
    first = api.get("/export", after=0)  # before anything is made: there is a daemon, and it serves us
    with _new_files(folder, force) as (jobs_file, turns_file):
        jobs, turns = _write(_pages(api, first), jobs_file, turns_file)
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "jobs": jobs, "turns": turns}))
    else:
        click.echo(f"{say_count(jobs, 'job')} and {say_count(turns, 'turn')} written to {folder}.")


def _pages(api: Client, page: Answer) -> Iterator[Answer]:
    """Every page, with a bar on a terminal."""
    bar = click.progressbar(
        length=page["last_job"], label="jobs", file=sys.stderr, hidden=not sys.stderr.isatty(), show_pos=True
    )
    done = 0
    with bar:
        while True:
            yield page
            reached = page["next_after"]
            if reached is None:
                bar.update(page["last_job"] - done)
                return
            bar.update(reached - done)
            done = reached
            page = api.get("/export", after=reached)


def _write(pages: Iterator[Answer], jobs_file: IO[str], turns_file: IO[str]) -> tuple[int, int]:
    """Both files, page by page; how many rows each has."""
    jobs, turns = csv.writer(jobs_file), csv.writer(turns_file)
    jobs.writerow(JOB_COLUMNS)
    turns.writerow(TURN_COLUMNS)
    written_jobs = written_turns = 0
    for page in pages:
        jobs.writerows([_cell(job[column]) for column in JOB_COLUMNS] for job in page["jobs"])
        turns.writerows([_cell(turn[column]) for column in TURN_COLUMNS] for turn in page["turns"])
        written_jobs, written_turns = written_jobs + len(page["jobs"]), written_turns + len(page["turns"])
    return written_jobs, written_turns


def _cell(value: Any) -> str:
    """A value as CSV has it: nothing for None, true and false, lists with | between; numbers lose no digit."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "|".join(value)
    return str(value)


# --- files ---------------------------------------------------------------------------------------


@contextmanager
def _new_files(folder: Path, force: bool) -> Iterator[tuple[IO[str], IO[str]]]:
    """Two files to write into; they get their names when both are complete, and are gone when anything fails."""
    is_new = _check_folder(folder, force)
    parts = [folder / f".{name}.{os.getpid()}.part" for name in (JOBS, TURNS)]
    is_done = False
    try:
        if is_new:
            folder.mkdir()
        with ExitStack() as files:
            jobs, turns = (files.enter_context(part.open("w", encoding="utf-8", newline="")) for part in parts)
            yield jobs, turns
            for file in (jobs, turns):
                file.flush()
                os.fsync(file.fileno())
        # Without jobs.csv the folder is no export, so that old and new are never read together.
        (folder / JOBS).unlink(missing_ok=True)
        parts[1].replace(folder / TURNS)
        parts[0].replace(folder / JOBS)
        is_done = True
    except OSError as failed:
        raise _cannot(folder, failed) from None
    finally:
        if not is_done:
            _clean(folder, parts, is_new)


def _check_folder(folder: Path, force: bool) -> bool:
    """Whether the folder is still to be made. Raises BadRequest when it holds what is not to be touched."""
    try:
        if not folder.exists():
            return True
        if not folder.is_dir():
            raise BadRequest(f"{folder} is a file. Name a folder that is empty or not there yet.")
        if any(folder.iterdir()) and not force:
            raise BadRequest(
                f"The folder {folder} is not empty, and nothing of it was changed.\n"
                f"Name another, or replace its {JOBS} and {TURNS}: rota export --force {folder}"
            )
    except OSError as failed:
        raise _cannot(folder, failed) from None
    return False


def _clean(folder: Path, parts: list[Path], is_new: bool) -> None:
    """Leave nothing half-written behind. The failure that brought us here is the one to tell."""
    with suppress(OSError):
        for part in parts:
            part.unlink(missing_ok=True)
        if is_new:
            folder.rmdir()


def _cannot(folder: Path, failed: OSError) -> RotaError:
    return RotaError(
        f"{folder} cannot be written: {failed.strerror}. Nothing was exported.\n"
        f"Make room there (df -h), look at its owner (ls -ld {folder.parent}), or name another folder."
    )

"""Traces from files: our own CSV, the folder that `rota export` writes, and Slurm's `sacct -P`.

A trace is read whole or not at all: a mistake in our own files is an error with its line. What cannot be replayed but
is no mistake (a job that never ran) is left out and counted.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rota.domain.counts import say_count
from rota.errors import BadRequest, NoSuchThing
from rota.simulate.replay.sacct import NO_DURATION, SACCT_COMMAND, Found, sacct_jobs
from rota.simulate.replay.values import Trace, TraceJob
from rota.slurm.fields import MOST_GPUS, MOST_S
from rota.slurm.sacct import is_sacct

#: 512 MiB, unpacked: some four million jobs.
MOST_BYTES = 512 * 1024 * 1024
FORMS = f"""A trace is one of these three:
- a CSV file (or .csv.gz) with the header submit_s,gpus,duration_s and, if known, \
job_id,member,project,tiers,time_s,resumable
- a folder that `rota export` wrote: jobs.csv with the header job,name,member,project,gpus,... and turns.csv
- the text of Slurm's sacct, with the header JobID|User|Account|Submit|ElapsedRaw|AllocTRES|... Write it with:
  {SACCT_COMMAND}"""

_NEEDED = ("submit_s", "gpus", "duration_s")
_JOBS, _JOB_COLUMNS = "jobs.csv", ("job", "gpus", "submitted_at")
_TURNS, _TURN_COLUMNS = "turns.csv", ("job", "ended_at", "gpu_s")
_NO_TURN = "without an ended turn"
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
_YES_NO = {"true": True, "1": True, "false": False, "0": False, "": True}


def read_trace(path: Path) -> Trace:
    """The trace in a file or folder, in the order of its submits; its form is told from its content.

    Raises NoSuchThing when nothing is there, BadRequest when it is no trace or holds nonsense.
    """
    if _is_folder(path):
        jobs, left_out = _exported(path)
        return _trace(path.resolve().name, path, jobs, left_out, is_epoch=True)
    text = _text(path)
    name = path.name.removesuffix(".gz").removesuffix(".csv").removesuffix(".txt")
    header = text.lstrip("\r\n").partition("\n")[0].rstrip("\r")
    if is_sacct(header):
        jobs, left_out = sacct_jobs(text.lstrip("\r\n").split("\n"), str(path))
        return _trace(name, path, jobs, left_out, is_epoch=True)
    if not set(_NEEDED) & {column.strip(' "').lower() for column in header.split(",")}:
        raise BadRequest(f"{path} is {'no trace that Rota knows' if text.strip() else 'empty'}. {FORMS}")
    jobs, left_out = _from_csv(path, text)
    return _trace(name, path, jobs, left_out, is_epoch=False)


def _trace(name: str, path: Path, jobs: list[Found], left_out: Counter[str], *, is_epoch: bool) -> Trace:
    """Jobs in order, with ids that are unique and second 0 at the first submit."""
    said = tuple(f"{say_count(count, 'job')} {why}" for why, count in left_out.items())
    if not jobs:
        raise BadRequest(f"{path} holds no job that can be replayed ({', '.join(said) or 'nothing but a header'}).")
    jobs.sort(key=lambda job: job.submit_s)
    began_at = jobs[0].submit_s
    in_order = tuple(
        TraceJob(number, job.submit_s - began_at, *job[2:]) for number, job in zip(_ids(jobs), jobs, strict=True)
    )
    return Trace(name, in_order, said, began_at if is_epoch else None)


def _ids(jobs: Sequence[Found]) -> Sequence[int]:
    """The source's own ids where they are whole numbers and unique; otherwise 1, 2, 3."""
    keys = [job.key for job in jobs]
    if all(key.isascii() and key.isdigit() and len(key) <= 18 for key in keys):
        ids = [int(key) for key in keys]
        if len(set(ids)) == len(ids):
            return ids
    return range(1, len(jobs) + 1)


# Our own CSV


def _from_csv(path: Path, text: str) -> tuple[list[Found], Counter[str]]:
    jobs: list[Found] = []
    left_out: Counter[str] = Counter()
    for line, row in _rows(path, text, _NEEDED):
        try:
            job = Found(
                row.get("job_id", "").strip(),
                _seconds(row, "submit_s"),
                _gpus(row),
                _seconds(row, "duration_s"),
                (row.get("member") or row.get("user", "")).strip(),
                row.get("project", "").strip(),
                _tiers(row),
                _stated_s(row),
                _is_resumable(row, "resumable"),
            )
        except ValueError as wrong:
            raise _mistake(path, line, wrong) from None
        if job.duration_s > 0:
            jobs.append(job)
        else:
            left_out[NO_DURATION] += 1
    return jobs, left_out


# The folder that `rota export` writes


def _exported(folder: Path) -> tuple[list[Found], Counter[str]]:
    absent = [name for name in (_JOBS, _TURNS) if not _is_there(folder / name)]
    if absent:
        raise BadRequest(f"The folder {folder} has no {' and no '.join(absent)}. {FORMS}")
    ran_gpu_s = _ran_gpu_s(folder / _TURNS)
    path = folder / _JOBS
    jobs: list[Found] = []
    left_out: Counter[str] = Counter()
    seen: set[str] = set()
    for line, row in _rows(path, _text(path), _JOB_COLUMNS):
        key = row["job"].strip()
        if key in seen:
            raise _mistake(path, line, f"job {key[:40]!r} is there a second time.")
        seen.add(key)
        try:
            job = _exported_job(row, key, ran_gpu_s.get(key, 0.0))
        except ValueError as wrong:
            raise _mistake(path, line, wrong) from None
        if job.duration_s > 0:
            jobs.append(job)
        else:
            left_out[NO_DURATION if key in ran_gpu_s else _NO_TURN] += 1
    return jobs, left_out


def _exported_job(row: dict[str, str], key: str, ran_gpu_s: float) -> Found:
    gpus = _gpus(row)
    return Found(
        key,
        _seconds(row, "submitted_at"),
        gpus,
        ran_gpu_s / gpus,
        row.get("member", "").strip(),
        row.get("project", "").strip(),
        _tiers(row),
        _stated_s(row),
        _is_resumable(row, "is_resumable"),
    )


def _ran_gpu_s(path: Path) -> dict[str, float]:
    """GPU seconds of each job that has an ended turn."""
    ran: dict[str, float] = {}
    for line, row in _rows(path, _text(path), _TURN_COLUMNS):
        if not row["ended_at"].strip():
            continue
        key = row["job"].strip()
        try:
            ran[key] = ran.get(key, 0.0) + _seconds(row, "gpu_s")
        except ValueError as wrong:
            raise _mistake(path, line, wrong) from None
    return ran


# Files, rows and fields


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # reading it says what is wrong
        return False


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder that may not be entered: as above
        return True


def _text(path: Path) -> str:
    """A file's text, unpacked if it is packed, whatever its name."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        if raw.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
                raw = packed.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise NoSuchThing(f"There is no file or folder {path}. Look for it with: ls {path.parent}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as broken:
        raise BadRequest(f"{path} is a broken .gz file ({broken}). Fetch or pack it again.") from None
    except OSError as failed:
        raise BadRequest(f"{path} cannot be read: {failed.strerror}. Look at it with: ls -l {path}") from None
    if len(raw) > MOST_BYTES:
        raise BadRequest(f"{path} is longer than {MOST_BYTES >> 20} MiB. Replay a part of it, a few months at a time.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        raise BadRequest(f"{path}, line {line}: this is not UTF-8 text. Save it as UTF-8.") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BadRequest(f"{path}, line {line}: there is a NUL byte, so this is no text. Write it again.")
    return text


def _rows(path: Path, text: str, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row of a CSV by column name, with its line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: list[str] = []
    try:
        for fields in reader:
            if not fields:
                continue
            if not columns:
                columns = _header(path, fields, needed)
                continue
            if len(fields) != len(columns):
                wrong = f"it has {len(fields)} fields, and the header has {len(columns)}."
                raise _mistake(path, reader.line_num, wrong)
            yield reader.line_num, dict(zip(columns, fields, strict=True))
    except csv.Error as broken:
        raise _mistake(path, reader.line_num, f"this is no CSV ({broken}).") from None
    if not columns:
        raise BadRequest(f"{path} is empty. It needs a header with {', '.join(needed)}.")


def _header(path: Path, fields: list[str], needed: tuple[str, ...]) -> list[str]:
    columns = [field.strip().lower() for field in fields]
    absent = [name for name in needed if name not in columns]
    if absent:
        raise BadRequest(f"{path} has no column {' and no column '.join(absent)}. It needs {', '.join(needed)}.")
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise BadRequest(f"{path} has the column {twice[0]!r} twice. Take one of them out.")
    return columns


def _mistake(path: Path, line: int, wrong: object) -> BadRequest:
    return BadRequest(f"{path}, line {line}: {wrong} Mend that line, or take it out; nothing was read.")


def _seconds(row: dict[str, str], column: str) -> float:
    text = row[column]
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{column} is {text[:40]!r}, which is not a number of seconds.")
    seconds = float(text)
    if not 0 <= seconds <= MOST_S:
        raise ValueError(f"{column} is {text[:40]}, and seconds go from 0 to {MOST_S:.0f} (the year 9999).")
    return seconds


def _gpus(row: dict[str, str]) -> int:
    text = row["gpus"]
    gpus = float(text) if _NUMBER.fullmatch(text) else 0.0
    if not 1 <= gpus <= MOST_GPUS or gpus != int(gpus):
        raise ValueError(f"gpus is {text[:40]!r}, which is not a whole number from 1 to {MOST_GPUS}.")
    return int(gpus)


def _tiers(row: dict[str, str]) -> tuple[str, ...]:
    text = row.get("tiers")
    return tuple(tier.strip() for tier in text.split("|") if tier.strip()) if text else ()


def _stated_s(row: dict[str, str]) -> float | None:
    if not row.get("time_s", "").strip():
        return None
    seconds = _seconds(row, "time_s")
    if seconds == 0:
        raise ValueError("time_s is 0, and a stated time is longer than nothing (leave it empty for none).")
    return seconds


def _is_resumable(row: dict[str, str], column: str) -> bool:
    text = row.get(column, "").strip().lower()
    if text not in _YES_NO:
        raise ValueError(f"{column} is {text[:40]!r}, which is not true, false, 1 or 0.")
    return _YES_NO[text]

"""What Slurm's `sacct -P` says about past jobs, read without asking Slurm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from rota.domain.durations import parse_slurm_duration_s
from rota.errors import BadRequest

#: What to type for a trace of one's own cluster.
SACCT_COMMAND = (
    "sacct -a -X -P -S 2026-01-01 -o JobID,User,Account,Submit,ElapsedRaw,AllocTRES,ReqTRES,Timelimit,State > jobs.txt"
)
#: The end of the year 9999 in epoch seconds. Larger numbers are milliseconds, or nonsense.
MOST_S = 253_402_300_799.0
MOST_GPUS = 1_000_000

NO_GPU = "without a GPU"
NO_DURATION = "without a duration"
NO_SUBMIT = "without a readable submit time"
BROKEN_ROW = "with more or fewer fields than the header"

_ID = ("jobidraw", "jobid")  # raw first: its array tasks have whole numbers of their own
_SUBMIT = ("submit",)
_ELAPSED = ("elapsedraw", "elapsed")
_TRES = ("alloctres", "reqtres")


class Found(NamedTuple):
    """One past job as its source tells it, before the trace has its order and its second 0."""

    key: str  #: the source's name for it
    submit_s: float
    gpus: int
    duration_s: float
    member: str = ""
    project: str = ""
    tiers: tuple[str, ...] = ()
    time_s: float | None = None
    is_resumable: bool = True


def is_sacct(header: str) -> bool:
    """Whether a file with this first line is `sacct -P` text."""
    names = _columns(header)
    return "|" in header and any(name in names for name in _ID) and "submit" in names


def sacct_jobs(lines: Iterable[str], where: str) -> tuple[list[Found], Counter[str]]:
    """The jobs in `sacct -P` text, submits in epoch seconds; and why others were left out, counted.

    Raises BadRequest when a column is missing.
    """
    rows = iter(lines)
    columns = _columns(next(rows, ""))
    for choice, shown in ((_ELAPSED, "ElapsedRaw"), (_TRES, "AllocTRES")):
        if not any(name in columns for name in choice):
            raise BadRequest(f"{where} has no column {shown}. Write it again with: {SACCT_COMMAND}")
    jobs: list[Found] = []
    left_out: Counter[str] = Counter()
    for line in rows:
        fields = line.rstrip("\r").split("|")
        if fields == [""]:
            continue
        row = dict(zip(columns, fields, strict=False))
        if "." in _first(row, _ID):  # a step: its job has a row of its own
            continue
        job = _job(row) if len(fields) == len(columns) else BROKEN_ROW
        if isinstance(job, Found):
            jobs.append(job)
        else:
            left_out[job] += 1
    return jobs, left_out


def _columns(header: str) -> list[str]:
    return [name.strip().lower() for name in header.split("|")]


def _first(row: dict[str, str], names: tuple[str, ...]) -> str:
    """The first of these columns that says something."""
    return next((row[name].strip() for name in names if row.get(name, "").strip()), "")


def _job(row: dict[str, str]) -> Found | str:
    """The job in a row, or why it is left out."""
    submit_s = _epoch_s(_first(row, _SUBMIT))
    if submit_s is None:
        return NO_SUBMIT
    gpus, tiers = _gpus(_first(row, _TRES))
    if not gpus:
        return NO_GPU
    duration_s = _elapsed_s(_first(row, _ELAPSED))
    if not duration_s:
        return NO_DURATION
    asked, asked_tiers = _gpus(row.get("reqtres", ""))
    return Found(
        key=_first(row, _ID),
        submit_s=submit_s,
        gpus=gpus,
        duration_s=duration_s,
        member=_first(row, ("user",)),
        project=_first(row, ("account",)),
        # The type that was given is not the type that was asked for: with --gres=gpu:1, any would have done.
        tiers=asked_tiers if asked else tiers,
        time_s=_limit_s(_first(row, ("timelimit",))),
    )


def _gpus(tres: str) -> tuple[int, tuple[str, ...]]:
    """How many GPUs a list like `cpu=8,gres/gpu=4,gres/gpu:h100=4` holds, and of which types."""
    if "gres/gpu" not in tres:
        return 0, ()
    total, typed = 0, {}
    for entry in tres.split(","):
        name, _, number = entry.strip().partition("=")
        gpus = _whole(number)
        if name == "gres/gpu":
            total = gpus
        elif name.startswith("gres/gpu:") and gpus:
            typed[name.removeprefix("gres/gpu:")] = gpus
    gpus = max(total, sum(typed.values()))  # the typed entries repeat the total, where both are there
    return (gpus, tuple(typed)) if gpus <= MOST_GPUS else (0, ())


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _epoch_s(text: str) -> float | None:
    """Epoch seconds of a submit; a time without a zone is read as UTC, for `sacct` does not say its own."""
    if text.isdigit():
        seconds = float(_whole(text))
        return seconds if 0 < seconds <= MOST_S else None
    try:
        moment = datetime.fromisoformat(text)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if seconds > 0 else None


def _elapsed_s(text: str) -> float:
    """Seconds of ElapsedRaw or Elapsed; 0 when it is neither."""
    seconds = float(_whole(text)) if text.isdigit() else _limit_s(text) or 0.0
    return seconds if seconds <= MOST_S else 0.0


def _limit_s(text: str) -> float | None:
    """Seconds of a Timelimit; none for UNLIMITED, Partition_Limit, and 0, which means no limit to Slurm as well."""
    if ":" not in text or not text.isascii() or len(text) > 24:
        return None
    try:
        seconds = parse_slurm_duration_s(text)
    except BadRequest:
        return None
    return seconds if 0 < seconds <= MOST_S else None

"""What Slurm's `sacct -P` says about past jobs, as jobs of a trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC
from itertools import chain
from typing import NamedTuple

from rota.errors import BadRequest
from rota.slurm.fields import elapsed_s, epoch_s, gpus_in, limit_s
from rota.slurm.sacct import ELAPSED, JOB_ID, SUBMIT, Row, columns, first, rows

#: What to type for a trace of one's own cluster.
SACCT_COMMAND = (
    "sacct -a -X -P -S 2026-01-01 -o JobID,User,Account,Submit,ElapsedRaw,AllocTRES,ReqTRES,Timelimit,State > jobs.txt"
)
NO_GPU = "without a GPU"
NO_DURATION = "without a duration"
NO_SUBMIT = "without a readable submit time"
BROKEN_ROW = "with more or fewer fields than the header"

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


def sacct_jobs(lines: Iterable[str], where: str) -> tuple[list[Found], Counter[str]]:
    """The jobs in `sacct -P` text, submits in epoch seconds; and why others were left out, counted.

    Raises BadRequest when a column is missing.
    """
    rest = iter(lines)
    header = next(rest, "")
    for choice, shown in ((ELAPSED, "ElapsedRaw"), (_TRES, "AllocTRES")):
        if not any(name in columns(header) for name in choice):
            raise BadRequest(f"{where} has no column {shown}. Write it again with: {SACCT_COMMAND}")
    jobs: list[Found] = []
    left_out: Counter[str] = Counter()
    for row in rows(chain([header], rest)):
        job = BROKEN_ROW if row is None else _job(row)
        if isinstance(job, Found):
            jobs.append(job)
        else:
            left_out[job] += 1
    return jobs, left_out


def _job(row: Row) -> Found | str:
    """The job in a row, or why it is left out. A time without a zone is read as UTC, for sacct does not say its own."""
    submit_s = epoch_s(first(row, SUBMIT), UTC)
    if submit_s is None:
        return NO_SUBMIT
    gpus, types = gpus_in(first(row, _TRES))
    if not gpus:
        return NO_GPU
    duration_s = elapsed_s(first(row, ELAPSED))
    if not duration_s:
        return NO_DURATION
    asked, asked_types = gpus_in(row.get("reqtres", ""))
    return Found(
        key=first(row, JOB_ID),
        submit_s=submit_s,
        gpus=gpus,
        duration_s=duration_s,
        member=first(row, ("user",)),
        project=first(row, ("account",)),
        # The type that was given is not the type that was asked for: with --gres=gpu:1, any would have done.
        tiers=tuple(name for name, _ in (asked_types if asked else types)),
        time_s=limit_s(first(row, ("timelimit",))),
    )

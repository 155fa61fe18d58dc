"""One run of a job as Slurm's own record has it, from the text of sacct or the lines of jobcomp/filetxt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from itertools import chain

from rota.errors import BadRequest
from rota.slurm.fields import elapsed_s, epoch_s, exit_and_signal, gpus_in
from rota.slurm.nodelist import node_names
from rota.slurm.sacct import ELAPSED, JOB_ID, SUBMIT, Row, columns, first, rows

#: What is asked of sacct; State, User and Account may be absent from a file, the others not.
COLUMNS = (
    "JobIDRaw", "JobName", "User", "Account", "State", "Submit", "Start", "End", "ElapsedRaw", "AllocTRES", "NodeList",
    "ExitCode", "Comment",
)  # fmt: skip
SACCT_COMMAND = f"SLURM_TIME_FORMAT=%s sacct -a -X -D -P -S 2026-01-01 -o {','.join(COLUMNS)} > records.txt"


@dataclass(frozen=True, slots=True)
class SlurmRecord:
    """One run of a job; one that Slurm queued again has several. Times are epoch seconds."""

    job_id: str
    name: str
    user: str
    state: str  #: "COMPLETED", "CANCELLED", ...
    submitted_at: float | None
    started_at: float | None  #: None: it never ran
    ended_at: float | None  #: None: it has not ended
    elapsed_s: float
    gpus: int | None  #: on all of its nodes; None: the record does not say
    gpus_by_type: tuple[tuple[str, int], ...]  #: empty where the record names no types
    nodes: tuple[str, ...]
    exit_code: int | None
    signal: int | None
    account: str = ""
    comment: str = ""


def sacct_records(lines: Iterable[str], where: str, zone: tzinfo | None = None) -> Iterator[SlurmRecord | None]:
    """The runs in `sacct -P` text whose columns are in any order; None for each row that cannot be read.

    `zone`: of its times (None: this machine's); epoch seconds are read as they are. Raises BadRequest when a column is
    missing.
    """
    rest = iter(lines)
    header = next(rest, "")
    needed = (JOB_ID, ("jobname",), SUBMIT, ("start",), ("end",), ELAPSED)
    if absent := [choice[0] for choice in needed if not any(name in columns(header) for name in choice)]:
        raise BadRequest(f"{where} has no column {' and no column '.join(absent)}. Write it with:\n{SACCT_COMMAND}")
    for row in rows(chain([header], rest)):
        yield None if row is None else _from_row(row, zone)


def _from_row(row: Row, zone: tzinfo | None) -> SlurmRecord:
    gpus, by_type = gpus_in(row.get("alloctres", ""))
    exit_code, signal = exit_and_signal(row.get("exitcode", ""))
    return SlurmRecord(
        job_id=first(row, JOB_ID),
        name=row["jobname"],
        user=row.get("user", ""),
        state=row.get("state", "").partition(" ")[0],  # "CANCELLED by 1002"
        submitted_at=epoch_s(first(row, SUBMIT), zone),
        started_at=epoch_s(row["start"], zone),
        ended_at=epoch_s(row["end"], zone),
        elapsed_s=elapsed_s(first(row, ELAPSED)),
        # Slurm names GPUs only where AccountingStorageTRES of slurm.conf does.
        gpus=gpus or None,
        gpus_by_type=by_type,
        nodes=node_names(row.get("nodelist", "")),
        exit_code=exit_code,
        signal=signal,
        account=row.get("account", ""),
        comment=row.get("comment", ""),
    )


# jobcomp/filetxt, as slurmctld 22.05 writes it: the name and the folder are the member's words and hold what they like.
_LINE = (
    r"JobId=(?P<id>\d+) UserId=(?P<user>[^ ]*?)\((?P<uid>\d+)\) GroupId=.*?\(\d+\) Name=(?P<name>{any}) "
    r"JobState=(?P<state>\w+) Partition=\S* TimeLimit=\S+ StartTime=(?P<start>\S+) EndTime=(?P<end>\S+) "
    r"NodeList=(?P<nodes>\S+) NodeCnt=\d+ ProcCnt=\d+ WorkDir={any} ReservationName=(?P<rest>.*)"
)
_SHORTEST, _LONGEST = (re.compile(_LINE.replace("{any}", some), re.ASCII) for some in (".*?", ".*"))


def jobcomp_records(lines: Iterable[str], zone: tzinfo | None = None) -> Iterator[SlurmRecord | None]:
    """The runs in a file of jobcomp/filetxt; None for each line that cannot be read, or in two ways.

    A name with a line break in it makes such lines. `zone`: of its times; None: this machine's.
    """
    for line in lines:
        if line.strip():
            yield _from_line(line.rstrip("\r\n"), zone)


def is_jobcomp(line: str) -> bool:
    """Whether a file with this first line is one of jobcomp/filetxt."""
    return line.startswith("JobId=")


def _from_line(line: str, zone: tzinfo | None) -> SlurmRecord | None:
    found, other = _SHORTEST.fullmatch(line), _LONGEST.fullmatch(line)
    if found is None or other is None or found.groupdict() != other.groupdict():
        return None
    rest = dict(entry.partition("=")[::2] for entry in found["rest"].split(" ") if "=" in entry)
    nodes = node_names(found["nodes"])
    started_at, ended_at = epoch_s(found["start"], zone), epoch_s(found["end"], zone)
    gpus, by_type = gpus_in(rest.get("Tres", ""))
    exit_code, signal = exit_and_signal(rest.get("ExitCode", ""))
    return SlurmRecord(
        job_id=found["id"],
        name=found["name"],
        user=found["user"] or f"uid{found['uid']}",
        state=found["state"],
        submitted_at=epoch_s(rest.get("SubmitTime", ""), zone),
        started_at=started_at if nodes else None,  # cancelled while it waited: the time of that stands in both
        ended_at=ended_at,
        elapsed_s=max((ended_at or 0.0) - (started_at or 0.0), 0.0) if nodes and started_at and ended_at else 0.0,
        # Without slurmdbd there can be no GPUs in it: slurmctld refuses AccountingStorageTRES=gres/gpu then.
        gpus=gpus or None,
        gpus_by_type=by_type,
        nodes=nodes,
        exit_code=exit_code,
        signal=signal,
        account=rest.get("Account", ""),
    )

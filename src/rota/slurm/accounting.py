"""Slurm's book: by sacct where slurmdbd keeps it, else the file of jobcomp/filetxt, or files that somebody kept."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from rota.errors import BadRequest, NoSuchThing, RotaError
from rota.slurm.commands import Run
from rota.slurm.records import COLUMNS, SACCT_COMMAND, SlurmRecord, is_jobcomp, jobcomp_records, sacct_records
from rota.slurm.sacct import OWN_DELIMITER, is_sacct

#: Of sacct: slurmdbd answers weeks of a busy cluster in tens of seconds, and Slurm's commands wait for it.
SACCT_TIMEOUT_S = 120.0
_SETTING = re.compile(r"(\S+)\s*= (.*)")


@dataclass(frozen=True, slots=True)
class SlurmBook:
    """What one source has of Rota's jobs."""

    source: str  #: "sacct", "jobcomp"
    said: str  #: where it is from, for people
    records: tuple[SlurmRecord, ...]
    unreadable: int  #: rows or lines
    begins_at: float | None  #: the first end in a file of jobcomp: a turn before it may stand in an older file


def slurm_book(run: Run, since: float, is_wanted: Callable[[SlurmRecord], bool]) -> SlurmBook:
    """Slurm's own record of the wanted jobs that ran since then.

    Raises RotaError where Slurm keeps none or it cannot be read here, SlurmUnavailable, SlurmRefused.
    """
    config = _config(run(["scontrol", "show", "config"], ""))
    if config.get("AccountingStorageType") == "accounting_storage/slurmdbd":
        # Every run of a job that was queued again (-D); no steps (-X). -S takes local time, and no epoch seconds.
        start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(since))
        words = ["sacct", "-a", "-X", "-D", "-P", f"--delimiter={OWN_DELIMITER}", "-S", start, "-o", ",".join(COLUMNS)]
        found = sacct_records(run(words, "").split("\n"), "sacct's answer")
        return _book("sacct", "sacct (slurmdbd)", found, is_wanted)
    place, kind = config.get("JobCompLoc", ""), config.get("JobCompType", "unknown")
    if kind != "jobcomp/filetxt":
        storage = config.get("AccountingStorageType", "unknown")
        raise RotaError(
            f"Slurm keeps no record here that can be read: AccountingStorageType is {storage}, JobCompType {kind}.\n"
            "Put JobCompType=jobcomp/filetxt and JobCompLoc=/var/log/slurm/jobcomp.txt into slurm.conf and restart "
            "slurmctld; or set up slurmdbd."
        )
    try:
        return file_book([Path(place)], is_wanted, f"{place} (jobcomp/filetxt, since there is no slurmdbd)")
    except RotaError as failed:
        host = config.get("SlurmctldHost[0]", "the controller")
        raise RotaError(
            f"Slurm writes its record into {place} on {host}, and it cannot be read here: {failed}\n"
            "Run this there; or bring a copy, and: rota slurm records --from COPY"
        ) from None


def file_book(paths: Iterable[Path], is_wanted: Callable[[SlurmRecord], bool], said: str = "") -> SlurmBook:
    """The records in files, each of sacct or of jobcomp/filetxt. Raises NoSuchThing, BadRequest."""
    paths = list(paths)
    books = [_file(path, is_wanted) for path in paths]
    begins = [book.begins_at for book in books]
    return SlurmBook(
        "+".join(sorted({book.source for book in books})),
        said or ", ".join(book.said for book in books),
        tuple(record for book in books for record in book.records),
        sum(book.unreadable for book in books),
        None if None in begins else min(filter(None, begins), default=None),
    )


def _file(path: Path, is_wanted: Callable[[SlurmRecord], bool]) -> SlurmBook:
    try:
        # Names are members' words: neither their bytes nor their line breaks may stop the reading.
        with path.open(encoding="utf-8-sig", errors="replace", newline="\n") as lines:
            first = next(lines, "")
            every = chain([first], lines)
            if not first.strip() or is_jobcomp(first):
                return _book("jobcomp", f"{path} (jobcomp/filetxt)", jobcomp_records(every), is_wanted, has_begin=True)
            if is_sacct(first):
                return _book("sacct", f"{path} (sacct)", sacct_records(every, str(path)), is_wanted)
    except FileNotFoundError:
        raise NoSuchThing(f"There is no file {path}. Look for it with: ls {path.parent}") from None
    except OSError as failed:
        raise BadRequest(f"{path} cannot be read: {failed.strerror}. Look at it with: ls -l {path}") from None
    raise BadRequest(
        f"{path} is no record of Slurm's that Rota knows. It reads files of jobcomp/filetxt, and of:\n{SACCT_COMMAND}"
    )


def _book(
    source: str,
    said: str,
    found: Iterator[SlurmRecord | None],
    is_wanted: Callable[[SlurmRecord], bool],
    has_begin: bool = False,
) -> SlurmBook:
    """The wanted ones, each once; the others only tell when a file begins."""
    wanted: dict[SlurmRecord, None] = {}
    unreadable, begins_at = 0, None
    for record in found:
        if record is None:
            unreadable += 1
            continue
        if has_begin and record.ended_at is not None:
            begins_at = min(begins_at or record.ended_at, record.ended_at)
        if is_wanted(record):
            wanted[record] = None
    return SlurmBook(source, said, tuple(wanted), unreadable, begins_at)


def _config(text: str) -> dict[str, str]:
    """`scontrol show config` by name."""
    return {found[1]: found[2].strip() for line in text.splitlines() if (found := _SETTING.fullmatch(line))}

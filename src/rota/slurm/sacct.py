"""The text of `sacct -P`: its header, its rows. Read without asking Slurm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

#: Raw first: its array tasks have whole numbers of their own.
JOB_ID = ("jobidraw", "jobid")
SUBMIT = ("submit",)
ELAPSED = ("elapsedraw", "elapsed")
#: Between fields when we ask ourselves: a job's name may hold the usual | (sacct(1), --delimiter).
OWN_DELIMITER = "\x1f"

Row = dict[str, str]  #: by column, in lower case


def is_sacct(header: str) -> bool:
    """Whether a file with this first line is `sacct -P` text."""
    names = columns(header)
    return len(names) > 1 and any(name in names for name in JOB_ID) and "submit" in names


def columns(header: str) -> list[str]:
    """The columns' names in lower case, in their order."""
    return [name.strip().lower() for name in header.split(_delimiter(header))]


def rows(lines: Iterable[str]) -> Iterator[Row | None]:
    """A row of each job after the header; None for one with more or fewer fields than the header.

    Steps (`12.batch`, `12.0`) are passed over: their job has a row of its own.
    """
    rest = iter(lines)
    header = next(rest, "")
    names, delimiter = columns(header), _delimiter(header)
    for line in rest:
        fields = line.rstrip("\r\n").split(delimiter)
        if fields == [""]:
            continue
        row = dict(zip(names, fields, strict=False))
        if "." not in first(row, JOB_ID):
            yield row if len(fields) == len(names) else None


def first(row: Row, names: tuple[str, ...]) -> str:
    """The first of these columns that says something."""
    return next((row[name].strip() for name in names if row.get(name, "").strip()), "")


def _delimiter(header: str) -> str:
    return OWN_DELIMITER if OWN_DELIMITER in header else "|"

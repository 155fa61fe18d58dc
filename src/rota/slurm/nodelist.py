"""Slurm's lists of nodes, written out: `gpu[01-03,07],login` (scontrol(1), hostnames)."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: slurm.conf(5) allows 64,000 nodes in one such expression (MAX_SLURM_NODES of 22.05); more is no list of nodes.
MOST_NODES = 65_536
_PART = re.compile(r"(?:[^,\[\]]|\[[^\[\]]*\])+")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)


def node_names(text: str) -> tuple[str, ...]:
    """The names in a list, in its order; what is no list is one name, and `(null)` or nothing is none.

    >>> node_names("gpu[08-10,12],r[1-2]n[1-2],login")
    ('gpu08', 'gpu09', 'gpu10', 'gpu12', 'r1n1', 'r1n2', 'r2n1', 'r2n2', 'login')
    """
    text = text.strip()
    if text in ("", "(null)", "None assigned"):
        return ()
    parts = _PART.findall(text)
    if ",".join(parts) != text:
        return (text,)
    try:
        return tuple(name for part in parts for name in _names(part, MOST_NODES // len(parts)))
    except ValueError:
        return (text,)


def _names(part: str, most: int) -> Iterator[str]:
    """One comma's worth. Raises ValueError for brackets that hold no ranges, or more than `most` names."""
    brackets = _BRACKETS.search(part)
    if brackets is None:
        yield part
        return
    for entry in brackets[1].split(","):
        ends = _RANGE.fullmatch(entry)
        if ends is None:
            raise ValueError(entry)
        first, last = ends[1], ends[2] or ends[1]
        if not 0 <= int(last) - int(first) < most:
            raise ValueError(entry)
        for number in range(int(first), int(last) + 1):
            name = f"{part[: brackets.start()]}{number:0{len(first)}}"
            yield from (name + rest for rest in _names(part[brackets.end() :], most // (int(last) - int(first) + 1)))

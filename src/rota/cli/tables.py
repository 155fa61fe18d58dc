"""Plain columns: as wide as they need to be, Korean names included, the last one cut to the terminal."""

from __future__ import annotations

import re
import shutil
import sys
import unicodedata
from collections.abc import Sequence

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def width(text: str) -> int:
    """Columns that a text takes on a terminal; colours take none, wide characters two.

    >>> width("abc"), width("김민수")
    (3, 6)
    """
    text = _COLOUR.sub("", text)
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Heads and rows in columns. On a terminal the last column is cut to its width; elsewhere nothing is."""
    cells = [tuple(heads), *(tuple(_printable(cell) for cell in row) for row in rows)]
    widths = [max(width(row[column]) for row in cells) for column in range(len(heads) - 1)]
    lines = []
    for row in cells:
        padded = [cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=False)]
        lines.append("  ".join([*padded, row[-1]]).rstrip())
    if sys.stdout.isatty():
        columns = shutil.get_terminal_size().columns
        lines = [_cut(line, columns) for line in lines]
    return "\n".join(lines)


def _printable(cell: str) -> str:
    """Control characters in a job's name must not move the cursor of who lists it."""
    pieces = _COLOUR.split(cell)
    if all(piece.isprintable() for piece in pieces):
        return cell
    return "".join(c if c.isprintable() else "?" for piece in pieces for c in piece)


def _cut(line: str, columns: int) -> str:
    if width(line) <= columns:
        return line
    taken, out = 0, ""
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if _COLOUR.fullmatch(part):
            out += part
            continue
        for character in part:
            if taken + width(character) > columns - 1:
                return out + "…" + ("\x1b[0m" if "\x1b" in out else "")
            out, taken = out + character, taken + width(character)
    return out

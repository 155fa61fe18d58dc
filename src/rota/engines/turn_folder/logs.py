"""Reading what a turn printed, also while it prints, and with a hole in the middle."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from rota.engines.keeper import files

PIECE_BYTES = 1 << 20  # of one answer
_HOLE = re.compile(rb"\0{4096,}")


def log_reader(turns_dir: Path) -> Callable[[str, int, int | None], tuple[str, int, bool]]:
    """A reader of turns' logs by turn id."""

    def read(turn: str, offset: int, tail_lines: int | None) -> tuple[str, int, bool]:
        return read_log(turns_dir / turn / files.LOG, offset, tail_lines)

    return read


def read_log(path: Path, offset: int, tail_lines: int | None = None) -> tuple[str, int, bool]:
    """A piece of the log from that byte on: its text, where to go on, and whether everything so far was read.

    With `tail_lines` it begins at the last so many lines. What was let go in the middle becomes one line that says so.
    """
    try:
        log = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return "", 0, True
    try:
        size = os.fstat(log).st_size
        if tail_lines is not None:
            offset = _start_of_tail(log, size, tail_lines)
        piece, next_offset = _read_piece(log, offset, size)
        return piece, next_offset, next_offset >= size
    finally:
        os.close(log)


def _read_piece(log: int, offset: int, size: int) -> tuple[str, int]:
    """Skips a hole without reading its zeros (lseek(2), SEEK_DATA)."""
    try:
        data_at = os.lseek(log, offset, os.SEEK_DATA)
    except OSError:  # nothing but a hole, or the end
        data_at = min(offset, size)
    note = _let_go(data_at - offset) if data_at > offset else ""
    piece = os.pread(log, PIECE_BYTES, data_at)
    hole = _HOLE.search(piece)
    if hole and hole.end() == len(piece) and data_at + len(piece) < size:
        piece = piece[: hole.start()] or piece  # the hole begins here: the next piece skips it
    whole = _whole_characters(piece, data_at + len(piece) >= size)
    text = _HOLE.sub(lambda gap: _let_go(len(gap[0])).encode(), piece[:whole]).decode(errors="replace")
    return note + text, data_at + whole


def _whole_characters(piece: bytes, is_end: bool) -> int:
    """How much of the piece can be decoded without cutting a character in two."""
    for back in range(1, min(4, len(piece)) + 1):
        byte = piece[-back]
        if byte < 0x80:
            break
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(piece) - back if back < length and not is_end else len(piece)
    return len(piece)


def _let_go(gap_bytes: int) -> str:
    return f"\n[... {gap_bytes / 2**20:,.0f} MB of output were let go here to spare the disk ...]\n"


def _start_of_tail(log: int, size: int, lines: int) -> int:
    """The byte at which the last so many lines begin, looked for from the end."""
    if lines == 0:
        return size
    begin, tail = size, b""
    while begin > 0 and tail.count(b"\n") <= lines and len(tail) < 64 * PIECE_BYTES:
        step = min(PIECE_BYTES, begin)
        begin -= step
        tail = os.pread(log, step, begin) + tail
    body = tail[:-1] if tail.endswith(b"\n") else tail
    position = len(body)
    for _ in range(lines):
        position = body.rfind(b"\n", 0, position)
        if position < 0:
            return begin
    return begin + position + 1

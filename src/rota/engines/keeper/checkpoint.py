"""Whether the checkpoint was renewed and is whole: a file, a folder, or a glob.

Renewed: something in it is newer than at the last complete state. Whole: a new file was renamed into place, or nothing
has changed for `settle_s` and nobody has it open for writing.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable, Iterator
from typing import NamedTuple

MOST_FILES = 20_000  # of a folder that are looked at; a look must stay far below a second
KEPT_INTERVALS = 9  # of which the median is taken
#: Names that mean "not yet", as frameworks write them while they save.
_UNFINISHED = (".tmp", ".part", ".partial", "~")
_MARKER = "checkpoint-is-incomplete"  # Hugging Face Trainer, while it writes a folder


class Signature(NamedTuple):
    """What a checkpoint looks like. Two equal ones are the same checkpoint."""

    newest_ns: int
    newest_inode: int
    size: int
    files: int
    is_file: bool
    is_unfinished: bool
    path: str  #: of the newest file


def look_at(pattern: str) -> Signature | None:
    """The checkpoint now; None when there is nothing yet."""
    newest: tuple[int, int, str] | None = None
    size = files = 0
    is_unfinished = False
    matches = glob.glob(pattern, recursive=True) if glob.has_magic(pattern) else [pattern]
    for path, found in _files(matches):
        name = os.path.basename(path)
        is_unfinished = is_unfinished or _MARKER in name
        if name.endswith(_UNFINISHED) or _MARKER in name:
            continue
        size, files = size + found.st_size, files + 1
        candidate = (found.st_mtime_ns, found.st_ino, path)
        newest = max(newest, candidate) if newest else candidate
    if newest is None:
        return None
    is_file = len(matches) == 1 and newest[2] == pattern
    return Signature(newest[0], newest[1], size, files, is_file, is_unfinished, newest[2])


def _files(matches: list[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Every regular file among the matches and below them, up to the limit."""
    left, ahead = MOST_FILES, list(matches)
    while ahead and left > 0:
        path = ahead.pop()
        try:
            found = os.stat(path)
            if stat.S_ISDIR(found.st_mode):
                ahead.extend(os.path.join(path, name) for name in os.listdir(path))
                continue
        except OSError:
            continue  # renamed away between the two looks
        if stat.S_ISREG(found.st_mode):
            left -= 1
            yield path, found


def _was_renamed_into_place(before: Signature | None, seen: Signature) -> bool:
    """A file that is another one than at the last look: nobody writes a checkpoint under its final name from scratch
    except the first one, and that has none before it."""
    return seen.is_file and before is not None and seen.newest_inode != before.newest_inode


class Watch:
    """One checkpoint over one turn."""

    def __init__(self, pattern: str, settle_s: float, is_being_written: Callable[[str], bool]) -> None:
        self._pattern, self._settle_s, self._is_being_written = pattern, settle_s, is_being_written
        self._whole = look_at(pattern)
        self._seen, self._seen_since = self._whole, 0.0
        self._times: list[float] = []
        self.saved_at: float | None = None  #: wall clock of the last complete renewal in this turn

    def look(self, now: float, wall: float, is_last: bool = False) -> bool:
        """Whether a renewal has just become complete. `now` is monotonic; `is_last`: nobody can write any more."""
        seen = look_at(self._pattern)
        if seen is None or seen == self._whole:
            self._seen = seen
            return False
        if seen != self._seen:
            before, self._seen, self._seen_since = self._seen, seen, now
            if not is_last and not _was_renamed_into_place(before, seen):
                return False
        elif not is_last and now - self._seen_since < self._settle_s:
            return False
        if seen.is_unfinished or (seen.is_file and not is_last and self._is_being_written(seen.path)):
            return False
        return self._take(seen, now, wall)

    def _take(self, seen: Signature, now: float, wall: float) -> bool:
        is_newer = self._whole is None or seen.newest_ns >= self._whole.newest_ns
        changed = self._whole is None or (seen.newest_ns, seen.newest_inode) != self._whole[:2]
        self._whole = seen
        if not (is_newer and changed):  # an old one was cleared away
            return False
        self.saved_at = wall
        self._times = [*self._times[-KEPT_INTERVALS:], now]
        return True

    def interval_s(self) -> float | None:
        """The median time between renewals; None before there were two."""
        gaps = sorted(after - before for before, after in zip(self._times, self._times[1:]))
        return gaps[len(gaps) // 2] if gaps else None

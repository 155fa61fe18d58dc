"""The turn's log: what a job prints may be endless, the disk is not."""

from __future__ import annotations

import contextlib
import os

from rota.engines.keeper.kernel import punch_hole

BLOCK_BYTES = 4096
HEAD_PART = 4  # a quarter of what is kept is the beginning


def open_log(path: str) -> int:
    """Append-only, closed when the job is executed (it gets duplicates). Raises OSError."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)


class LogRoom:
    """Gives the middle of a long log back to the disk. Offsets stay as they are; the middle reads as zeros."""

    def __init__(self, log: int, keep_bytes: int) -> None:
        self._log, self._keep_bytes = log, keep_bytes
        self._head = keep_bytes // HEAD_PART // BLOCK_BYTES * BLOCK_BYTES
        self._punched_to = self._head

    def make_room(self) -> None:
        """Punch out what is neither the beginning nor the end. File systems that cannot are left alone."""
        size = os.fstat(self._log).st_size
        end = (size - (self._keep_bytes - self._head)) // BLOCK_BYTES * BLOCK_BYTES
        if end > self._punched_to:
            with contextlib.suppress(OSError):
                punch_hole(self._log, self._punched_to, end - self._punched_to)
                self._punched_to = end

"""One daemon per state folder: the second is told who holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from rota.errors import AlreadyRunning


def hold_state_dir(state_dir: Path) -> int:
    """Take the folder for this process; the lock ends with the process, however it ends.

    Returns the file descriptor that carries the lock. Raises AlreadyRunning.
    """
    lock = os.open(state_dir / "daemon.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise AlreadyRunning(
            f"Another Rota (process {holder}) serves {state_dir} already.\n"
            f"Use it as it is, or stop it first: kill {holder}"
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock

"""The turn directory: everything that passes between an engine and a keeper.

order.json   engine -> keeper: what to run (holds the job's environment, so mode 0600)
lock         flock held from before the keeper starts until it has gone, however it goes
begun.json   keeper: written and on disk BEFORE the job is started; who finds it never starts the job again
end.json     engine -> keeper: how to end the turn; SIGUSR1 says "look now"
state.json   keeper: the latest save, progress, notice; may be lost with the power
exit.json    keeper: the last thing it writes, on disk, when no process of the turn is left
alive        keeper under Slurm: a number that changes as long as it lives
log          what the job prints
member/      the member's own folder: notice, result, progress
"""

from __future__ import annotations

import contextlib
import json
import os

ORDER, LOCK, BEGUN, END, STATE, EXIT, ALIVE, LOG = (
    "order.json", "lock", "begun.json", "end.json", "state.json", "exit.json", "alive", "log",
)  # fmt: skip
MEMBER = "member"
MOST_CHARACTERS = 16 * 2**20  # an order holds a whole environment
NOTICE, RESULT, PROGRESS = "notice", "result", "progress"


def read_json(path: str) -> dict[str, object] | None:
    """The object in a file; None when there is none, or when a power cut left it unreadable."""
    try:
        # The folder may be its member's own: a link would lend the daemon's rights, a pipe would stop it.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(file, encoding="utf-8") as reader:
            found = json.loads(reader.read(MOST_CHARACTERS))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_json(path: str, value: dict[str, object], *, is_durable: bool, mode: int = 0o644) -> None:
    """Put a file in place whole or not at all; durable: it is on disk when this returns. Raises OSError."""
    draft = _write_draft(path, value, is_durable, mode)
    os.rename(draft, path)
    if is_durable:
        sync_folder(os.path.dirname(path))


def write_json_once(path: str, value: dict[str, object], mode: int = 0o644) -> None:
    """Like a durable `write_json`, but raises FileExistsError when the file is there already."""
    draft = _write_draft(path, value, True, mode)
    try:
        os.link(draft, path)
    finally:
        os.unlink(draft)
    sync_folder(os.path.dirname(path))


def sync_folder(path: str) -> None:
    """Make the names in a folder survive a power cut."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_draft(path: str, value: dict[str, object], is_durable: bool, mode: int) -> str:
    draft = f"{path}.{os.getpid()}.tmp"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(draft)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    with os.fdopen(file, "w", encoding="utf-8") as writer:
        json.dump(value, writer)
        writer.flush()
        if is_durable:
            os.fsync(file)
    return draft

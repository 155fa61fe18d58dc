"""What couriers bring, put into the daemon's folder of the turn as the keeper would have put it there.

Whoever sent it has the turn's member's rights, so only what a keeper writes is taken, and no more of it than fits.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from rota.engines.keeper import files
from rota.engines.keeper.log import LogRoom, open_log

MOST_OF_A_FILE = 2**16
MOST_OF_A_PIECE = 2**18
TAKEN = (files.BEGUN, files.STATE, files.ALIVE, files.EXIT)
NEWS = (files.BEGUN, files.STATE, files.EXIT)  # the engine is to look at these now


def is_durable(name: object) -> bool:
    """Whether the sender forgets it, or goes by it, once we have it."""
    return name in (files.BEGUN, files.EXIT)


def take_file(folder: Path, name: object, text: bytes) -> None:
    """One of the keeper's files, whole. Raises ValueError for anything else, OSError when it cannot be written."""
    if name not in TAKEN or len(text) > MOST_OF_A_FILE or not isinstance(found := json.loads(text), dict):
        raise ValueError(f"not a file of a keeper: {name}")
    path = str(folder / str(name))
    if name != files.EXIT:
        files.write_json(path, found, is_durable=is_durable(name))
        return
    with contextlib.suppress(FileExistsError):  # the engine has told the turn as over
        files.write_json_once(path, found)


def log_size(folder: Path) -> int:
    """How much of the log is here, in bytes."""
    try:
        return (folder / files.LOG).stat().st_size
    except OSError:
        return 0


def take_log(folder: Path, begin: object, piece: bytes, keep_bytes: int) -> int:
    """A piece of the log that belongs at that byte; how much there is now.

    What was let go on the node is a hole here too, and a long log loses its middle here as it does there. What is here
    already is not written again. Raises ValueError, OSError.
    """
    if not isinstance(begin, int) or len(piece) > MOST_OF_A_PIECE:
        raise ValueError("not a piece of a log")
    log = open_log(str(folder / files.LOG))
    try:
        size = os.fstat(log).st_size
        if begin >= size:
            os.ftruncate(log, begin)  # pwrite would append: open(2), O_APPEND
            os.write(log, piece)
            LogRoom(log, keep_bytes).make_room()
        return os.fstat(log).st_size
    finally:
        os.close(log)

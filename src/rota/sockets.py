"""Unix sockets in folders of any depth.

A socket's own path may have 107 bytes (unix(7)); through the folder's descriptor it is short wherever the folder is.
Standard library only: the command line and the keeper import it too.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def short_path(path: str | os.PathLike[str]) -> Iterator[str]:
    """A short name for a socket, for bind and connect. Raises OSError when its folder is not there."""
    folder, name = os.path.split(os.fspath(path))
    handle = os.open(folder or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{name}"
    finally:
        os.close(handle)

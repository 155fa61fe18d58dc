"""How a turn begins on a node that shares no folder with the daemon: its script carries all that it needs.

This text is what Python is started with (see engines/slurm/parcel.py), so it imports nothing of ours until it has
unpacked it. It makes the turn's folder, its member's alone, and goes on there as the turn's courier.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import stat
import sys
import zlib

MARK = "\n# What the turn needs:\n"  # the rest of the script is the parcel


def main() -> None:
    """`unpack SCRIPT FOLDER`."""
    script, folder = sys.argv[1:3]
    with open(script, encoding="ascii") as file:
        parcel = json.loads(zlib.decompress(base64.b64decode(file.read().rpartition(MARK)[2])))
    os.umask(0o077)
    os.makedirs(folder, exist_ok=True)
    found = os.lstat(folder)  # the folder above it may be everybody's: a link or a stranger's folder is no place for us
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        sys.exit(f"{folder} on {os.uname().nodename} is not this member's own.")
    lock = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return  # another job of the same turn is at work here
    for name, text in parcel["files"].items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    sys.dont_write_bytecode = True  # nobody would read it again
    sys.path.insert(0, os.path.join(folder, parcel["library"]))
    from rota.engines.keeper.courier import deliver  # noqa: PLC0415

    sys.exit(deliver(folder, parcel))


if __name__ == "__main__":
    main()

"""A control group (version 2) around a job, where one can be made: what is in it ends with one write.

Without one, the keeper's place as subreaper does the same work process by process.
"""

from __future__ import annotations

import contextlib
import os

PREFIX = "rota-turn-"


def candidates(mountinfo: str, own: str) -> list[str]:
    """Folders in which a group might be made, from /proc/self/mountinfo and /proc/self/cgroup: the top one first.

    At the top, a job is out of the daemon's own group, so that stopping the service does not stop turns.
    """
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        if after.startswith("cgroup2 "):
            mount = before.split(" ")[4]
            path = next((entry[3:] for entry in own.splitlines() if entry.startswith("0::")), "/")
            return list(dict.fromkeys((mount, os.path.normpath(mount + path))))
    return []


def make_group(name: str) -> str | None:
    """The path of a new, empty group; None when the kernel or our rights do not allow one."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
            mountinfo = file.read()
        with open("/proc/self/cgroup", encoding="utf-8", errors="replace") as file:
            own = file.read()
    except OSError:
        return None
    for folder in candidates(mountinfo, own):
        path = f"{folder}/{PREFIX}{name}"
        try:
            os.mkdir(path)
        except OSError:
            continue
        if os.access(f"{path}/cgroup.procs", os.W_OK) and os.path.exists(f"{path}/cgroup.kill"):
            return path
        remove_group(path)
    return None


def join_group(path: str) -> None:
    """Put the calling process into the group. Raises OSError."""
    _write(f"{path}/cgroup.procs", b"0")


def kill_group(path: str) -> None:
    """SIGKILL to everything in the group, also to what is being forked. A group that is gone is no error."""
    with contextlib.suppress(OSError):
        _write(f"{path}/cgroup.kill", b"1")


def members_of(path: str) -> list[int]:
    """Process ids in the group."""
    try:
        with open(f"{path}/cgroup.procs", encoding="ascii") as file:
            return [pid for pid in map(int, file.read().split()) if pid]
    except (OSError, ValueError):
        return []


def remove_group(path: str) -> None:
    """Remove an empty group; one that is still in use is left."""
    with contextlib.suppress(OSError):
        os.rmdir(path)


def _write(path: str, text: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(file, text)
    finally:
        os.close(file)

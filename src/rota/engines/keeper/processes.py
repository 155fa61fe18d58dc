"""Processes as /proc shows them: which belong to a turn, what they catch, and signals that never hit a stranger."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Process(NamedTuple):
    """A process, told from a later one of the same number by its start time (clock ticks since boot)."""

    pid: int
    parent: int
    state: str
    started: int


def read_process(pid: int) -> Process | None:
    """The process of that number now; None when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    # The name, in parentheses, may hold spaces and parentheses itself: fields are counted from its end.
    fields = text[text.rfind(b")") + 2 :].split()
    if len(fields) < 20:
        return None
    return Process(pid, int(fields[1]), fields[0].decode(), int(fields[19]))


def all_processes() -> Iterator[Process]:
    """Every process that /proc lists."""
    for name in os.listdir("/proc"):
        if name.isdigit() and (process := read_process(int(name))) is not None:
            yield process


def descendants(of: int, without: Iterable[int] = ()) -> list[Process]:
    """Living processes below `of`, parents before children. Complete below a subreaper: nothing can leave its tree."""
    children: dict[int, list[Process]] = {}
    for process in all_processes():
        children.setdefault(process.parent, []).append(process)
    left_out, found, ahead = set(without), [], [of]
    while ahead:
        for process in children.get(ahead.pop(0), ()):
            if process.pid not in left_out:
                ahead.append(process.pid)
                found.append(process)
    return [process for process in found if process.state not in "ZX"]


def with_mark(mark: bytes) -> list[Process]:
    """Living processes that were executed with this `NAME=value` in their environment."""
    found = []
    for process in all_processes():
        try:
            with open(f"/proc/{process.pid}/environ", "rb") as file:
                has_mark = mark in file.read().split(b"\0")
        except OSError:
            continue
        if has_mark and process.state not in "ZX":
            found.append(process)
    return found


def writers_of(path: str, among: Iterable[Process]) -> list[Process]:
    """Those that have the file open for writing."""
    return [process for process in among if _is_writing(process.pid, path)]


def _is_writing(pid: int, path: str) -> bool:
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            if os.readlink(f"/proc/{pid}/fd/{name}") == path and _open_flags(pid, name) & os.O_ACCMODE != os.O_RDONLY:
                return True
    return False


def _open_flags(pid: int, name: str) -> int:
    with open(f"/proc/{pid}/fdinfo/{name}", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("flags:"):
                return int(line.split()[1], 8)
    return 0


def catches(pid: int, number: int) -> bool:
    """Whether the process has a handler for that signal (SigCgt in /proc/PID/status)."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("SigCgt:"):
                    return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    except (OSError, ValueError):
        pass
    return False


def send(process: Process, number: int) -> bool:
    """Signal exactly this process, never a later one of the same number. False when it has gone."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        now = read_process(process.pid)
        if now is None or now.started != process.started:
            return False
        signal.pidfd_send_signal(handle, number)
        return True
    except OSError:
        return False
    finally:
        os.close(handle)


def boot_id() -> str:
    """Changes with every boot of the machine; empty when the kernel does not say."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""

"""What is left of a turn whose keeper was killed: found and ended before its GPUs are given to anybody."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from rota.engines.keeper.cgroup import PREFIX, candidates, kill_group, members_of, remove_group
from rota.engines.keeper.processes import Process, read_process, send, with_mark

GIVE_UP_S = 20.0  # a process in uninterruptible sleep (a dead NFS server) cannot be killed by anybody


def sweep(turn: str, folder: Path) -> bool:
    """Kill every process of the turn. Returns whether none is left."""
    # The folder too: two Rotas on one machine both have a turn 1.1.
    mark = f"ROTA_TURN_DIR={folder}".encode()
    give_up_at = time.monotonic() + GIVE_UP_S
    while leftovers := _leftovers(turn, mark):
        if time.monotonic() > give_up_at:
            return False
        for process in leftovers:
            send(process, signal.SIGKILL)
        time.sleep(0.02)
    return True


def _leftovers(turn: str, mark: bytes) -> list[Process]:
    found = {process.pid: process for process in with_mark(mark) if process.pid != os.getpid()}
    for group in _groups(turn):
        pids = members_of(group)
        if not any(pid in found for pid in pids) and pids:
            continue  # a turn of that number of another Rota
        if not pids:
            remove_group(group)
            continue
        kill_group(group)
        for pid in pids:
            process = read_process(pid)
            if process is not None and process.state not in "ZX":
                found[pid] = process
    return list(found.values())


def _groups(turn: str) -> list[str]:
    """Control groups that a keeper made for a turn of this number."""
    try:
        mountinfo, own = Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text()
    except OSError:
        return []
    folders = [Path(folder) for folder in candidates(mountinfo, own)]
    return [str(group) for folder in folders for group in folder.glob(f"{PREFIX}{turn}*") if group.is_dir()]

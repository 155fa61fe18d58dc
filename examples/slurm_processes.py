"""The processes of a throw-away Slurm cluster: how they are found, and how they all end.

    python examples/slurm_processes.py CLUSTER

waits until its input is closed, which the end of whoever started it does in any case, then ends what is left of the
cluster. slurm_cluster.py starts one beside each cluster.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path


def processes_of(cluster: str, node: str = "") -> set[int]:
    """The daemons, steps and jobs of a cluster, or of one node of it, and all that they started.

    Slurm tells each job its cluster's name and its node's; slurm_cluster.py tells the daemons the same.
    """
    marks = {f"SLURM_CLUSTER_NAME={cluster}".encode()}
    if node:
        marks.add(f"SLURMD_NODENAME={node}".encode())
    found: set[int] = set()
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, parent = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            variables = set((entry / "environ").read_bytes().split(b"\0"))
        except (OSError, ValueError):  # it has ended meanwhile, or belongs to somebody else
            continue
        if state == "Z":
            continue
        children.setdefault(int(parent), []).append(int(entry.name))
        if marks <= variables:
            found.add(int(entry.name))
    unseen = list(found)
    while unseen:
        new = [child for child in children.get(unseen.pop(), []) if child not in found]
        found.update(new)
        unseen.extend(new)
    return found


def end_processes_of(cluster: str, node: str = "") -> None:
    """SIGKILL to all of them, until none is left. All stop first, so that none reports the end of another to Slurm."""
    while found := processes_of(cluster, node):
        for how in (signal.SIGSTOP, signal.SIGKILL):
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
        time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cluster", help="its ClusterName")
    parser.add_argument("--node", default="", help="only this node's processes")
    parser.add_argument("--remove", type=Path, metavar="FOLDER", help="remove the cluster's folder afterwards")
    wanted = parser.parse_args()
    sys.stdin.buffer.read()
    end_processes_of(wanted.cluster, wanted.node)
    if wanted.remove:
        shutil.rmtree(wanted.remove, ignore_errors=True)


if __name__ == "__main__":
    main()

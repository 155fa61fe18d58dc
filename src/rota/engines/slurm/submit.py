"""sbatch for one turn: where the policy put it, as its member, with the keeper as the script. Pure."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from rota.domain.gpus import Fleet, Gpu, Node
from rota.engines.contract import StartOrder
from rota.engines.slurm.name import comment_prefix, job_name
from rota.engines.slurm.settings import SlurmSite

_BOOT = "import sys; sys.path.insert(0, sys.argv[2]); from rota.engines.keeper.main import main; main()"
OUTPUT = "slurm.out"  # in the turn's folder: what the keeper itself, or a shell without Python, has to say
LEAST_MEMORY_BYTES = 2**30  # a node that says less has not been told its memory (RealMemory=1, slurm.conf(5))
WARNED_BEFORE_S = 600  # of a limit of Slurm's own
SHORTEST_LIMIT_S = 1200


def batch_words(
    order: StartOrder, output: Path, site_name: str, site: SlurmSite, fleet: Fleet, limit_s: float | None, is_root: bool
) -> list[str]:
    """The command line of sbatch. `output`: for what the script itself says, on its node; `limit_s`: the longest time
    that the partition allows."""
    per_node = Counter(gpu.node for gpu in order.gpus)
    tasks = max(per_node.values()) if len(per_node) > 1 else 1
    cpus, memory_bytes = _share(order, fleet, max(per_node.values()))
    words = [
        "sbatch", "--parsable", "--no-requeue", "--open-mode=append", "--chdir=/",
        f"--job-name={job_name(order)}", f"--comment={comment_prefix(site_name)}{order.turn}",
        f"--output={output}", f"--nodes={len(per_node)}", f"--nodelist={','.join(sorted(per_node))}",
        f"--ntasks-per-node={tasks}", f"--cpus-per-task={max(cpus // tasks, 1)}",
        f"--gres={gres(order.gpus)}",
    ]  # fmt: skip
    if memory_bytes:
        words.append(f"--mem={memory_bytes >> 20}M")
    if limit_s is not None and limit_s >= SHORTEST_LIMIT_S:
        words += [f"--time={limit_s / 60:.0f}", f"--signal=B:USR2@{WARNED_BEFORE_S}"]
    elif limit_s is not None:
        words.append(f"--time={limit_s / 60:.0f}")
    else:
        words.append("--time=UNLIMITED")
    if site.partition:
        words.append(f"--partition={site.partition}")
    if is_root and order.launch.uid:
        words += [f"--uid={order.launch.uid}", f"--gid={order.launch.gid}"]
    return [*words, *site.options]


def batch_script(folder: Path, library: Path, python: str) -> str:
    """The job's script becomes the keeper itself, so that Slurm's signals to the script reach it."""
    words = [python, "-I", "-S", "-c", _BOOT, str(folder), str(library)]
    return f"#!/bin/sh\nexec {shlex.join(words)}\n"


def gres(gpus: tuple[Gpu, ...]) -> str | None:
    """What each node gives; None when they do not all give the same: sbatch can ask for nothing else.

    By the types that Slurm knows them by, which are the models of the GPUs of a Slurm fleet; a tier may hold several.
    """
    by_node: dict[str, Counter[str]] = {}
    for gpu in gpus:
        by_node.setdefault(gpu.node, Counter())[gpu.model] += 1
    asked = {
        ",".join(f"gpu:{kind}:{count}" if kind else f"gpu:{count}" for kind, count in sorted(counts.items()))
        for counts in by_node.values()
    }
    return asked.pop() if len(asked) == 1 else None


def _share(order: StartOrder, fleet: Fleet, per_node: int) -> tuple[int, int]:
    """CPUs and host memory in bytes on each node: what was asked for, else the GPUs' part of the node (0: unknown)."""
    nodes: Mapping[str, Node] = {node.name: node for node in fleet.nodes}
    least: list[tuple[int, int]] = []
    for name in {gpu.node for gpu in order.gpus} & nodes.keys():
        of_node = max(sum(gpu.node == name for gpu in fleet.gpus), 1)
        least.append((nodes[name].cpus * per_node // of_node, nodes[name].memory_bytes * per_node // of_node))
    cpus, memory_bytes = (min(part) for part in zip(*least, strict=True)) if least else (1, 0)
    if memory_bytes < LEAST_MEMORY_BYTES * per_node // 8:
        memory_bytes = 0
    return order.cpus or max(cpus, 1), order.memory_bytes or memory_bytes

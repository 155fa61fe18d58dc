"""How many GPUs, processors and how much memory sbatch's options ask for in all.

sbatch counts by node, by task, by GPU; Rota's job has totals. Where options of the same kind disagree, the one that was
given last counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from rota.domain.counts import say_count
from rota.domain.sizes import parse_size_bytes
from rota.errors import BadRequest
from rota.slurm.sbatch_options import Given

_NODES = re.compile(r"(\d{1,6})(?:-\d{1,6})?(?:[:,][\d:,-]*)?", re.ASCII)
MOST = 100_000

Latest = Mapping[str, Given]  #: by name, in the order in which they were last given


@dataclass(frozen=True, slots=True)
class Resources:
    """What a job asks for, all its nodes and tasks together."""

    gpus: int = 0
    kind: str = ""  #: the GPUs' type in Slurm; "": any
    cpus: int = 0  #: 0: not asked
    memory_bytes: int = 0  #: 0: not asked
    nodes: int = 1
    tasks: int = 1
    cpus_per_task: int = 0  #: 0: not asked
    remarks: tuple[str, ...] = ()


def resources_of(latest: Latest) -> Resources:
    """The totals. Raises BadRequest, with where it stands."""
    nodes = _nodes(latest)
    tasks = _tasks(latest, nodes)
    kind, gpus, remarks = _gpus(latest, nodes, tasks or nodes)
    if not tasks:
        tasks = _count(latest, "ntasks-per-gpu") * gpus or nodes
    of_task = _tres_per_task(latest)
    per_task = _count(latest, "cpus-per-task") or of_task.get("cpu", 0)
    cpus = _cpus(latest, nodes, tasks, gpus, per_task)
    memory_bytes, said = _memory(latest, nodes, cpus or tasks, gpus)
    if nodes > 1 and gpus:
        said = (*said, f"--nodes={nodes}: {say_count(gpus, 'GPU')} in all, on one node when they fit there")
    return Resources(gpus, kind, cpus, memory_bytes, nodes, tasks, per_task, (*remarks, *said))


def _nodes(latest: Latest) -> int:
    given = latest.get("nodes")
    if given is not None:
        match = _NODES.fullmatch(given.value)
        if not match or not 0 < int(match[1]) <= MOST:
            raise _wrong(given, "is not a number of nodes. Write it like 2, or 2-4")
        return int(match[1])
    by_node = _count(latest, "ntasks-per-node") or _count(latest, "tasks-per-node")
    return max(math.ceil(_count(latest, "ntasks") / by_node), 1) if by_node else 1


def _tasks(latest: Latest, nodes: int) -> int:
    """0: as many as follow from the GPUs."""
    by_node = _count(latest, "ntasks-per-node") or _count(latest, "tasks-per-node")
    return _count(latest, "ntasks") or by_node * nodes


def _gpus(latest: Latest, nodes: int, tasks: int) -> tuple[str, int, tuple[str, ...]]:
    """Type, number in all, and remarks."""
    times = {
        "gpus": 1, "gpus-per-node": nodes, "gpus-per-socket": nodes, "gpus-per-task": tasks, "gres": nodes,
        "tres-per-task": tasks,
    }  # fmt: skip
    found = ("", 0)
    remarks: list[str] = []
    for name, given in latest.items():
        if name not in times:
            continue
        if name in ("gres", "tres-per-task"):
            entries = [entry for entry in given.value.replace("gres/", "").replace("gres:", "").split(",") if entry]
            wanted = [entry for entry in entries if re.match(r"gpu(?![\w])", entry)]
            others = [entry for entry in entries if entry not in wanted and name == "gres" and entry != "none"]
            remarks += [f"--gres={entry}: Rota shares GPUs only" for entry in others]
            wanted = [entry[3:].lstrip(":=") or "1" for entry in wanted]
        else:
            wanted = given.value.split(",")
        if wanted:
            kind, count = _typed(wanted, given)
            found = (kind, count * times[name])
    return (*found, tuple(remarks))


def _typed(wanted: list[str], given: Given) -> tuple[str, int]:
    """`2`, `h100:2`, `h100`, `h100=2`."""
    if len(wanted) > 1:
        raise _wrong(given, "names several types of GPU, and a job's GPUs are all of one. Split it into two jobs")
    kind, _, count = wanted[0].replace("=", ":").rpartition(":")
    if not count.isdigit() and given.name in ("gres", "tres-per-task"):
        kind, count = wanted[0], "1"
    is_count = count.isascii() and count.isdigit() and int(count[:7]) <= MOST
    if not is_count or not all(c.isalnum() or c in "._-" for c in kind):
        raise _wrong(given, "is not a number of GPUs. Write it like 2, or h100:2")
    return kind.lower(), int(count)


def _tres_per_task(latest: Latest) -> dict[str, int]:
    """Processors of `--tres-per-task=cpu:4,gres/gpu:1` (since 23.11)."""
    given = latest.get("tres-per-task")
    found = {}
    for entry in given.value.split(",") if given else ():
        name, _, count = entry.replace("=", ":").partition(":")
        if name == "cpu":
            found[name] = _number(Given("tres-per-task", count, given.where if given else ""))
    return found


def _cpus(latest: Latest, nodes: int, tasks: int, gpus: int, per_task: int) -> int:
    cpus = per_task * tasks
    if not cpus:
        cpus = _count(latest, "cpus-per-gpu") * gpus or (tasks if tasks > nodes or "ntasks" in latest else 0)
    return max(cpus, _count(latest, "mincpus") * nodes)


def _memory(latest: Latest, nodes: int, cpus: int, gpus: int) -> tuple[int, tuple[str, ...]]:
    """Bytes in all, and remarks."""
    times = {"mem": nodes, "mem-per-cpu": cpus, "mem-per-gpu": gpus or 1}
    name = next((name for name in reversed(list(latest)) if name in times), None)
    if name is None:
        return 0, ()
    given = latest[name]
    if given.value.strip("0") in ("", "K", "M", "G", "T"):
        return 0, (f"--{name}=0: Rota has no word for all of a node's memory; say how much with --mem",)
    try:
        return parse_size_bytes(given.value) * times[name], ()
    except BadRequest as wrong:
        raise at_line(given, str(wrong)) from None


def _count(latest: Latest, name: str) -> int:
    """0 when it is not there."""
    return _number(latest[name]) if name in latest else 0


def _number(given: Given) -> int:
    if not given.value.isascii() or not given.value.isdigit() or not 0 < int(given.value[:7]) <= MOST:
        raise _wrong(given, "is not a number of at least 1")
    return int(given.value)


def _wrong(given: Given, what: str) -> BadRequest:
    return at_line(given, f"--{given.name}={given.value} {what}.")


def at_line(given: Given, message: str) -> BadRequest:
    """The error with where the option stands."""
    where = given.where[:1].upper() + given.where[1:]
    return BadRequest(f"{where}: {message}" if where else message)

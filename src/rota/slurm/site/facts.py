"""What a host says of itself: the script that asks it, and its answer. Memory in MiB."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rota.slurm.site.hosts import Processors

#: Runs in any sh, needs no right, changes nothing. Each part begins with a line of its own; what is missing is empty.
SCRIPT = r"""
part() { printf '\n@%s\n' "$1"; }
part name; hostname -s 2>/dev/null || uname -n
part slurmd; PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin; slurmd -C 2>/dev/null
part cpus; lscpu -p=CPU,CORE,SOCKET 2>/dev/null | grep -v '^#'
part memory; grep MemTotal /proc/meminfo
asked=index,uuid,memory.total,mig.mode.current,name
part gpus; timeout 15 nvidia-smi --query-gpu=$asked --format=csv,noheader,nounits 2>/dev/null
part minors; cat /proc/driver/nvidia/gpus/*/information 2>/dev/null
groups=/sys/fs/cgroup
part cgroup; stat -fc %T $groups 2>/dev/null; cat $groups/cgroup.controllers 2>/dev/null || ls $groups 2>/dev/null
part system; cat /etc/os-release 2>/dev/null
part version; slurmd -V 2>/dev/null || slurmctld -V 2>/dev/null
part running; ps -e -o comm= 2>/dev/null | grep -x -e slurmd -e slurmctld | sort -u
part cluster; grep -h -i '^ *ClusterName' /etc/slurm/slurm.conf /run/slurm/conf/slurm.conf 2>/dev/null | head -n 1
part account; id -u slurm 2>/dev/null
part time; date +%s
part end
""".strip()

_MINOR = re.compile(r"GPU UUID:\s*(\S+).*?Device Minor:\s*(\d+)", re.DOTALL)
_OS_LINE = re.compile(r'^(ID|ID_LIKE|VERSION_ID|PRETTY_NAME)="?([^"\n]*)"?$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FoundGpu:
    """A GPU as its driver names it."""

    model: str
    type: str  #: Rota's tier for that model
    minor: int  #: n of /dev/nvidia<n>
    memory_mib: int = 0
    is_sliced: bool = False  #: in MIG mode


@dataclass(frozen=True, slots=True)
class Facts:
    """What one host answered."""

    name: str
    processors: Processors
    memory_mib: int
    gpus: tuple[FoundGpu, ...] = ()
    has_cgroups: bool = True
    system: str = ""  #: "debian 12"
    slurm_version: str = ""  #: "" when Slurm is not installed
    runs: tuple[str, ...] = ()  #: of slurmd and slurmctld
    cluster: str = ""  #: of which cluster its configuration is
    slurm_uid: int | None = None  #: of the account slurm, if there is one
    ahead_s: float = 0.0  #: how far its clock is ahead of ours


def parse_facts(answer: str, now: float, type_of: Callable[[str], str]) -> Facts | None:
    """The facts in what SCRIPT printed; None when it is not that. `now`: epoch seconds when it was asked."""
    parts = dict(_parts(answer))
    name = _first(parts.get("name", ""))
    if "end" not in parts or not name:
        return None
    processors, memory_mib = _hardware(parts)
    at, uid = _first(parts["time"]), _first(parts["account"])
    return Facts(
        name=name.partition(".")[0],
        processors=processors,
        memory_mib=memory_mib,
        gpus=tuple(_gpus(parts["gpus"], parts["minors"], type_of)),
        has_cgroups=_has_cgroups(parts["cgroup"]),
        system=_system(parts["system"]),
        slurm_version=_first(parts["version"]).rpartition(" ")[2],
        runs=tuple(parts["running"].split()),
        cluster=_first(parts["cluster"]).partition("=")[2].partition("#")[0].strip(),
        slurm_uid=int(uid) if uid.isdigit() else None,
        ahead_s=float(at) - now if at.isdigit() else 0.0,
    )


def facts_as_told(facts: Facts) -> dict[str, Any]:
    """For the pipe between who asks and who wants to know."""
    return asdict(facts)


def facts_from(told: Mapping[str, Any]) -> Facts:
    """The same facts at the pipe's other end."""
    fields = dict(told)
    fields["processors"] = Processors(**fields["processors"])
    fields["gpus"] = tuple(FoundGpu(**gpu) for gpu in fields["gpus"])
    fields["runs"] = tuple(fields["runs"])
    return Facts(**fields)


# --- parts of the answer -------------------------------------------------------------------------


def _parts(answer: str) -> Iterator[tuple[str, str]]:
    """(name, text) of each part; a greeting that a login shell prints before the first is left out."""
    for piece in ("\n" + answer.replace("\r", "")).split("\n@")[1:]:
        name, _, text = piece.partition("\n")
        yield name.strip(), text.strip()


def _first(text: str) -> str:
    return text.splitlines()[0].strip() if text else ""


def _hardware(parts: Mapping[str, str]) -> tuple[Processors, int]:
    """As slurmd itself counts, where it is installed: it compares by that. Else by lscpu and the kernel."""
    said = dict(word.partition("=")[::2] for word in parts["slurmd"].split())
    memory_kib = re.search(r"(\d+)", parts["memory"])
    memory_mib = int(memory_kib[1]) // 1024 if memory_kib else 0
    numbers = [said.get(key, "") for key in ("CPUs", "SocketsPerBoard", "CoresPerSocket", "ThreadsPerCore")]
    if all(number.isdigit() for number in numbers):
        mib = said.get("RealMemory", "")
        return Processors(*map(int, numbers)), int(mib) if mib.isdigit() else memory_mib
    rows = [row.split(",") for row in parts["cpus"].splitlines() if row.count(",") == 2]
    cpus, sockets = len(rows), len({socket for _, _, socket in rows})
    cores = len({(core, socket) for _, core, socket in rows})
    is_even = bool(cpus) and cores % sockets == 0 and cpus % cores == 0
    if is_even:
        return Processors(cpus, sockets, cores // sockets, cpus // cores), memory_mib
    return Processors(cpus), memory_mib


def _gpus(listed: str, minors: str, type_of: Callable[[str], str]) -> Iterator[FoundGpu]:
    """The device file's number is the kernel module's, which is not always that of nvidia-smi."""
    minor_of = {uuid: int(minor) for text in minors.split("Model:") for uuid, minor in _MINOR.findall(text)}
    for line in listed.splitlines():
        fields = [field.strip() for field in line.split(",", 4)]
        if len(fields) < 5 or not fields[0].isdigit():
            continue  # a sentence of nvidia-smi, such as that the driver does not answer
        index, uuid, memory, mig, model = fields
        yield FoundGpu(
            model=model,
            type=type_of(model),
            minor=minor_of.get(uuid, int(index)),
            memory_mib=int(memory) if memory.isdigit() else 0,
            is_sliced=mig == "Enabled",
        )


def _has_cgroups(text: str) -> bool:
    """Version 2 with what Slurm needs of it, or version 1 with the controller of devices (cgroups(7))."""
    kind, _, controllers = text.partition("\n")
    names = controllers.split()
    return {"cpuset", "memory"} <= set(names) if kind.strip() == "cgroup2fs" else "devices" in names


def _system(text: str) -> str:
    said = dict(_OS_LINE.findall(text))
    return f"{said.get('ID', '')} {said.get('VERSION_ID', '')}".strip()

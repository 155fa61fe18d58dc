"""The hosts of a Slurm that is to be set up, and what is known of each. Memory in MiB, as Slurm has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GpuKind:
    """Equal GPUs of one host."""

    type: str  #: what members ask for, and by what Rota finds the tier: "h100"
    minors: tuple[int, ...]  #: n of /dev/nvidia<n>, one for each GPU
    model: str = ""  #: as the driver names it; "" when nobody asked the driver

    @property
    def count(self) -> int:
        return len(self.minors)


@dataclass(frozen=True, slots=True)
class Processors:
    """How the CPUs of a host are arranged; zeros in sockets, cores and threads: only their number is known."""

    cpus: int
    sockets: int = 0
    cores: int = 0  #: of each socket
    threads: int = 0  #: of each core


@dataclass(frozen=True, slots=True)
class Host:
    """A host of the cluster that runs jobs."""

    name: str  #: its own short name (hostname -s), which is its NodeName
    address: str  #: by which the others reach it
    processors: Processors
    memory_mib: int  #: all that it has
    gpus: tuple[GpuKind, ...] = ()
    guessed: tuple[str, ...] = ()  #: which of "CPUs" and "memory" nobody stated and nothing answered

    @property
    def gpu_count(self) -> int:
        return sum(kind.count for kind in self.gpus)

    @property
    def gres(self) -> str:
        """For slurm.conf: gpu:h100:8; "" without GPUs."""
        counts: Counter[str] = Counter()
        for kind in self.gpus:
            counts[kind.type] += kind.count
        return ",".join(f"gpu:{name}:{count}" for name, count in counts.items())

    @property
    def job_memory_mib(self) -> int:
        return memory_for_jobs_mib(self.memory_mib)


@dataclass(frozen=True, slots=True)
class Controller:
    """Where slurmctld runs."""

    name: str
    address: str


def memory_for_jobs_mib(total_mib: int) -> int:
    """What is left for jobs: a twenty-fifth, at least 1 GiB and at most 16 GiB, is kept for the system.

    Also because a host whose memory turns out smaller than slurm.conf says is drained, and the kernel takes a little
    more of it with every update.
    """
    kept = min(max(total_mib // 25, 1024), 16 * 1024)
    return max((total_mib - kept) // 100 * 100, total_mib // 2, 1)


def smallest_part(hosts: Iterable[Host]) -> tuple[int, int] | None:
    """CPUs and MiB that one GPU's part of its host comes to, on the host where that is least; None without GPUs."""
    parts = [
        (host.processors.cpus // host.gpu_count, host.job_memory_mib // host.gpu_count)
        for host in hosts
        if host.gpu_count
    ]
    if not parts:
        return None
    return max(min(cpus for cpus, _ in parts), 1), max(min(mib for _, mib in parts), 1)

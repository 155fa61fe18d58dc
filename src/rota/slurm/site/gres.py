"""gres.conf and cgroup.conf."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rota.slurm.site.config import Site
from rota.slurm.site.hosts import GpuKind, Host

_GRES_HEAD = """\
# gres.conf of the cluster {cluster}: which device files the GPUs of each node are. Written by `rota slurm init`.
# Type is what members ask for (--gres=gpu:h100:1), and by what Rota finds the tier."""

_LISTED = """\
# Each file is written out because Debian's and Ubuntu's Slurm cannot ask the driver: that needs the NVML plug-in
# (AutoDetect=nvml), or Slurm 24.11 and later (AutoDetect=nvidia)."""

_FOUND = """\
# slurmd asks the driver ({how}), so files and nearest cores are right by themselves. A type must be part of the
# driver's name of the model in small letters, with _ for spaces; nodes where it is not have their files written out."""

CGROUP_CONF = """\
# cgroup.conf: what a job cannot get past. Written by `rota slurm init`. Version 1 or 2 of cgroups is found by itself.

# Of the GPUs, only those that the job was given can be opened. Without this, anybody can use anybody's.
ConstrainDevices=yes
# Of the cores, only its own.
ConstrainCores=yes
# Of the memory, as much as it was given; a job that takes more is ended, and not its neighbour.
ConstrainRAMSpace=yes
"""


def gres_conf(site: Site) -> str:
    """The file; comments alone when no host has a GPU."""
    head = _GRES_HEAD.format(cluster=site.cluster)
    if not site.finds_gpus:
        return "\n".join([head, _LISTED, *(line for host in site.hosts for line in _listed(host))]) + "\n"
    exceptions = [line for host in site.hosts if not _is_found(host) for line in _listed(host, " AutoDetect=off")]
    how = f"AutoDetect={site.finds_gpus}"
    return "\n".join([head, _FOUND.format(how=how), how, *exceptions]) + "\n"


def _is_found(host: Host) -> bool:
    """Whether slurmd would know each of a host's types again by the model's name; a model not asked for is trusted."""
    return all(not kind.model or kind.type in kind.model.lower().replace(" ", "_") for kind in host.gpus)


def _listed(host: Host, detect: str = "") -> Iterator[str]:
    for kind in host.gpus:
        yield f"NodeName={host.name}{detect} Name=gpu Type={kind.type} File={device_files(kind)}"


def device_files(kind: GpuKind) -> str:
    """The device files of GPUs, as gres.conf writes them.

    >>> device_files(GpuKind("h100", (0, 1, 2, 5))), device_files(GpuKind("t4", (3,)))
    ('/dev/nvidia[0-2,5]', '/dev/nvidia3')
    """
    if kind.count == 1:
        return f"/dev/nvidia{kind.minors[0]}"
    return f"/dev/nvidia[{','.join(_runs(sorted(kind.minors)))}]"


def _runs(numbers: Sequence[int]) -> Iterator[str]:
    for _, run in groupby(enumerate(numbers), key=lambda entry: entry[1] - entry[0]):
        of = [number for _, number in run]
        yield str(of[0]) if len(of) == 1 else f"{of[0]}-{of[-1]}"

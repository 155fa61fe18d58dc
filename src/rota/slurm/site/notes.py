"""What somebody should look at before the first command is run: from what was written, and what hosts said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rota.domain.counts import say_count
from rota.slurm.site.facts import Facts
from rota.slurm.site.hosts import Host
from rota.slurm.site.join import Asked, kinds_of, whole_gpus
from rota.slurm.site.notation import Stated
from rota.slurm.version import LEAST_VERSION, parse_version

CLOCK_S = 5.0  # beyond this a checkpoint's time says something wrong; munge refuses from 300 s on
SHOWN_NAMES = 4  # of hosts of which the same is said
#: Distributions whose own package is too old, and what it is.
TOO_OLD = {"ubuntu 20.04": "19.05", "ubuntu 22.04": "21.08", "debian 11": "20.11", "debian 10": "18.08"}


def notes(
    hosts: Sequence[Host], stated: Sequence[Stated], asked: Mapping[str, Asked], cluster: str, uid: int
) -> tuple[str, ...]:
    """One sentence or more of each kind; what is true of many hosts is said once."""
    told: dict[str, list[str]] = {}
    for host, written in zip(hosts, stated, strict=True):
        for said in _of_host(host, written, asked[written.where]):
            told.setdefault(said, []).append(host.name)
    for facts in (answer.facts for answer in asked.values() if answer.facts is not None):
        for said in _of_facts(facts, cluster, uid):
            told.setdefault(said, []).append(facts.name)
    return tuple(f"{_say_names(list(dict.fromkeys(names)))}: {said}" for said, names in told.items())


def _say_names(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more


def _of_host(host: Host, stated: Stated, asked: Asked) -> Iterator[str]:
    if host.guessed:
        missing = " and ".join(host.guessed)
        why_not = asked.why_not.replace(stated.where, "HOST")  # so that many hosts have one reason
        guess = f"{host.processors.cpus} CPUs, {host.memory_mib // 1024}G"
        yield (
            f"{missing} not written, and not to be had from the host ({why_not}). slurm.conf has a careful guess: "
            f"{guess}. The install script shows what is there."
        )
    if asked.facts is not None:
        yield from _compared(host, stated, asked.facts)
    elif len(host.gpus) > 1:
        yield "which GPU is /dev/nvidia0 was not asked. Compare gres.conf with: nvidia-smi -L"


def _compared(host: Host, stated: Stated, facts: Facts) -> Iterator[str]:
    """What was written against what is there."""
    found = {kind.type: kind.count for kind in kinds_of(whole_gpus(facts))}
    sliced = len(facts.gpus) - len(whole_gpus(facts))
    if sliced:
        yield (
            f"{say_count(sliced, 'GPU')} in MIG slices left out. Slurm gives out slices where its package has the NVML "
            "plug-in (Debian's has not): see AutoDetect=nvml in gres.conf(5)."
        )
    if stated.gpus is not None and dict(stated.gpus) != found:
        said = ", ".join(f"{count} {name}" for name, count in found.items()) or "none"
        yield f"you wrote other GPUs than the driver lists ({said}). If yours are not there, Slurm drains the node."
    if facts.memory_mib < stated.memory_mib or facts.processors.cpus < host.processors.cpus:
        has = f"{facts.processors.cpus} CPUs, {facts.memory_mib // 1024}G"
        yield f"less is there than you wrote: {has}. Slurm drains a node that has less than slurm.conf says."
    if not facts.gpus and stated.gpus is None:
        yield "no GPU was found (nvidia-smi lists none). If there is one: install its driver, and run this again."


def _of_facts(facts: Facts, cluster: str, uid: int) -> Iterator[str]:
    if facts.runs and facts.cluster != cluster:
        of = f", of the cluster {facts.cluster}" if facts.cluster else ""
        yield f"a Slurm runs there already ({', '.join(facts.runs)}{of}). The install script stops before any change."
    version = facts.slurm_version or TOO_OLD.get(facts.system, "")
    if version and parse_version(version) < LEAST_VERSION:
        yield (
            f"{facts.system} has Slurm {version}, and Rota needs 22.05 or later. Upgrade the system, or build newer "
            "packages: https://slurm.schedmd.com/quickstart_admin.html"
        )
    if abs(facts.ahead_s) > CLOCK_S:
        way = "ahead of" if facts.ahead_s > 0 else "behind"
        yield f"the clock is {abs(facts.ahead_s):.0f} s {way} ours. Mend that first: apt install chrony"
    if not facts.has_cgroups:
        yield "no control groups that Slurm could use, so jobs can reach each other's GPUs."
    if facts.slurm_uid not in (None, uid):
        yield (
            f"the account slurm has the number {facts.slurm_uid}, and {uid} elsewhere; Slurm needs one number "
            f"everywhere. While no Slurm runs there: usermod -u {uid} slurm"
        )

"""What was written of a host and what it said of itself, put together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rota.errors import BadRequest
from rota.slurm.site.facts import Facts, FoundGpu
from rota.slurm.site.hosts import Controller, GpuKind, Host, Processors
from rota.slurm.site.notation import Stated

#: Of each GPU of a host of which nobody knows more. Too few is safe, the rest idles; too many, and Slurm drains it.
GUESSED_CPUS = 4
GUESSED_MIB = 16 * 1024
SLURM_UID = 64030  # of Debian's and Ubuntu's package slurm-client, the same on every host
LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking a host: its facts, or why there are none."""

    facts: Facts | None = None
    why_not: str = ""


def join_host(stated: Stated, asked: Asked) -> Host:
    """One host: what was written goes before what it said. Raises BadRequest when neither says what it is."""
    facts = asked.facts
    if facts is None and stated.gpus is None and not stated.cpus and not stated.cores:
        raise BadRequest(_unknown(stated.where, asked.why_not))
    gpus = _gpus(stated, facts)
    count = sum(kind.count for kind in gpus)
    processors = _processors(stated, facts)
    memory_mib = stated.memory_mib or (facts.memory_mib if facts else 0)
    guessed = [name for name, is_known in (("CPUs", processors.cpus), ("memory", memory_mib)) if not is_known]
    name = _name(stated.where, facts)
    return Host(
        name=name,
        address=stated.address or (name if stated.where in LOCAL else stated.where),
        processors=processors if processors.cpus else Processors(GUESSED_CPUS * max(count, 1)),
        memory_mib=memory_mib or GUESSED_MIB * max(count, 1),
        gpus=gpus,
        guessed=tuple(guessed),
    )


def join_controller(where: str, asked: Asked) -> Controller:
    """Where slurmctld is to run."""
    name = _name(where, asked.facts)
    return Controller(name, name if where in LOCAL else where)


def agreed_uid(facts: Iterable[Facts]) -> int:
    """For the account slurm: what hosts have that have one already, the commonest; else Debian's."""
    found = [fact.slurm_uid for fact in facts if fact.slurm_uid is not None]
    return max(sorted(set(found)), key=found.count) if found else SLURM_UID


def _name(where: str, facts: Facts | None) -> str:
    if facts is not None:
        return facts.name
    if re.fullmatch(r"[\d.]+", where):
        raise BadRequest(
            f"{where} could not be asked for its name, and Slurm calls hosts by name. Write the host's name, "
            f"and how it is reached: NAME:address={where}"
        )
    return where.partition(".")[0]


def _unknown(where: str, why_not: str) -> str:
    return (
        f"{where} could not be asked ({why_not}).\n"
        f"Make `ssh {where} true` work without a password, or say what it has: {where}:gpu=h100:8,cpus=64,memory=512G "
        f"(without GPUs: {where}:cpus=64,memory=512G)"
    )


def _processors(stated: Stated, facts: Facts | None) -> Processors:
    if stated.cores:
        sockets, threads = stated.sockets or 1, stated.threads or 1
        return Processors(sockets * stated.cores * threads, sockets, stated.cores, threads)
    if stated.cpus:
        is_same = facts is not None and facts.processors.cpus == stated.cpus
        return facts.processors if facts is not None and is_same else Processors(stated.cpus)
    return facts.processors if facts else Processors(0)


def _gpus(stated: Stated, facts: Facts | None) -> tuple[GpuKind, ...]:
    whole = whole_gpus(facts) if facts else []
    if stated.gpus is None:
        return kinds_of(whole)
    if {kind.type: kind.count for kind in kinds_of(whole)} == dict(stated.gpus):
        return kinds_of(whole)  # the same, and the driver knows which device file is which
    kinds, first = [], 0
    for name, count in stated.gpus:
        kinds.append(GpuKind(name, tuple(range(first, first + count))))
        first += count
    return tuple(kinds)


def whole_gpus(facts: Facts) -> list[FoundGpu]:
    """Those that are not in MIG mode."""
    return [gpu for gpu in facts.gpus if not gpu.is_sliced]


def kinds_of(gpus: Sequence[FoundGpu]) -> tuple[GpuKind, ...]:
    """GPUs by type, each type in the order of its device files."""
    by_type: dict[str, list[FoundGpu]] = {}
    for gpu in sorted(gpus, key=lambda gpu: gpu.minor):
        by_type.setdefault(gpu.type, []).append(gpu)
    return tuple(GpuKind(name, tuple(gpu.minor for gpu in of), of[0].model) for name, of in by_type.items())

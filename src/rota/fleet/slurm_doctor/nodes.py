"""The nodes: how they are, whether they can be reached, and whether Slurm knows the GPUs of this one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from rota.domain.counts import say_count
from rota.fleet.findings import Finding
from rota.fleet.nvml import Inventory
from rota.fleet.slurm_doctor.world import World, in_parallel
from rota.fleet.tiers import tier_of
from rota.slurm.config_answer import controllers, first_number
from rota.slurm.gres import UNTYPED, gpu_counts

Record = Mapping[str, str]
SHOWN = 10
#: States in which no job begins (scontrol(1), STATE). NOT_RESPONDING is written as a * by some versions.
_BAD = ("DOWN", "DRAIN", "FAIL", "NOT_RESPONDING", "INVAL", "ERROR", "UNKNOWN", "POWERED_DOWN", "REBOOT")
_UNEQUAL = re.compile(r"low (realmemory|socket|cpu|tmpdisk)|gres/|gpu count|invalid", re.IGNORECASE)
_BY = re.compile(r"\s*\[([^\]@]*)@[^\]]*\]$")


def node_states(nodes: Sequence[Record]) -> Iterator[Finding]:
    """Those on which no turn can begin, and why."""
    bad = [node for node in nodes if is_bad(node)]
    if len(bad) < len(nodes):
        up = len(nodes) - len(bad)
        yield Finding("nodes", True, f"{up} of {len(nodes)} are up" if bad else f"all {len(nodes)} are up")
    else:
        yield Finding("nodes", False, "none is up, so no turn can begin", "sinfo -R")
    yield from (_bad_node(node) for node in bad[:SHOWN])
    if len(bad) > SHOWN:
        yield Finding("nodes", False, f"and {len(bad) - SHOWN} more nodes that take no turn", "sinfo -R")


def is_bad(node: Record) -> bool:
    """Whether no turn begins there."""
    state = node.get("State", "UNKNOWN").upper()
    return "*" in state or any(word in state for word in _BAD)


def _bad_node(node: Record) -> Finding:
    name, state = node["NodeName"], node.get("State", "UNKNOWN")
    reason = _BY.sub("", node.get("Reason", ""))
    who = _BY.search(node.get("Reason", ""))
    resume = f"scontrol update nodename={name} state=resume"
    said = f"{name} is {state.lower()}{f': {reason}' if reason else ''}"
    if _UNEQUAL.search(reason):
        text = f"{said}. It has less than slurm.conf says"
        return Finding("nodes", False, text, f"slurmd -C on {name}, put that into its NodeName line, then: {resume}")
    if "*" in state or "NOT_RESPONDING" in state or "not responding" in reason.lower():
        return Finding("nodes", False, said, f"ssh {name} systemctl status slurmd munge; is its clock right?")
    if "DRAIN" in state and who and who[1] not in ("slurm", "root"):
        return Finding("nodes", None, f"{said} (by {who[1]})", f"when it is mended: {resume}")
    return Finding("nodes", None if "DRAIN" in state else False, said, f"when it is mended: {resume}")


# --- ports ---------------------------------------------------------------------------------------


def ports_of_controllers(world: World, config: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the controllers' port can be reached from here."""
    port = first_number(config.get("SlurmctldPort", ""), 6817)
    for name, address in controllers(config):
        why = world.connect(address, port)
        if why:
            yield _closed(f"the controller {name} ({address})", port, why, "slurmctld", is_wrong=True)
        else:
            yield Finding("ports", True, f"{port} of the controller {name} can be reached")


def ports(world: World, config: Mapping[str, str], nodes: Sequence[Record]) -> Iterator[Finding]:
    """The controllers' and every node's that is not known to be down."""
    yield from ports_of_controllers(world, config)
    usual = first_number(config.get("SlurmdPort", ""), 6818)
    alive = [node for node in nodes if not is_bad(node)]
    asked = [(node.get("NodeAddr") or node["NodeName"], first_number(node.get("Port", ""), usual)) for node in alive]
    answers = in_parallel(partial(world.connect, *where) for where in asked)
    closed = [entry for entry in zip(alive, asked, answers, strict=True) if entry[-1]]
    # Slurm's controller calls the nodes; from another machine it is only srun that does.
    is_wrong = world.host_name in {name for name, _ in controllers(config)}
    for node, (address, port), why in closed[:SHOWN]:
        yield _closed(f"{node['NodeName']} ({address})", port, why, "slurmd", is_wrong=is_wrong)
    if len(closed) > SHOWN:
        text = f"and those of {len(closed) - SHOWN} more nodes"
        yield Finding("ports", False if is_wrong else None, text, "scontrol show node")
    if alive and not closed:
        yield Finding("ports", True, f"of {say_count(len(alive), 'node')} can be reached")


def _closed(whose: str, port: int, why: str, service: str, *, is_wrong: bool) -> Finding:
    mend = f"open TCP port {port} there for this host"
    if why == "nothing listens":
        mend = f"there: systemctl status {service}"
    elif why == "its name is not known here":
        mend = "put its address into /etc/hosts, on every host"
    return Finding("ports", False if is_wrong else None, f"{port} of {whose} cannot be reached from here: {why}", mend)


# --- GPUs of this machine ------------------------------------------------------------------------


def gpus_here(world: World, nodes: Sequence[Record]) -> Iterator[Finding]:
    """What the driver shows against what Slurm gives out, if this machine is a node."""
    here = next((node for node in nodes if world.host_name in (node["NodeName"], node.get("NodeHostName"))), None)
    if here is None:
        return
    known = gpu_counts(here.get("Gres", ""))
    found = world.inventory()
    name, given = here["NodeName"], sum(known.values())
    if not isinstance(found, Inventory):
        if given:
            text = f"Slurm gives out {given} GPUs of this machine, and its driver shows none: {found.why}"
            yield Finding("gres", False, text, "nvidia-smi; turns that begin here fail")
        return
    if len(found.gpus) != given:
        text = f"the driver shows {len(found.gpus)} GPUs here, and Slurm gives out {given} as {name}"
        mend = f"Gres= of {name} in slurm.conf, and its lines in gres.conf; then restart slurmd"
        yield Finding("gres", False if len(found.gpus) < given else None, text, mend)
        return
    tiers = Counter(gpu.tier for gpu in found.gpus)
    named = Counter({_tier(kind): count for kind, count in known.items()})
    if UNTYPED not in known and not any(gpu.slice_of for gpu in found.gpus) and tiers != named:
        text = f"the driver shows {_say(tiers)} here, and Slurm calls them {_say(named)}: turns land on the wrong tier"
        yield Finding("gres", False, text, f"Type= of {name} in gres.conf, and Gres= in slurm.conf")
        return
    yield Finding("gres", True, f"Slurm and the driver agree on this machine's GPUs ({given})")


def _tier(kind: str) -> str:
    return tier_of(re.sub(r"[_-]", " ", kind))


def _say(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {tier}" for tier, count in sorted(counts.items()))

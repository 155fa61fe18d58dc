"""Slurm's nodes, as its commands list them from Slurm 22.05 on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rota.slurm.commands import Run, SlurmRefused, SlurmUnavailable

MIB = 2**20  # what Slurm calls a megabyte (slurm.conf(5), RealMemory)

#: Since 23.02. Its `sinfo --json` lists groups of nodes, which do not say what is used on each.
_BY_SCONTROL = ("scontrol", "show", "node", "--json")
#: Before 23.02 scontrol knows no JSON, and sinfo lists the nodes themselves.
_BY_SINFO = ("sinfo", "--json")


@dataclass(frozen=True, slots=True)
class SlurmNode:
    """One node as Slurm knows it."""

    name: str
    cpus: int  #: for jobs
    memory_bytes: int  #: for jobs
    gres: str  #: what it has, as in gres.py
    gres_used: str  #: what jobs have of it
    states: frozenset[str]  #: in capitals, flags among them: {"MIXED", "DRAIN"}
    reason: str  #: why it is down or drained, as an administrator or Slurm wrote it
    partitions: tuple[str, ...]
    features: tuple[str, ...]
    version: str  #: of its slurmd; "" while it has not been heard of


def node_reader(run: Run) -> Callable[[], tuple[SlurmNode, ...]]:
    """What reads all nodes, by the command that this Slurm has. Raises SlurmUnavailable, SlurmRefused."""
    knows_json = True  # scontrol, as far as is known

    def read() -> tuple[SlurmNode, ...]:
        nonlocal knows_json
        if knows_json:
            try:
                return parse_nodes(run(_BY_SCONTROL, ""))
            except SlurmRefused as refused:
                if "unrecognized option" not in refused.said:
                    raise
        try:
            found = parse_nodes(run(_BY_SINFO, ""))
        except SlurmUnavailable:
            knows_json = True  # it may be another version when it answers again
            raise
        knows_json = False
        return found

    return read


def parse_nodes(text: str) -> tuple[SlurmNode, ...]:
    """The nodes in an answer of `scontrol show node --json`, or before Slurm 23.02 of `sinfo --json`.

    Fields that are missing or unknown are no mistake. Raises SlurmUnavailable when it is no list of nodes.
    """
    try:
        answer = json.loads(text)
        nodes = tuple(_node(entry) for entry in answer["nodes"])
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        shown = " ".join(text.split())[:80]
        raise SlurmUnavailable(f"Slurm's list of nodes cannot be read; it begins with {shown!r}.") from None
    if not nodes:  # so sinfo of 22.05 answers while the controller is away, with exit code 0
        raise SlurmUnavailable(f"Slurm lists no node at all. {_first_error(answer)}".strip())
    return nodes


def _node(entry: Any) -> SlurmNode:
    name = entry["name"]
    if not isinstance(name, str) or not name:
        raise ValueError(name)
    memory_mib = _number(entry.get("real_memory")) - _number(entry.get("specialized_memory"))
    return SlurmNode(
        name=name,
        cpus=_number(entry.get("effective_cpus")) or _number(entry.get("cpus")),
        memory_bytes=max(memory_mib, 0) * MIB,
        gres=_text(entry.get("gres")),
        gres_used=_text(entry.get("gres_used")),
        states=frozenset(word.upper() for word in (*_words(entry.get("state")), *_words(entry.get("state_flags")))),
        reason=_text(entry.get("reason")),
        partitions=_words(entry.get("partitions")),
        features=_words(entry.get("active_features")) or _words(entry.get("features")),
        version=_text(entry.get("version") or entry.get("slurmd_version")),
    )


def _number(given: Any) -> int:
    """A plain number, or since 23.02 one that may be unset: {"set": true, "infinite": false, "number": 5}."""
    if isinstance(given, dict):
        given = given.get("number") if given.get("set") else None
    return int(given) if isinstance(given, int | float) else 0


def _text(given: Any) -> str:
    return given if isinstance(given, str) else ""


def _words(given: Any) -> tuple[str, ...]:
    """A list of words, or before 23.02 for some fields one string of them."""
    words = given.split(",") if isinstance(given, str) else given or ()
    return tuple(word.strip() for word in words if isinstance(word, str) and word.strip())


def _first_error(answer: Any) -> str:
    match answer.get("errors"):
        case [{"description": str(said)}, *_] | [{"error": str(said)}, *_]:
            return f"It says: {said}."
    return ""

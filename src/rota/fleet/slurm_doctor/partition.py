"""The partition into which Rota's turns go. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rota.domain.counts import say_count
from rota.fleet.findings import Finding
from rota.slurm.gres import UNTYPED, gpu_counts

Record = Mapping[str, str]


def partition(partitions: Sequence[Record], nodes: Sequence[Record], wanted: str) -> Iterator[Finding]:
    """Whether it is there, up, open to everybody, without a limit, and has GPUs with a type."""
    there = ", ".join(record["PartitionName"] for record in partitions) or "none"
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if not names:
        chosen = [record for record in partitions if record.get("Default") == "YES"]
        if not chosen:
            text = f"Slurm has no default one, and Rota is not told which to take. There: {there}"
            yield Finding("partition", False, text, '[slurm] partition = "NAME" in rota.toml')
            return
    else:
        chosen = [record for record in partitions if record["PartitionName"] in names]
        if missing := set(names) - {record["PartitionName"] for record in chosen}:
            text = f"there is no {', '.join(sorted(missing))}, into which turns should go. There: {there}"
            yield Finding("partition", False, text, "[slurm] partition in rota.toml, or: sinfo --summarize")
    for record in chosen:
        yield from _judge(record, nodes)


def _judge(record: Record, nodes: Sequence[Record]) -> Iterator[Finding]:
    name = record["PartitionName"]
    update = f"scontrol update partitionname={name}"
    keep = "; and in slurm.conf, to last"
    found = []
    if record.get("State") != "UP":
        text = f"{name} is {record.get('State', 'in no state')}: no turn begins there"
        found.append(Finding("partition", False, text, f"{update} state=up"))
    if "EXCLUSIVE" in record.get("OverSubscribe", "") or record.get("ExclusiveUser") == "YES":
        text = f"{name} gives whole nodes to one job or member, so the other GPUs of a node idle"
        found.append(Finding("partition", False, text, f"{update} oversubscribe=no exclusiveuser=no{keep}"))
    if record.get("MaxTime", "UNLIMITED") != "UNLIMITED":
        text = f"{name} ends every job after {record['MaxTime']}, a turn of Rota's too; its work is saved before"
        found.append(Finding("partition", None, text, f"{update} maxtime=unlimited{keep}"))
    closed = [key for key in ("AllowGroups", "AllowAccounts", "AllowQos") if record.get(key, "ALL") != "ALL"]
    if closed:
        text = f"{name} is not open to everybody: {', '.join(f'{key}={record[key]}' for key in closed)}"
        found.append(Finding("partition", None, text, "members outside of it get no turn: see scontrol show partition"))
    found += _gpus(name, [node for node in nodes if name in node.get("Partitions", "").split(",")])
    yield from found


def _gpus(name: str, nodes: Sequence[Record]) -> Iterator[Finding]:
    counts: dict[str, int] = {}
    untyped = []
    for node in nodes:
        for kind, count in gpu_counts(node.get("Gres", "")).items():
            counts[kind] = counts.get(kind, 0) + count
            if kind == UNTYPED:
                untyped.append(node["NodeName"])
    if not counts:
        text = f"no node of {name} has a GPU that Slurm knows"
        mend = "Gres=gpu:TYPE:COUNT in the NodeName lines of slurm.conf, and gres.conf"
        yield Finding("partition", False, text, mend)
        return
    said = ", ".join(f"{count} {kind or 'without a type'}" for kind, count in counts.items())
    yield Finding("partition", True, f"{name}: {said}, on {say_count(len(nodes), 'node')}")
    if untyped:
        text = f"GPUs of {', '.join(untyped[:4])} have no type, so Rota cannot tell their tier"
        yield Finding("partition", None, text, "Type= in gres.conf and Gres=gpu:TYPE:COUNT in slurm.conf")

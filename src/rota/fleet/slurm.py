"""The fleet of a Slurm cluster: its nodes with GPUs, and in which tiers these are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rota.domain.gpus import Fleet, Gpu, Node
from rota.errors import RotaError
from rota.fleet.tiers import GIB, MODELS, memory_of, order_tiers, tier_of
from rota.slurm import partition as partitions
from rota.slurm.commands import Run
from rota.slurm.gres import UNTYPED, gpu_counts
from rota.slurm.nodes import SlurmNode, node_reader

#: A slice as NVML names it and Slurm takes it over: 1g.10gb, nvidia_a100_1g.5gb+me, a100.3g.40gb (gres.conf(5)).
_SLICE = re.compile(r"(?:^|[_.-])((?:\d+c\.)?\d+g\.(\d{1,4})gb.*)$", re.ASCII)
_MEMORY = re.compile(r"(?:^|[^a-z0-9])(\d{1,4})gb?(?:$|[^a-z0-9])", re.ASCII)
_KNOWN_TIERS = frozenset(model.tier for model in MODELS)


def find_slurm_fleet(run: Run, partition: str = "", stated_order: Sequence[str] = ()) -> Fleet:
    """The GPUs of a partition; without a name those of Slurm's default one, into which jobs go then.

    Raises SlurmUnavailable, SlurmRefused; RotaError when there is no such partition, or no GPU in it.
    """
    nodes = node_reader(run)()
    name = partition or _default_partition(run)
    fleet = fleet_of(nodes, stated_order, name)
    if not fleet.gpus:
        raise RotaError(_why_none(nodes, partition, name))
    return fleet


def fleet_of(nodes: Sequence[SlurmNode], stated_order: Sequence[str] = (), partition: str = "") -> Fleet:
    """The nodes with GPUs of a partition (several: "a,b"; all: ""), whatever state they are in.

    A GPU's `model` is the type by which Slurm knows it, "" where it has none: so it is asked for. Which of a node's
    GPUs of one type a job gets is Slurm's choice; the numbers here only count them.
    """
    wanted = {name.strip() for name in partition.split(",") if name.strip()}
    chosen = sorted(
        (node for node in nodes if (not wanted or wanted & set(node.partitions)) and "FUTURE" not in node.states),
        key=lambda node: _in_order(node.name),
    )
    gpus = tuple(gpu for node in chosen for gpu in _gpus_of(node))
    with_gpus = {gpu.node for gpu in gpus}
    found = tuple(Node(node.name, node.cpus, node.memory_bytes) for node in chosen if node.name in with_gpus)
    return Fleet(found, gpus, order_tiers((gpu.tier for gpu in gpus), stated_order))


# --- GPUs of a node ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a GRES type says of its GPUs."""

    tier: str
    memory_bytes: int


def _gpus_of(node: SlurmNode) -> Iterator[Gpu]:
    index = 0
    for gres_type, count in gpu_counts(node.gres).items():
        kind = _kind_of(gres_type, node.features)
        for _ in range(count):
            uuid = f"SLURM-{node.name}-{index}"
            yield Gpu(uuid, index, node.name, kind.tier, gres_type, kind.memory_bytes)
            index += 1


def _kind_of(gres_type: str, features: Sequence[str]) -> _Kind:
    """From the type's name; GPUs without one, and slices of who knows what, are what a feature of the node names."""
    model = next((feature for feature in features if _tier(feature) in _KNOWN_TIERS), "")
    name = gres_type.lower()
    if found := _SLICE.search(name):
        whole = name[: found.start()] or model
        tier = f"{_tier(whole)}-{found[1]}" if whole else found[1]
        return _Kind(tier, int(found[2]) * GIB)
    name = model if gres_type == UNTYPED else gres_type
    tier = _tier(name)
    return _Kind(tier, _memory_bytes(name, tier))


def _tier(name: str) -> str:
    """Slurm writes nvidia_h100_80gb_hbm3 for what the driver calls NVIDIA H100 80GB HBM3."""
    return tier_of(re.sub(r"[_-]", " ", name))


def _memory_bytes(name: str, tier: str) -> int:
    """What the name says, else what GPUs of the tier have."""
    found = _MEMORY.search(name.lower().replace("_", " "))
    if found is None or tier == "gh200":  # GH200 480GB: that is the memory of its processor
        return memory_of(tier)
    return int(found[1]) * GIB


def _in_order(name: str) -> tuple[str | int, ...]:
    """Node 2 before node 10."""
    return tuple(int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]+)", name)))


# --- when there is none --------------------------------------------------------------------------


def _default_partition(run: Run) -> str:
    """ "" when there is none: then all nodes are meant, and every job has to name its partition."""
    for line in run(partitions.words(""), "").splitlines():
        if re.search(r"(?:^| )Default=YES(?: |$)", line) and (found := re.match(r"PartitionName=(\S+)", line)):
            return found[1]
    return ""


def _why_none(nodes: Sequence[SlurmNode], partition: str, name: str) -> str:
    with_gpus = {one for node in nodes if gpu_counts(node.gres) for one in node.partitions}
    if not with_gpus:
        return (
            f"Slurm knows {len(nodes)} nodes, and none of them has a GPU.\n"
            "It learns of them by GresTypes=gpu and Gres= in slurm.conf, and by gres.conf. See: sinfo -o '%N %G'"
        )
    there = ", ".join(sorted(with_gpus))
    if name not in {one for node in nodes for one in node.partitions} and "," not in name:
        return f"Slurm has no partition {name!r} with nodes. With GPUs there are: {there}. Set [slurm] partition."
    which = f"partition {name}" if partition else f"Slurm's default partition {name}"
    return f"No node of {which} has a GPU. Partitions with GPUs: {there}. Choose one: [slurm] partition in rota.toml"

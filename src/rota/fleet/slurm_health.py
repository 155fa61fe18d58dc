"""How the GPUs of a Slurm cluster are: what Slurm says of their nodes, and which of them others use.

Others are whoever gave Slurm a job without Rota. Slurm says how many GPUs of a node are used, not by whom, so what
Rota's own turns hold there is taken off. The two are never of the same moment: a turn of ours that begins or ends is
known here and there at different times, and must not look like somebody else's. Therefore

- turns of which it is unclear whether Slurm counts them decide nothing: while they do, as many stay marked as are;
- how many others use changes when two looks in succession say so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rota.domain.gpus import Condition, Fleet, Gpu
from rota.errors import EngineUnavailable
from rota.fleet.health import Look, Ours, Seen
from rota.slurm.commands import Run
from rota.slurm.gres import UNTYPED, gpu_counts
from rota.slurm.nodes import SlurmNode, node_reader

EVERY_S = 5.0  # between two looks: one costs 20 ms here and 40 ms in Slurm's command with 500 nodes of 8 GPUs (22.05)

TAKEN = (Condition.TAKEN, "somebody uses it outside the list")
NOT_LISTED = (Condition.DRAINED, "Slurm does not list it any more")

#: How nodes may be that get no turn, the worst first (sinfo(1), NODE STATE CODES, by the long names of --json).
#: Slurm itself ends the jobs of a node that is DOWN. In every other state they run on, so no turn is ended at once:
#: a node that does not respond is back after a moment, or DOWN after SlurmdTimeout.
_STATES: tuple[tuple[frozenset[str], Condition, str], ...] = (
    (frozenset({"DOWN", "ERROR"}), Condition.FAILED, "down"),
    (frozenset({"FAIL"}), Condition.DRAINED, "about to fail"),
    (frozenset({"DRAIN"}), Condition.DRAINED, "drained"),
    (frozenset({"NOT_RESPONDING"}), Condition.DRAINED, "not responding"),
    (frozenset({"MAINTENANCE"}), Condition.DRAINED, "in maintenance"),
    (frozenset({"RESERVED"}), Condition.DRAINED, "reserved"),
    (frozenset({"REBOOT_ISSUED"}), Condition.DRAINED, "rebooting"),
    (frozenset({"INVALID_REG", "INVALID"}), Condition.DRAINED, "wrongly registered"),
    (frozenset({"POWER_DRAIN"}), Condition.DRAINED, "to be switched off"),
    (frozenset({"UNKNOWN", "FUTURE"}), Condition.DRAINED, "not known yet"),
)


Others = Mapping[tuple[str, str], int]  #: by node and GRES type: how many GPUs others use there


def slurm_look(run: Run, fleet: Fleet) -> Look:
    """What looks at the fleet through Slurm; None while Slurm does not answer: who hands turns over tells of that."""
    read = node_reader(run)
    before: Others = {}

    def look(ours: Ours) -> Seen | None:
        nonlocal before
        try:
            nodes = read()
        except EngineUnavailable:
            return None
        seen, before = conditions_of(nodes, fleet, ours, before)
        return seen

    return look


def conditions_of(
    nodes: Sequence[SlurmNode], fleet: Fleet, ours: Ours, before: Others | None = None
) -> tuple[Seen, Others]:
    """The GPUs of the fleet on which no turn should begin, and why; and what others use, for the look after this one.

    `before` is that of the look before; where there was none, one look is believed.
    """
    before = before or {}
    listed = {node.name: node for node in nodes}
    of_node: dict[str, list[Gpu]] = {}
    for gpu in fleet.gpus:
        of_node.setdefault(gpu.node, []).append(gpu)
    seen: dict[str, tuple[Condition, str]] = {}
    others: dict[tuple[str, str], int] = {}
    for name, gpus in of_node.items():
        node = listed.get(name)
        how = NOT_LISTED if node is None else _state_of(node)
        if how is not None or node is None:
            seen.update((gpu.uuid, how or NOT_LISTED) for gpu in gpus)
            continue
        there, gone = _still_listed(node, gpus)
        seen.update((gpu.uuid, NOT_LISTED) for gpu in gone)
        for gres_type, pool, in_use in _pools(node, there):
            key = (name, gres_type)
            marked = sum(gpu.uuid in ours.taken for gpu in pool)
            others[key] = now = _others_in(pool, in_use, marked, ours)
            count = sorted((marked, before.get(key, now), now))[1]  # two of three: it takes two looks to change it
            seen.update((gpu.uuid, TAKEN) for gpu in _left_to_others(pool, count, ours))
    return seen, others


def _state_of(node: SlurmNode) -> tuple[Condition, str] | None:
    for names, condition, said in _STATES:
        if names & node.states:
            return condition, f"node {said} in Slurm{f': {node.reason[:200]}' if node.reason else ''}"
    return None


def _still_listed(node: SlurmNode, gpus: Iterable[Gpu]) -> tuple[list[Gpu], list[Gpu]]:
    """Those that the node still has, by type, and those that it has no more: the last ones."""
    left = Counter(gpu_counts(node.gres))
    there: list[Gpu] = []
    gone: list[Gpu] = []
    for gpu in gpus:
        (there if left[gpu.model] > 0 else gone).append(gpu)
        left[gpu.model] -= 1
    return there, gone


def _pools(node: SlurmNode, gpus: Iterable[Gpu]) -> Iterator[tuple[str, list[Gpu], int]]:
    """The GPUs of each type, and how many of them are used; all together where Slurm counts without types."""
    used = gpu_counts(node.gres_used)
    if UNTYPED in used:
        yield UNTYPED, list(gpus), sum(used.values())
        return
    pools: dict[str, list[Gpu]] = {}
    for gpu in gpus:
        pools.setdefault(gpu.model, []).append(gpu)
    yield from ((gres_type, pool, used.get(gres_type, 0)) for gres_type, pool in pools.items())


def _others_in(pool: Iterable[Gpu], in_use: int, marked: int, ours: Ours) -> int:
    """How many others use; where that is not clear, as many as are marked already, if it can be so many."""
    uuids = {gpu.uuid for gpu in pool}
    most = in_use - len(uuids & ours.held)
    least = most - len(uuids & ours.unsure)
    return max(min(max(marked, least), most), 0)


def _left_to_others(pool: Iterable[Gpu], count: int, ours: Ours) -> list[Gpu]:
    """So many that we do not hold, wherever Slurm has put others: the numbers of GPUs only count them.

    First those that are marked already; then those of a turn of ours that does not begin, for this will be the reason.
    """
    candidates = [gpu for gpu in pool if gpu.uuid not in ours.held]
    candidates.sort(
        key=lambda gpu: (
            gpu.uuid in ours.unsure, gpu.uuid not in ours.taken, gpu.uuid not in ours.waiting, -gpu.index,
        )
    )  # fmt: skip
    return candidates[:count]

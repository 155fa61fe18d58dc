"""How long a first turn is waited for at most, as it follows from order.py and the list as it stands.

Who has nothing running and has waited for two quanta goes before everybody, with one job. Of m such members on g GPUs
the last is served in the m/g-th round, and a round takes a quantum at most. So a one-GPU job of theirs begins within
2 + ceil(m / g) quanta, and the time that turns take to save. Not counted is an overdue gang that fits on no node, which
may come before them: it takes its nodes for a turn, and no more often than its patience is over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rota.domain.gpus import in_slices
from rota.policy.order import IDLE_QUANTA
from rota.policy.values import Snapshot


@dataclass(frozen=True, slots=True)
class Bound:
    """For a laboratory as it is at one moment. Times in seconds; saving comes on top."""

    members: int  #: who wait or have a turn
    gpus: int  #: in service, and not held in one piece for longer than a quantum
    quanta: int  #: within so many a member with nothing running has a one-GPU turn
    member_s: float


def first_turn_bound(snapshot: Snapshot) -> Bound | None:
    """None while no GPU is in service for turns that rotate."""
    rules = snapshot.rules
    held = {
        gpu
        for turn in snapshot.turns
        if turn.limit_at is not None and turn.limit_at > snapshot.at + rules.quantum_s
        for gpu in turn.gpus
    }
    out = held | in_slices(snapshot.gpus) | snapshot.conditions.keys()
    gpus = sum(gpu.uuid not in out for gpu in snapshot.gpus)
    if not gpus:
        return None
    members = len({job.member for job in snapshot.jobs})
    quanta = IDLE_QUANTA + max(math.ceil(members / gpus), 1)
    return Bound(members, gpus, quanta, quanta * rules.quantum_s)

"""What the policy goes by, in sentences with the numbers used."""

from __future__ import annotations

from rota.api.wording import clock
from rota.daemon.measured import Measured
from rota.domain.counts import say_count
from rota.domain.durations import say_duration
from rota.policy.bound import first_turn_bound
from rota.policy.order import IDLE_QUANTA
from rota.policy.quantum import COST_PART, LEAST_MEASURED_GPU_S, Bounds
from rota.policy.values import Snapshot


def quantum_sentence(measured: Measured, bounds: Bounds, now: float) -> str:
    """How long a turn is guaranteed now, and why so long."""
    pace, part = measured.pace, measured.cost_part
    cost = "" if part is None else f"stopping and resuming took {say_part(part)} of {_gpu_hours(pace.spent_gpu_s)}"
    if bounds.least_s >= bounds.most_s:
        return f"{say_duration(pace.quantum_s)}, fixed in rota.toml{f'; {cost}' if cost else ''}."
    between = f"{say_duration(bounds.least_s)} to {say_duration(bounds.most_s)}"
    why = f"auto, {between}: as short as keeps stopping and resuming under {say_part(COST_PART)} of GPU time"
    if change := measured.latest:
        way = "up" if change.after_s > change.before_s else "down"
        why += (
            f"; {way} from {say_duration(change.before_s)} at {clock(change.at, now)}, when they took "
            f"{say_part(change.cost_part)} of {_gpu_hours(change.spent_gpu_s)}"
        )
    if pace.spent_gpu_s < LEAST_MEASURED_GPU_S:
        return f"{say_duration(pace.quantum_s)} ({why}). {_waits_for(cost)}"
    return f"{say_duration(pace.quantum_s)} ({why}). Since then {cost}."


def bound_sentences(snapshot: Snapshot) -> list[str]:
    """How long a first turn is waited for at most (policy/bound.py), by the list as it is now."""
    rules, bound = snapshot.rules, first_turn_bound(snapshot)
    if bound is None:
        return ["No GPU is in service for turns that rotate, so none begins. See: rota fleet"]
    quantum, rounds = say_duration(rules.quantum_s), bound.quanta - IDLE_QUANTA
    members, gpus = say_count(bound.members, "member"), say_count(bound.gpus, "GPU")
    return [
        f"A member with nothing running who has waited for {IDLE_QUANTA} quanta of {quantum} goes before everybody, "
        "with one job. Only one that needs several nodes and has waited "
        f"{say_duration(rules.patience_s)} may come before, one turn at a time.",
        f"{members} on {gpus} in service: {IDLE_QUANTA} + {rounds} quanta of {quantum}; so such a one-GPU job begins "
        f"within {say_duration(bound.member_s)}, and the time that turns take to save.",
        f"Any other first turn: once it has waited {say_duration(rules.patience_s)} it is the first of its member's "
        f"jobs. No project that comes back is further ahead than {say_duration(rules.credit_s)} of its share.",
    ]


def _waits_for(cost: str) -> str:
    """It stays as it is until enough was measured."""
    return f"So far {cost or 'nothing was measured'}; it is looked at again after {_gpu_hours(LEAST_MEASURED_GPU_S)}."


def say_part(part: float) -> str:
    """A part as people read it.

    >>> say_part(0.0214), say_part(0.0004), say_part(0.02)
    ('2.1 %', '0.04 %', '2 %')
    """
    return f"{100 * part:.2g} %"


def _gpu_hours(gpu_s: float) -> str:
    return f"{gpu_s / 3600:.3g} GPU-hours"

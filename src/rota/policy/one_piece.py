"""Jobs without a checkpoint: they may not take the last GPUs from others' first turns for longer than a quantum."""

from __future__ import annotations

from rota.domain.reasons import TooLongInOnePiece
from rota.policy.place import Place
from rota.policy.standing import Standing


def too_long(standing: Standing, place: Place, needs_s: float, at: float) -> TooLongInOnePiece | None:
    """Why a job that cannot be stopped does not begin here now; None when nobody suffers."""
    quantum_s, tier = standing.rules.quantum_s, place.tier
    if needs_s <= quantum_s:
        return None
    others = {
        shape: jobs
        for shape, jobs in standing.shapes.items()
        if shape.is_first and shape.needs_s is None and (not shape.tiers or tier in shape.tiers)
    }
    if not others:
        return None
    left = _rotating_gpus(standing, tier, at + quantum_s) - len(place.gpus)
    if left >= min(shape.gpus for shape in others):
        return None
    return TooLongInOnePiece(needs_s, quantum_s, sum(others.values()))


def _rotating_gpus(standing: Standing, tier: str, soon: float) -> int:
    """GPUs of a tier in service that no turn holds for longer than a quantum from now."""
    bays = standing.bays
    held = {
        gpu
        for running in standing.running.values()
        if running.turn.limit_at is not None and running.turn.limit_at > soon
        for gpu in running.turn.gpus
    }
    return sum(
        gpu.uuid not in held and gpu.uuid not in bays.out for bay in bays.all if bay.tier == tier for gpu in bay.gpus
    )

"""Jobs without a checkpoint: they may not take the last GPUs from others' first turns for longer than a quantum."""

from __future__ import annotations

from rota.domain.reasons import TooLongInOnePiece
from rota.policy.bays import Bay
from rota.policy.place import Place
from rota.policy.standing import Standing


def too_long(standing: Standing, place: Place, needs_s: float, at: float) -> TooLongInOnePiece | None:
    """Why a job that cannot be stopped does not begin here now; None when nobody suffers."""
    quantum_s, tier = standing.rules.quantum_s, place.tier
    if needs_s <= quantum_s:
        return None
    in_service = [bay for bay in standing.bays.all if bay.tier == tier]
    others = {
        shape: jobs
        for shape, jobs in standing.first_turns.items()
        if (not shape.tiers or tier in shape.tiers)
        and standing.bays.could_hold(tier, shape.gpus, shape.gpu_memory_bytes)  # nobody waits for what cannot be
    }
    if not others:
        return None
    left = _rotating_gpus(standing, in_service, at + quantum_s) - len(place.gpus)
    if left >= min(shape.gpus for shape in others):
        return None
    return TooLongInOnePiece(needs_s, quantum_s, sum(others.values()))


def _rotating_gpus(standing: Standing, bays: list[Bay], soon: float) -> int:
    """GPUs in service that no turn holds for longer than a quantum from now."""
    held = {
        gpu
        for running in standing.running.values()
        if running.turn.limit_at is not None and running.turn.limit_at > soon
        for gpu in running.turn.gpus
    }
    return sum(gpu.uuid not in held and gpu.uuid not in standing.bays.out for bay in bays for gpu in bay.gpus)

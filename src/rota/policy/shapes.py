"""What a request needs of a place, without saying whose it is: where one job of a shape finds none, no other does."""

from __future__ import annotations

from typing import NamedTuple

from rota.domain.jobs import Job
from rota.policy.values import Account, Rules


class Shape(NamedTuple):
    """Equal for all jobs that fit the same places."""

    gpus: int
    gpu_memory_bytes: int
    cpus: int
    memory_bytes: int
    tiers: tuple[str, ...]
    needs_s: float | None  #: its whole time, without checkpoint
    account: Account | None  #: only while there are reservations: not everybody may use them


def shape_of(job: Job, rules: Rules, has_reservations: bool) -> Shape:
    """What its place must be like."""
    request = job.request
    return Shape(
        request.gpus,
        request.gpu_memory_bytes,
        request.cpus,
        request.memory_bytes,
        request.tiers,
        rules.limit_s(job) if request.checkpoint is None else None,
        (job.project, job.member) if has_reservations else None,
    )

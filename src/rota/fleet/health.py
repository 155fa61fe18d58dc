"""Which GPUs stopped answering, and which came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rota.domain.gpus import Condition

#: Who marks a GPU as failed when the driver does not answer for it; only such marks are taken away again by itself.
WATCHER = "rota"
EVERY_S = 15.0  # a lost GPU is noticed within this; one look costs about a millisecond


@dataclass(frozen=True, slots=True)
class HealthChange:
    """GPUs whose condition is to change."""

    failed: tuple[str, ...] = ()
    back: tuple[str, ...] = ()


def compare(lost: frozenset[str], marks: Mapping[str, tuple[Condition, str]], known: tuple[str, ...]) -> HealthChange:
    """What to change, given which GPUs do not answer and the present marks (condition, by whom)."""
    failed = tuple(uuid for uuid in known if uuid in lost and marks.get(uuid, (None, ""))[0] is not Condition.FAILED)
    ours = (uuid for uuid in known if marks.get(uuid) == (Condition.FAILED, WATCHER))
    return HealthChange(failed, tuple(uuid for uuid in ours if uuid not in lost))

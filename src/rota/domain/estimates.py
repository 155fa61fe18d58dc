"""What is believed about how long a job runs in all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where a belief comes from; the later ones are trusted more."""

    LIKE_JOBS = "like jobs"  # the history of jobs that look the same
    STATED = "stated"  # the member's own --time
    PROGRESS = "progress"  # how far it has come, from rota_turn.progress or its output


@dataclass(frozen=True, slots=True)
class Estimate:
    """Run time of a whole job, all its turns together."""

    total_s: float  #: seconds: what it has run, wherever that was, and what is left as on the fleet's fastest tier
    source: Source

    @property
    def is_measured(self) -> bool:
        """Whether the job itself has shown how fast it comes along."""
        return self.source is Source.PROGRESS

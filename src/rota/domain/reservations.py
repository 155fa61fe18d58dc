"""A reservation: GPUs kept for members or a project from one time to another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reservation:
    """Times are epoch seconds."""

    name: str
    gpus: int
    begins_at: float
    ends_at: float
    tiers: tuple[str, ...] = ()  #: where; empty: the best tiers first
    members: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()

    def admits(self, member: str, project: str) -> bool:
        """Whether a job of this member, charged to this project, may use what is reserved."""
        return member in self.members or project in self.projects

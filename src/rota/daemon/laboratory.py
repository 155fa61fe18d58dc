"""What one daemon serves: its fleet, what its settings say, and its memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rota.domain.gpus import Fleet
from rota.domain.jobs import JobState
from rota.domain.members import Project
from rota.domain.reservations import Reservation
from rota.ledger.deadlines import Deadline
from rota.policy.quantum import Bounds
from rota.policy.values import Rules
from rota.store.contract import JobFilter, Store


@dataclass(frozen=True, slots=True)
class Grace:
    """Bounds of the time between notice and end, in seconds (design.md, Turns 4)."""

    least_s: float = 120.0
    most_s: float = 1200.0

    def for_interval(self, saving_interval_s: float | None) -> float:
        """Twice the job's own saving interval, between the bounds; the least while none is known."""
        if saving_interval_s is None:
            return self.least_s
        return min(max(2 * saving_interval_s, self.least_s), self.most_s)


@dataclass(slots=True)
class Laboratory:
    """All but fleet and store are replaced when the settings are read anew."""

    fleet: Fleet
    store: Store
    rules: Rules  #: as the settings say; what is in force depends on measurements, too
    grace: Grace
    bounds: Bounds | None = None  #: between which the quantum adapts; None: it is that of the rules
    reservations: tuple[Reservation, ...] = ()
    deadlines: tuple[Deadline, ...] = ()

    @property
    def quantum_bounds(self) -> Bounds:
        """Equal ones when the quantum is fixed."""
        return self.bounds or Bounds(self.rules.quantum_s, self.rules.quantum_s)

    def rules_in_force(self, projects: Mapping[str, Project], quantum_s: float, speeds: Mapping[str, float]) -> Rules:
        """The rules with what was measured, and with each project's own weight.

        The settings file overrides what `rota project add` said.
        """
        weights = {name: project.weight for name, project in projects.items()}
        weights.update(self.rules.project_weights)
        return replace(self.rules, project_weights=weights, quantum_s=quantum_s, speeds=speeds)

    def end_of(self, job: int) -> JobState | None:
        """How a job of the past ended; None when there never was one."""
        found = self.store.jobs(JobFilter(ids=(job,)))
        return found[0].state if found else None

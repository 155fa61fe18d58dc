"""What one daemon serves: its fleet, the rules in force, and its memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rota.domain.gpus import Fleet
from rota.domain.jobs import JobState
from rota.domain.members import Project
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
    """Fleet, rules and grace are replaced when the settings are read anew."""

    fleet: Fleet
    store: Store
    rules: Rules
    grace: Grace

    def rules_with(self, projects: Mapping[str, Project]) -> Rules:
        """The rules with each project's own weight; the settings file overrides what `rota project add` said."""
        weights = {name: project.weight for name, project in projects.items()}
        return replace(self.rules, project_weights={**weights, **self.rules.project_weights})

    def end_of(self, job: int) -> JobState | None:
        """How a job of the past ended; None when there never was one."""
        found = self.store.jobs(JobFilter(ids=(job,)))
        return found[0].state if found else None

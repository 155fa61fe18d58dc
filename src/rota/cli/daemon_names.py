"""What the daemon knows by name, asked for when a script needs it, and once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from rota.cli.client import Answer, Client


class DaemonNames:
    """Tiers, projects, arrays. Raises NoDaemon."""

    def __init__(self, api: Client) -> None:
        self._api = api

    def tiers(self) -> Sequence[str]:
        return [tier.lower() for tier in self._fleet["tiers"]]

    def largest_node(self) -> int:
        """GPUs of the node that has most."""
        return max(Counter(gpu["node"] for gpu in self._fleet["gpus"]).values(), default=0)

    def projects(self) -> Sequence[str]:
        """Those that jobs may be charged to; empty: any."""
        return self._projects

    def tasks_of(self, job: int, task: str = "") -> Sequence[int]:
        """The jobs of the array that this one began, or of one task of it; the job itself, if it is no array."""
        wanted = f"{job}_"
        tasks = [one["job"] for one in self._jobs if one["array"].startswith(wanted)]
        if task:
            tasks = [one["job"] for one in self._jobs if one["array"] == f"{wanted}{task}"]
        return sorted(tasks) or [job]

    @cached_property
    def _fleet(self) -> Answer:
        return self._api.get("/fleet")

    @cached_property
    def _projects(self) -> list[str]:
        return [project["name"] for project in self._api.get("/projects")["projects"]]

    @cached_property
    def _jobs(self) -> list[Answer]:
        return list(self._api.get("/jobs", all=True)["jobs"])

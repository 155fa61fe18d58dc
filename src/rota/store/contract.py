"""The contract of every store. `record` is the only way in: one durable transaction per call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rota.domain.forecasts import Promise
from rota.domain.gpus import Condition
from rota.domain.jobs import Job, Launch, Transition
from rota.domain.members import Project
from rota.domain.turns import Turn


@dataclass(frozen=True, slots=True)
class GpuMark:
    """A GPU that an administrator drained, or that failed. HEALTHY takes the mark away."""

    gpu: str  #: UUID
    condition: Condition
    at: float
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that came in by a one-time link. Only the token's SHA-256 is kept."""

    token_hash: str
    member: str
    uid: int
    expires_at: float


@dataclass(frozen=True, slots=True)
class Entries:
    """What one step writes down: whole new values, each replacing the one of the same id."""

    jobs: Sequence[Job] = ()
    launches: Sequence[tuple[int, Launch]] = ()  #: job number and how to start it; written once
    turns: Sequence[Turn] = ()
    transitions: Sequence[Transition] = ()
    marks: Sequence[GpuMark] = ()
    projects: Sequence[Project] = ()
    promises: Sequence[Promise] = ()  #: one for each turn of a job; a later one of the same turn replaces it

    def __bool__(self) -> bool:
        return any((self.jobs, self.launches, self.turns, self.transitions, self.marks, self.projects, self.promises))


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a daemon needs to go on after it was away."""

    jobs: Sequence[Job] = ()  #: those that have not ended, and the ended ones that an open job follows
    turns: Sequence[Turn] = ()  #: those that have not ended
    marks: Sequence[GpuMark] = ()
    projects: Sequence[Project] = ()
    last_job: int = 0  #: the highest number given so far


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs of the past to list, newest first."""

    member: str | None = None
    is_final: bool | None = None
    limit: int = 1000
    ids: tuple[int, ...] = field(default=())


class Store(Protocol):
    """Durable memory. Every method raises StoreUnavailable when it cannot do its work; then nothing was written.

    Where several daemons may lead (PostgreSQL), every method of one that no longer does raises NotLeader.
    """

    def record(self, entries: Entries) -> None:
        """Write all entries in one transaction; when this returns they survive kill -9 and power loss."""

    def assure_leading(self) -> None:
        """Make sure that no other daemon writes at this moment. Raises NotLeader, StoreUnavailable."""

    def remember(self) -> Remembered:
        """Everything that has not ended."""

    def launch(self, job: int) -> Launch:
        """How to start a job. Raises NoSuchThing."""

    def jobs(self, wanted: JobFilter) -> Sequence[Job]:
        """Jobs of the past and present, newest first."""

    def turns_of(self, jobs: Sequence[int]) -> Sequence[Turn]:
        """All turns of these jobs, in order of job and number."""

    def turns_since(self, at: float) -> Sequence[tuple[Turn, str, str]]:
        """Turns that were running at that moment or later, each with its job's project and member."""

    def promises_since(self, at: float, limit: int) -> Sequence[Promise]:
        """The latest promises that were made at that moment or later, at most `limit`, oldest first."""

    def transitions_of(self, job: int) -> Sequence[Transition]:
        """Every recorded step of a job and of its turns, oldest first."""

    def keep_session(self, session: Session) -> None:
        """Remember a browser; a session whose token hash is known is replaced. Expired ones are forgotten."""

    def session(self, token_hash: str, now: float) -> Session | None:
        """The session of that token, unless it has expired."""

    def close(self) -> None:
        """Let the database go."""

"""What people ask of the daemon: plain values, carried from the API to the loop."""

from __future__ import annotations

from dataclasses import dataclass

from rota.domain.gpus import Condition
from rota.domain.jobs import Launch, Request
from rota.domain.members import Member, Project


@dataclass(frozen=True, slots=True)
class Task:
    """One job of a submit; an array has several."""

    name: str
    launch: Launch
    command: str  #: for showing
    array: str = ""  #: task number within the array, "" for a single job


@dataclass(frozen=True, slots=True)
class Submit:
    """Put jobs on the waiting list, all or none."""

    by: Member
    member: str  #: whose jobs they are
    project: str | None
    request: Request
    tasks: tuple[Task, ...]
    dry_run: bool = False
    is_held: bool = False  #: recorded, and kept off the list until it is released
    waiting_since: float | None = None  #: an administrator's word on how long it has waited elsewhere
    origin: str = ""  #: where it waited before; of one origin there is one open submit at most


@dataclass(frozen=True, slots=True)
class Cancel:
    by: Member
    job: int


@dataclass(frozen=True, slots=True)
class Hold:
    by: Member
    job: int


@dataclass(frozen=True, slots=True)
class Release:
    by: Member
    job: int
    waiting_since: float | None = None  #: an administrator's word on how long it has waited elsewhere


@dataclass(frozen=True, slots=True)
class GiveBack:
    """End the present turn early, saved; the job is on the list again."""

    by: Member
    job: int


@dataclass(frozen=True, slots=True)
class Move:
    """Change which tiers a job accepts."""

    by: Member
    job: int
    tiers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Drain GPUs, put them back into service, or note that they failed."""

    by: Member
    gpus: tuple[str, ...]  #: UUIDs
    condition: Condition
    why: str = ""


@dataclass(frozen=True, slots=True)
class AddProject:
    by: Member
    project: Project


JobCommand = Cancel | Hold | Release | GiveBack | Move
Command = Submit | JobCommand | Mark | AddProject


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person is told when it is done."""

    message: tuple[str, ...]
    jobs: tuple[int, ...] = ()

"""A simulated day as data: who and what happens when. Nothing in it depends on what the daemon does with it.

Happenings speak of each other by their numbers in the day, never by jobs' numbers: those depend on the daemon, and on
which other happenings are left when a day that fails is made smaller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rota.domain.gpus import Condition, Fleet
from rota.domain.jobs import Request
from rota.domain.members import Project
from rota.domain.reservations import Reservation
from rota.ledger.deadlines import Deadline
from rota.policy.quantum import Bounds
from rota.simulate.machine import Script


class Verb(StrEnum):
    """What people do to one job."""

    CANCEL = "cancel"
    HOLD = "hold"
    RELEASE = "release"
    GIVE_BACK = "give back"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Submits:
    """A member puts a job, or an array of equal ones, on the list."""

    member: str
    project: str
    request: Request  #: without its predecessor
    script: Script
    tasks: int = 1
    follows: int | None = None  #: the happening whose first job it follows, however that ends


@dataclass(frozen=True, slots=True)
class Changes:
    """Somebody does something to a job, sensible or not."""

    verb: Verb
    submit: int  #: the happening that submitted it; while that is unanswered, a job that does not exist
    task: int = 0
    tiers: tuple[str, ...] = ()  #: for a move


@dataclass(frozen=True, slots=True)
class Marks:
    """A GPU is drained, fails, or comes back."""

    gpu: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class AddsProject:
    """From the first one on, jobs may be charged to known projects only."""

    project: Project


@dataclass(frozen=True, slots=True)
class Reserves:
    """The settings reserve GPUs, as every daemon of the day knows. Times in seconds of the day."""

    reservation: Reservation


@dataclass(frozen=True, slots=True)
class Expects:
    """The settings have a deadline. Times in seconds of the day."""

    deadline: Deadline


@dataclass(frozen=True, slots=True)
class SetsQuantum:
    """Another quantum is set while the daemon runs."""

    quantum_s: float


class Fault(StrEnum):
    """What goes wrong in the daemon, or under its hands."""

    CRASH = "crash"
    STORE = "store"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Strikes:
    """From then on so many points pass, and the next ones fail: between two effects, at a record, at an engine call."""

    fault: Fault
    passes: int = 0
    times: int = 1


@dataclass(frozen=True, slots=True)
class LosesTurn:
    """The keeper of whichever turn is on this GPU dies, with its processes."""

    gpu: str


@dataclass(frozen=True, slots=True)
class ClockJumps:
    """The machine's wall clock is set."""

    by_s: float


What = (
    Submits | Changes | Marks | AddsProject | Reserves | Expects | SetsQuantum | Strikes | LosesTurn | ClockJumps
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Happening:
    """What happens, and at which second of the day."""

    at: float
    what: What


@dataclass(frozen=True, slots=True)
class Day:
    """One laboratory and its happenings, numbered from 1 in the order of their time."""

    seed: int
    fleet: Fleet
    quantum_s: float
    bounds: Bounds | None  #: None: the quantum is fixed
    lasts_s: float  #: everything happens in this time; then everything works, and all jobs must end
    happenings: Mapping[int, Happening]

    def only(self, numbers: Iterable[int]) -> Day:
        """The same day with some of its happenings, under their old numbers. Raises KeyError for one it lacks."""
        kept = {number: self.happenings[number] for number in sorted(set(numbers))}
        return Day(self.seed, self.fleet, self.quantum_s, self.bounds, self.lasts_s, kept)

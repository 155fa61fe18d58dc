"""The contract that every engine keeps: local processes, Slurm, and the simulated one.

Rules that the daemon relies on (tests/engines/contract.py checks them on every engine):

- `start` is idempotent by turn id: however often it is called, also by another daemon after a crash,
  the job's command is executed at most once for that id, and exactly one `Ended` comes of it.
- `end` is idempotent; a later order with less patience (AT_ONCE after POLITE) takes its place.
- `adopt` is called once for each unfinished turn after the daemon has come back: whatever happened in
  the meantime is reported by `events`, as if it were new. Reports may come twice; readers tolerate it.
- After `Ended`, no process of the turn is alive and its GPUs may be given away.
- Nothing blocks: an engine that is out of reach raises EngineUnavailable, and the daemon tries again. While `trouble`
  says something, the daemon decides nothing new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from rota.domain.gpus import Gpu
from rota.domain.jobs import Launch

#: "Give me another turn", HTCondor's convention for a checkpointed exit.
EXIT_AGAIN = 85


@dataclass(frozen=True, slots=True)
class StartOrder:
    """Everything an engine needs to run one turn."""

    turn: str  #: turn id, "12.3"
    job: int
    number: int
    job_name: str
    project: str
    launch: Launch
    gpus: tuple[Gpu, ...]
    guaranteed_until: float
    checkpoint: str | None = None
    notice_signal: str | None = None
    progress: tuple[int, int] | None = None  #: (step, total) that the job had reached before this turn
    cpus: int = 0  #: 0: not asked
    memory_bytes: int = 0  #: host memory; 0: not asked


class Patience(StrEnum):
    """How a turn is ended."""

    POLITE = "polite"  # notice, grace until the checkpoint is renewed, TERM, KILL
    AT_ONCE = "at once"  # TERM, 10 s, KILL: a cancel, a failed GPU, time over


@dataclass(frozen=True, slots=True)
class EndOrder:
    """How to end one turn."""

    turn: str
    patience: Patience
    grace_s: float = 0.0  #: at most; extended once by as much when nothing was saved
    why: str = ""  #: one sentence, put into the notice file for the job to read


# --- what an engine reports ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Began:
    """The job's command is being executed."""

    turn: str
    at: float


@dataclass(frozen=True, slots=True)
class Noticed:
    """The notice was given; the grace runs."""

    turn: str
    at: float


@dataclass(frozen=True, slots=True)
class Saved:
    """The checkpoint was renewed and is complete."""

    turn: str
    at: float
    interval_s: float | None = None  #: the job's own saving interval so far (median), if it saved twice


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far the job is: by `rota_turn.progress(step, total)`, else as its output shows."""

    turn: str
    at: float
    step: int
    total: int  #: 0: what its output showed before has turned out to be no measure of the job

    @property
    def progress(self) -> tuple[int, int] | None:
        """(step, total); None when it is not known any more."""
        return (self.step, self.total) if self.total > 0 else None


@dataclass(frozen=True, slots=True)
class Ended:
    """No process of the turn is left."""

    turn: str
    at: float  #: epoch seconds
    clock_s: float  #: from begin to end by the keeper's monotonic clock
    began_at: float | None = None  #: None: the command was never executed
    exit_code: int | None = None  #: of the main process; None when a signal killed it
    signal: int | None = None  #: the signal that killed it
    notice_at: float | None = None
    was_terminated: bool = False  #: the engine sent TERM or KILL to the main process
    said_done: bool = False  #: rota_turn.done(), or `done` in ROTA_RESULT
    saved_at: float | None = None  #: last complete renewal of the checkpoint in this turn
    saved_after_notice: bool = False
    error: str = ""  #: why the command could not be executed, or was lost: a sentence for its member
    is_lost: bool = False  #: the keeper or node died; what ran is not known to have ended by itself


EngineEvent = Began | Noticed | Saved | Progressed | Ended


class Engine(Protocol):
    """Where turns run."""

    def start(self, order: StartOrder) -> None:
        """Execute the job's command on these GPUs. Raises EngineUnavailable."""

    def end(self, order: EndOrder) -> None:
        """End the turn. Raises EngineUnavailable."""

    def adopt(self, order: StartOrder, was_started: bool) -> None:
        """Find a turn of an earlier daemon again; start it if it never was. Raises EngineUnavailable."""

    def events(self) -> Sequence[EngineEvent]:
        """What happened since the last call, oldest first."""

    def trouble(self) -> str:
        """Why turns can neither begin nor end now, as a sentence with since when; "" while all is well."""

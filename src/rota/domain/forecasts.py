"""When a job's next turn begins, and when the job is done: ranges with probabilities."""

from __future__ import annotations

from dataclasses import dataclass

#: The probabilities that a range gives: one in ten before `early`, half before `likely`, nine in ten before `late`.
LEVELS = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Range:
    """10, 50 and 90 % quantiles of a moment; epoch seconds, ascending."""

    early: float
    likely: float
    late: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of one job, as of one moment."""

    job: int
    turn: int  #: number of the turn that `begin` is about: 1 for the first
    made_at: float
    begin: Range | None  #: of that turn; None: it needs none, or nothing can be said (it waits for other jobs)
    finish: Range | None  #: of the job; None: nothing can be said
    tier: str | None = None  #: on which that turn most likely is


#: What `Promise.turn` says of a promise about the end of the whole job.
END = 0


@dataclass(frozen=True, slots=True)
class Promise:
    """A begin that was told to a member, and what came of it. Those that were kept say how good the next one is.

    A promise about the job's end is one, too, with `END` for its turn: what is said here of a begin is then its end.
    """

    job: int
    turn: int
    gpus: int
    tier: str  #: on which the turn was expected, or was; "" for unknown
    made_at: float
    raw: Range  #: as the sampled futures had it
    told: Range  #: as it was told: calibrated by earlier promises
    began_at: float | None = None  #: None: not yet
    is_void: bool = False  #: the job was cancelled, held or changed before: nothing can be learnt from it

    @property
    def is_kept(self) -> bool | None:
        """Whether the turn began by the 90 % bound; None: not known."""
        if self.is_void or self.began_at is None:
            return None
        return self.began_at <= self.told.late

    @property
    def lead_s(self) -> float:
        """How far ahead it looked."""
        return max(self.told.likely - self.made_at, 0.0)

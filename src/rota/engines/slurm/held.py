"""One turn in Slurm's hands, as the engine remembers it between two looks."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rota.engines.contract import EndOrder, Patience, StartOrder
from rota.engines.keeper import files
from rota.engines.slurm.judge import Sight
from rota.engines.slurm.submit import OUTPUT
from rota.engines.turn_folder import reports
from rota.slurm.listing import Listed

JOB = "slurm.json"  # {"job": 1234}: as which Slurm job the turn was handed over
HANDING_OVER = "handing-over"  # is there from before sbatch: whoever finds it without JOB asks Slurm first
MOST_SAID_BYTES = 600


@dataclass(slots=True)
class Held:
    """Times are monotonic seconds of this daemon."""

    order: StartOrder
    folder: Path
    job: int | None = None  #: Slurm's number
    handed_over_at: float | None = None  #: None: not yet, as far as this daemon knows
    end: EndOrder | None = None
    end_told: EndOrder | None = None  #: what end.json says
    at_once_at: float | None = None
    gone_since: float | None = None
    beat: object = None
    beat_at: float = 0.0
    is_cancelled: bool = False  #: its Slurm job was told to go
    cancel_reason: str = ""
    begun: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)  #: the state.json that was reported

    def look(self, now: float) -> None:
        """Read what the keeper wrote."""
        if not self.begun:
            self.begun = reports.read(self.folder, files.BEGUN)
            self.beat_at = now
        if self.begun:
            number = str(self.begun.get("slurm_job", ""))
            self.job = int(number) if number.isdigit() else self.job
            beat = reports.read(self.folder, files.ALIVE).get("beat")
            if beat != self.beat:
                self.beat, self.beat_at = beat, now

    def sight(self, listed: Listed | None, now: float, has_exit: bool) -> Sight:
        """What is seen of it."""
        is_gone = listed is None or listed.is_over
        self.gone_since = (self.gone_since or now) if is_gone else None
        return Sight(
            has_exit=has_exit,
            has_begun=bool(self.begun),
            listed=listed,
            gone_s=now - self.gone_since if self.gone_since is not None else 0.0,
            silent_s=now - self.beat_at,
            pending_s=now - (self.handed_over_at or now),
            wants_end=self.end is not None,
            at_once_s=now - self.at_once_at if self.at_once_at is not None else 0.0,
        )

    def wish(self, end: EndOrder, now: float) -> None:
        """How it is to end; less patience takes the place of more, never the other way round."""
        if self.end is not None and self.end.patience is Patience.AT_ONCE and end.patience is Patience.POLITE:
            return
        self.end = end
        if end.patience is Patience.AT_ONCE and self.at_once_at is None:
            self.at_once_at = now

    def last_sign_of_life(self) -> float:
        """Epoch seconds, by the clock of the file system."""
        written = [self.folder / name for name in (files.ALIVE, files.STATE, files.BEGUN)]
        return max((path.stat().st_mtime for path in written if path.exists()), default=0.0)

    def said(self) -> str:
        """The last line that the job's script printed: the shell's, when there is no Python."""
        try:
            file = os.open(self.folder / OUTPUT, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return ""
        try:
            lines = os.read(file, MOST_SAID_BYTES).decode(errors="replace").strip().splitlines()
        finally:
            os.close(file)
        return lines[-1][:200] if lines else ""

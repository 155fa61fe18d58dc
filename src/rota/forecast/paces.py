"""How fast jobs come along on each tier, from their own progress reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: A job tells something about a tier after it has reported for so long there.
LEAST_SEEN_S = 60.0
#: Ended jobs that are remembered because they ran on two tiers.
MOST_REMEMBERED = 500


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of the job between two reports of one turn, and how long it took; added up over turns."""

    part: float = 0.0
    seconds: float = 0.0

    @property
    def per_s(self) -> float | None:
        """Part of the job a second; None while too little was seen."""
        return self.part / self.seconds if self.seconds >= LEAST_SEEN_S and self.part > 0 else None


@dataclass(slots=True)
class Paces:
    """What the reports say, by job and tier. Start-up is left out: a stretch begins with a turn's first report."""

    by_job: dict[int, dict[str, Stretch]] = field(default_factory=dict)
    _latest: dict[str, tuple[float, float]] = field(default_factory=dict)  #: by turn: (part of the job, when)

    def report(self, turn: str, job: int, tier: str, step: int, total: int, at: float) -> None:
        """A turn says how far its job is. A report that comes again changes nothing.

        Parts of the job are compared, not steps: a job may count epochs in one turn and batches in the next.
        """
        before = self._latest.get(turn)
        if before is not None and at <= before[1]:
            return
        part = step / total
        self._latest[turn] = (part, at)
        if before is None or part < before[0]:
            return
        so_far = self.by_job.setdefault(job, {}).get(tier, Stretch())
        self.by_job[job][tier] = Stretch(so_far.part + part - before[0], so_far.seconds + at - before[1])

    def end_turn(self, turn: str) -> None:
        """It reports no more."""
        self._latest.pop(turn, None)

    def end_job(self, job: int) -> None:
        """Of jobs that have ended, those that ran on two tiers are remembered, the latest ones."""
        stretches = self.by_job.pop(job, {})
        if len(stretches) > 1:
            self.by_job[job] = stretches
            while len(self.by_job) > MOST_REMEMBERED:
                del self.by_job[next(iter(self.by_job))]

    def ratios(self, tier: str, other: str) -> list[float]:
        """How many times faster on `tier` than on `other`: one figure for each job that ran on both."""
        found = []
        for stretches in self.by_job.values():
            here, there = _per_s(stretches, tier), _per_s(stretches, other)
            if here and there:
                found.append(here / there)
        return found


def _per_s(stretches: Mapping[str, Stretch], tier: str) -> float | None:
    stretch = stretches.get(tier)
    return stretch.per_s if stretch else None

"""How fast a job comes along lately: its pace from its progress reports, the later ones weighing more."""

from __future__ import annotations

from dataclasses import dataclass, replace

#: An interval between two reports weighs by the square of how late it came: of what was seen of a job so far, the last
#: half has 7/8 of the weight. The cube would follow a change sooner, and take an evaluation for one.
FORGETTING = 2
#: Less than this was seen: the pace since the job's beginning tells more.
LEAST_SEEN_S = 30.0


@dataclass(frozen=True, slots=True)
class Course:
    """The intervals between reports, added up with their weights.

    Only time between two reports of one turn counts. What lies before a turn's first report is its start: imports,
    compiling, reading the checkpoint, the slow first step. It has been spent and tells nothing of the steps to come.
    """

    seen_s: float = 0.0  #: run time between reports, not weighted
    weighted_s: float = 0.0
    weighted_part: float = 0.0  #: of the whole job, done in that time
    turn: str = ""  #: of the latest report
    ran_s: float = 0.0  #: run time of the job at the latest report, all turns together
    part: float = 0.0  #: of the job, done by then

    def reported(self, turn: str, ran_s: float, part: float) -> Course:
        """With one more report. One that falls back (a resumed checkpoint, another count) begins an interval anew."""
        latest = replace(self, turn=turn, ran_s=ran_s, part=part)
        passed_s = ran_s - self.ran_s
        if turn == self.turn and passed_s <= 0:
            return self  # reports may come twice
        if turn != self.turn or part < self.part:
            return latest
        seen_s = self.seen_s + passed_s
        fades = (self.seen_s / seen_s) ** FORGETTING
        return replace(
            latest,
            seen_s=seen_s,
            weighted_s=self.weighted_s * fades + passed_s,
            weighted_part=self.weighted_part * fades + part - self.part,
        )

    @property
    def pace(self) -> float | None:
        """Part of the job done in a second of run time; None while too little was seen, or nothing was done."""
        if self.seen_s < LEAST_SEEN_S or self.weighted_part <= 0:
            return None
        return self.weighted_part / self.weighted_s

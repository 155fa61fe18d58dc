"""What forecasting processes learn from, in the order in which it happened, and how far each has read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from rota.daemon.forecasting.orders import Begun, Ended, Lesson, Submitted
from rota.domain.forecasts import Promise
from rota.domain.jobs import Job

PAST_JOBS = 5000  # a process that begins is told of so many, at most


@dataclass(slots=True)
class Feed:
    """The latest lessons, numbered from the first one on."""

    _lessons: list[Lesson] = field(default_factory=list)
    _dropped: int = 0  #: lessons that were forgotten
    most: int = 3 * PAST_JOBS  #: lessons

    @staticmethod
    def of(jobs: Iterable[Job], promises: Iterable[Promise]) -> Feed:
        """What is known of these jobs, open and ended ones, and of promises whose turns have begun."""
        jobs = list(jobs)
        known: list[tuple[float, int, Lesson]] = [(job.submitted_at, job.id, Submitted(job)) for job in jobs]
        known += [(job.ended_at, job.id, Ended(job)) for job in jobs if job.ended_at is not None]
        known += [(one.began_at, one.job, Begun(one)) for one in promises if one.began_at is not None]
        known.sort(key=lambda one: one[:2])
        return Feed([lesson for _, _, lesson in known])

    def add(self, lesson: Lesson) -> None:
        """Something has happened."""
        self._lessons.append(lesson)
        if len(self._lessons) > self.most + self.most // 4:
            excess = len(self._lessons) - self.most
            del self._lessons[:excess]
            self._dropped += excess

    def since(self, number: int) -> tuple[Sequence[Lesson], int]:
        """The lessons from that number on, and the number to go on from."""
        begin = max(number - self._dropped, 0)
        return tuple(islice(self._lessons, begin, None)), self._dropped + len(self._lessons)

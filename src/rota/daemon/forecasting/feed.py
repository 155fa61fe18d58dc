"""What forecasting processes learn from: submits and ends in their order, and how far each process has read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from rota.daemon.forecasting.orders import Lesson
from rota.domain.jobs import Job

PAST_JOBS = 5000  # a process that begins is told of so many, at most


@dataclass(slots=True)
class Feed:
    """The latest lessons, numbered from the first one on."""

    _lessons: list[Lesson] = field(default_factory=list)
    _dropped: int = 0  #: lessons that were forgotten
    most: int = 2 * PAST_JOBS

    @staticmethod
    def of(jobs: Iterable[Job]) -> Feed:
        """What is known of these jobs, open and ended ones."""
        told = [(job.submitted_at, False, job) for job in jobs]
        told += [(job.ended_at, True, job) for _, _, job in told if job.ended_at is not None]
        told.sort(key=lambda one: one[:2])
        return Feed([Lesson(job, has_ended) for _, has_ended, job in told])

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

"""One account's waiting jobs, kept in the order in which they would be served."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import NamedTuple

from rota.domain.jobs import Job
from rota.policy.rank import NEVER
from rota.policy.shapes import Shape

#: Level, place in it, and what breaks ties, the running one first. Level 0 has those who are overdue, by time; level 1
#: those who are due, and level 2 all others, by rank.
Key = tuple[int, float, int, float, int]


class Candidate(NamedTuple):
    """A waiting job, in its place. A tuple: one is made each time a job is put on the list."""

    job: Job
    key: Key
    rank: float
    dues: tuple[float, float]  #: when it is overdue (level 0), and when due (level 1)
    shape: Shape


class Line:
    """Waiting jobs of one account in order. Adding and removing one of n costs O(log n) comparisons."""

    def __init__(self) -> None:
        self.candidates: dict[int, Candidate] = {}
        self._keys: list[Key] = []
        self._dues: list[tuple[float, int]] = []
        self._since: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self.candidates)

    def add(self, job: Job, rank: float, dues: tuple[float, float], shape: Shape) -> None:
        """Put a job into its place."""
        self._put(at_level(2, job, rank, dues, shape))
        for due_at in dues:
            if due_at < NEVER:
                heapq.heappush(self._dues, (due_at, job.id))
        heapq.heappush(self._since, (job.waiting_since, job.id))

    def add_all(self, candidates: list[Candidate]) -> None:
        """The same for many at once, into an empty line."""
        self.candidates = {candidate.job.id: candidate for candidate in candidates}
        self._keys = sorted(candidate.key for candidate in candidates)
        self._dues = [(due_at, one.job.id) for one in candidates for due_at in one.dues if due_at < NEVER]
        self._since = [(candidate.job.waiting_since, candidate.job.id) for candidate in candidates]
        heapq.heapify(self._dues)
        heapq.heapify(self._since)

    def copy(self) -> Line:
        """One of its own with the same jobs."""
        line = Line()
        line.candidates = self.candidates.copy()
        line._keys, line._dues, line._since = self._keys.copy(), self._dues.copy(), self._since.copy()
        return line

    def remove(self, job: int) -> Candidate | None:
        """Take a job out; None when it is not here."""
        candidate = self.candidates.pop(job, None)
        if candidate is None:
            return None
        del self._keys[bisect_left(self._keys, candidate.key)]
        return candidate

    def advance(self, at: float) -> None:
        """Move those to the front that have become due."""
        while self._dues and self._dues[0][0] <= at:
            due_at, job = heapq.heappop(self._dues)
            if self._is_current(due_at, job):
                candidate = self.candidates[job]
                self.remove(job)
                level = 0 if candidate.dues[0] <= at else 1
                self._put(at_level(level, candidate.job, candidate.rank, candidate.dues, candidate.shape))

    def next_due_at(self) -> float:
        """When the next job becomes due; `NEVER` if none will."""
        while self._dues and not self._is_current(*self._dues[0]):
            heapq.heappop(self._dues)
        return self._dues[0][0] if self._dues else NEVER

    def waits_since(self) -> float:
        """Since when the longest-waiting job waits. Raises IndexError on an empty line."""
        while True:
            since, job = self._since[0]
            candidate = self.candidates.get(job)
            if candidate is not None and candidate.job.waiting_since == since:
                return since
            heapq.heappop(self._since)

    def first_key(self) -> Key | None:
        """The place of the first in line."""
        return self._keys[0] if self._keys else None

    def in_order(self) -> Iterator[Candidate]:
        """The candidates, first one first."""
        candidates = self.candidates
        return (candidates[key[4]] for key in self._keys)

    def _put(self, candidate: Candidate) -> None:
        self.candidates[candidate.job.id] = candidate
        insort(self._keys, candidate.key)

    def _is_current(self, due_at: float, job: int) -> bool:
        """Whether this date still moves the job forward."""
        candidate = self.candidates.get(job)
        if candidate is None or due_at not in candidate.dues:
            return False
        return candidate.key[0] > (0 if due_at == candidate.dues[0] else 1)


def at_level(level: int, job: Job, rank: float, dues: tuple[float, float], shape: Shape) -> Candidate:
    """A waiting job in its place at this level."""
    return Candidate(job, (level, dues[0] if level == 0 else rank, 1, job.submitted_at, job.id), rank, dues, shape)

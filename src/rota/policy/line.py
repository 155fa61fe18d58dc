"""One account's waiting jobs, kept in the order in which they would be served."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

from rota.domain.jobs import Job
from rota.policy.rank import NEVER

#: (0, due at, ...) for who is due, (1, rank, ...) for the others; the rest breaks ties, the running one first.
Key = tuple[int, float, int, float, int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A waiting job, in its place."""

    job: Job
    key: Key
    due_at: float


class Line:
    """Waiting jobs of one account in order. Adding and removing one of n costs O(log n) comparisons."""

    def __init__(self) -> None:
        self.candidates: dict[int, Candidate] = {}
        self._keys: list[Key] = []
        self._dues: list[tuple[float, int]] = []
        self._since: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self.candidates)

    def add(self, job: Job, rank: float, due_at: float) -> None:
        """Put a job into its place."""
        self._put(Candidate(job, (1, rank, 1, job.submitted_at, job.id), due_at))
        if due_at < NEVER:
            heapq.heappush(self._dues, (due_at, job.id))
        heapq.heappush(self._since, (job.waiting_since, job.id))

    def add_all(self, candidates: list[Candidate]) -> None:
        """The same for many at once, into an empty line."""
        self.candidates = {candidate.job.id: candidate for candidate in candidates}
        self._keys = sorted(candidate.key for candidate in candidates)
        self._dues = [(candidate.due_at, candidate.job.id) for candidate in candidates if candidate.due_at < NEVER]
        self._since = [(candidate.job.waiting_since, candidate.job.id) for candidate in candidates]
        heapq.heapify(self._dues)
        heapq.heapify(self._since)

    def remove(self, job: int) -> Job | None:
        """Take a job out; None when it is not here."""
        candidate = self.candidates.pop(job, None)
        if candidate is None:
            return None
        del self._keys[bisect_left(self._keys, candidate.key)]
        return candidate.job

    def advance(self, at: float) -> None:
        """Move those to the front that have become due."""
        while self._dues and self._dues[0][0] <= at:
            due_at, job = heapq.heappop(self._dues)
            candidate = self.candidates.get(job)
            if candidate is not None and candidate.due_at == due_at and candidate.key[0] == 1:
                self.remove(job)
                self._put(Candidate(candidate.job, (0, due_at, 1, candidate.job.submitted_at, job), due_at))

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
        candidate = self.candidates.get(job)
        return candidate is not None and candidate.due_at == due_at and candidate.key[0] == 1

"""What is expected of each job's run time: the forecast's functions, fed by what the daemon hears."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rota.domain.estimates import Estimate
from rota.domain.jobs import Job
from rota.domain.turns import Turn
from rota.engines.contract import Progressed
from rota.forecast.durations import LikeJobs, from_progress, stated
from rota.store.contract import Entries, JobFilter, Store

PAST_JOBS = 2000  # ended jobs that are read at the start, to know what like jobs took


@dataclass(slots=True)
class Expected:
    """Estimates by job. What a job's own progress says is kept as of its report; the rest follows from the job."""

    like_jobs: LikeJobs = field(default_factory=LikeJobs)
    _measured: dict[int, Estimate] = field(default_factory=dict)
    _guessed: dict[int, Estimate | None] = field(default_factory=dict)

    @staticmethod
    def from_store(store: Store, open_jobs: Iterable[Job]) -> Expected:
        """As far as the store tells. A running job's progress is at hand again with its next report."""
        past = store.jobs(JobFilter(is_final=True, limit=PAST_JOBS))
        expected = Expected(LikeJobs.of(reversed(past)))
        for job in open_jobs:
            expected._measure(job, job.progress, job.attained_gpu_s / job.request.gpus)
        return expected

    def hear(self, event: Progressed, turn: Turn, job: Job) -> None:
        """A job says how far it is. `job` is as it was when its present turn began."""
        present_s = max(event.at - (turn.began_at or turn.granted_at), 0.0)
        self._measure(job, (event.step, event.total), job.attained_gpu_s / job.request.gpus + present_s)

    def take_over(self, entries: Entries) -> None:
        """Jobs have ended: there is something to learn for those like them."""
        for job in entries.jobs:
            if job.state.is_final:
                self._measured.pop(job.id, None)
                self._guessed.pop(job.id, None)
                if self.like_jobs.add(job):
                    self._guessed.clear()

    def of(self, jobs: Iterable[Job]) -> dict[int, Estimate]:
        """By job, of those about whom anything is known: progress before --time before like jobs."""
        estimates = {}
        for job in jobs:
            estimate = self._measured.get(job.id)
            if estimate is None:
                if job.id not in self._guessed:
                    self._guessed[job.id] = self.of_new(job)
                estimate = self._guessed[job.id]
            if estimate is not None:
                estimates[job.id] = estimate
        return estimates

    def of_new(self, job: Job) -> Estimate | None:
        """Of a job that has not run: its --time, or what like jobs took."""
        return stated(job) or self.like_jobs.estimate(job)

    def _measure(self, job: Job, progress: tuple[int, int] | None, ran_s: float) -> None:
        estimate = from_progress(progress, ran_s)
        if estimate is not None:
            self._measured[job.id] = estimate

"""What is expected of each job's run time: the forecast's functions, fed by what the daemon hears."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from rota.domain.estimates import Estimate
from rota.domain.jobs import Job
from rota.domain.turns import Turn
from rota.engines.contract import Progressed
from rota.forecast.course import Course
from rota.forecast.durations import LikeJobs, from_progress, stated
from rota.store.contract import Entries, JobFilter, Store

PAST_JOBS = 2000  # ended jobs that are read at the start, to know what like jobs took


@dataclass(slots=True)
class Expected:
    """Estimates by job. What a job's own progress says is kept as of its report; the rest follows from the job."""

    like_jobs: LikeJobs = field(default_factory=LikeJobs)
    _measured: dict[int, Estimate] = field(default_factory=dict)
    _courses: dict[int, Course] = field(default_factory=dict)
    _guessed: dict[int, Estimate | None] = field(default_factory=dict)

    @staticmethod
    def from_store(store: Store, open_jobs: Iterable[Job]) -> Expected:
        """As far as the store tells: each at the mean of its pace, until its reports tell the present one again."""
        past = store.jobs(JobFilter(is_final=True, limit=PAST_JOBS))
        expected = Expected(LikeJobs.of(reversed(past)))
        for job in open_jobs:
            expected._measure(job, job.progress, job.attained_gpu_s / job.request.gpus)
        return expected

    def hear(self, event: Progressed, turn: Turn, job: Job, speed: float = 1.0) -> None:
        """A job says how far it is. `job` is as it was when its present turn began.

        `speed`: of its tier, against the fastest; what is left is counted as on the fastest, as in a replay.
        """
        present_s = max(event.at - (turn.began_at or turn.granted_at), 0.0)
        ran_s = job.attained_gpu_s / job.request.gpus + present_s
        if event.progress is None:
            self._forget(job.id)
            return
        course = self._courses.get(job.id, Course()).reported(turn.id, ran_s, event.step / event.total)
        self._courses[job.id] = course
        self._measure(job, event.progress, ran_s, course.pace, speed)

    def take_over(self, entries: Entries) -> None:
        """Jobs have ended: there is something to learn for those like them."""
        for job in entries.jobs:
            if job.state.is_final:
                self._forget(job.id)
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

    def _forget(self, job: int) -> None:
        self._measured.pop(job, None)
        self._courses.pop(job, None)

    def _measure(
        self, job: Job, progress: tuple[int, int] | None, ran_s: float, pace: float | None = None, speed: float = 1.0
    ) -> None:
        estimate = from_progress(progress, ran_s, pace)
        if estimate is not None:
            self._measured[job.id] = replace(estimate, total_s=ran_s + (estimate.total_s - ran_s) * speed)

"""The daemon's own copy of what has not ended, and the draft in which a step prepares its changes.

The store is the truth. A step writes its changes into a Draft, the draft is recorded in one transaction,
and only then do the Books show them: a store that fails leaves the books as they were.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from rota.domain.gpus import Condition
from rota.domain.jobs import Job, JobState, Launch, Transition
from rota.domain.members import Project
from rota.domain.turns import Turn, TurnState
from rota.store.contract import Entries, GpuMark, JobFilter, Remembered, Store

PAST_TURNS = 2000  # ended turns kept at hand for the board
RECENT_JOBS = 200  # ended jobs kept at hand for the board; older ones are read from the store


@dataclass(slots=True)
class Books:
    """Jobs and turns that have not ended, marks on GPUs, projects."""

    jobs: dict[int, Job] = field(default_factory=dict)
    turns: dict[str, Turn] = field(default_factory=dict)
    marks: dict[str, GpuMark] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    ends: dict[int, JobState] = field(default_factory=dict)  #: how jobs ended that open jobs may follow
    recent: deque[Job] = field(default_factory=lambda: deque(maxlen=RECENT_JOBS))
    past: deque[tuple[Turn, Job]] = field(default_factory=lambda: deque(maxlen=PAST_TURNS))  #: ended turns, old first
    last_job: int = 0
    version: int = 0  #: grows with every change that a page could show

    @staticmethod
    def from_store(remembered: Remembered) -> Books:
        """The books as they stand after a restart."""
        books = Books(last_job=remembered.last_job)
        for job in remembered.jobs:
            if job.state.is_final:
                books.ends[job.id] = job.state
            else:
                books.jobs[job.id] = job
        books.turns = {turn.id: turn for turn in remembered.turns}
        books.marks = {mark.gpu: mark for mark in remembered.marks}
        books.projects = {project.name: project for project in remembered.projects}
        return books

    def recall(self, store: Store, since: float) -> None:
        """Have the latest ended turns and jobs at hand again, for the board."""
        ended = [turn for turn, _, _ in store.turns_since(since) if turn.state is TurnState.ENDED][-PAST_TURNS:]
        jobs = {job.id: job for job in store.jobs(JobFilter(ids=tuple({turn.job for turn in ended})))} if ended else {}
        self.past.extend((turn, jobs[turn.job]) for turn in ended if turn.job in jobs)
        self.recent.extend(store.jobs(JobFilter(is_final=True, limit=RECENT_JOBS)))

    def turn_of(self, job: int) -> Turn | None:
        """The job's present turn."""
        return next((turn for turn in self.turns.values() if turn.job == job), None)

    def conditions(self) -> dict[str, Condition]:
        """By UUID, of the GPUs that are not healthy."""
        return {gpu: mark.condition for gpu, mark in self.marks.items()}

    def note(self, *, job: Job | None = None, turn: Turn | None = None) -> None:
        """Keep what costs nothing to lose (progress, when the last save was seen) without writing it down now."""
        if job is not None:
            self.jobs[job.id] = job
        if turn is not None:
            self.turns[turn.id] = turn
        self.version += 1

    def take_over(self, entries: Entries) -> None:
        """Show what has been recorded."""
        jobs = {job.id: job for job in entries.jobs}
        for turn in entries.turns:
            self._take_turn(turn, jobs.get(turn.job) or self.jobs[turn.job])
        for job in entries.jobs:
            self._take_job(job)
        for mark in entries.marks:
            if mark.condition is Condition.HEALTHY:
                self.marks.pop(mark.gpu, None)
            else:
                self.marks[mark.gpu] = mark
        self.projects.update({project.name: project for project in entries.projects})
        self.version += 1

    def _take_job(self, job: Job) -> None:
        self.last_job = max(self.last_job, job.id)
        if not job.state.is_final:
            self.jobs[job.id] = job
            return
        self.jobs.pop(job.id, None)
        self.ends[job.id] = job.state
        self.recent.appendleft(job)

    def _take_turn(self, turn: Turn, job: Job) -> None:
        if turn.state is TurnState.ENDED:
            self.turns.pop(turn.id, None)
            self.past.append((turn, job))
        else:
            self.turns[turn.id] = turn


class Draft:
    """Changes being prepared over the books; nothing is visible outside until they are recorded."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._jobs: dict[int, Job] = {}
        self._turns: dict[str, Turn] = {}
        self._launches: list[tuple[int, Launch]] = []
        self._transitions: list[Transition] = []
        self._marks: list[GpuMark] = []
        self._projects: list[Project] = []
        self._last_job = books.last_job

    def next_job(self) -> int:
        """A number for a new job."""
        self._last_job += 1
        return self._last_job

    def job(self, job: int) -> Job | None:
        """An open job, or one that ended in this draft."""
        return self._jobs.get(job) or self._books.jobs.get(job)

    def turn(self, turn: str) -> Turn | None:
        """A turn that has not ended, or ended in this draft."""
        return self._turns.get(turn) or self._books.turns.get(turn)

    def turn_of(self, job: int) -> Turn | None:
        """The job's present turn."""
        return next((turn for turn in self.open_turns() if turn.job == job), None)

    def open_jobs(self) -> Iterator[Job]:
        """Every job that has not ended."""
        yield from (job for job in ({**self._books.jobs, **self._jobs}).values() if not job.state.is_final)

    def open_turns(self) -> Iterator[Turn]:
        """Every turn that has not ended."""
        merged = {**self._books.turns, **self._turns}
        yield from (turn for turn in merged.values() if turn.state is not TurnState.ENDED)

    def end_of(self, job: int) -> JobState | None:
        """How a job ended, if it has."""
        drafted = self._jobs.get(job)
        if drafted is not None and drafted.state.is_final:
            return drafted.state
        return self._books.ends.get(job)

    def has_changes_of(self, turn: str, job: int) -> bool:
        """Whether this draft already holds a new value of the turn or the job."""
        return turn in self._turns or job in self._jobs

    def remember_end(self, job: int, end: JobState) -> None:
        """Keep at hand how a job of the past ended, because an open one follows it."""
        self._books.ends[job] = end

    def projects(self) -> dict[str, Project]:
        """By name, with those added in this draft."""
        return {**self._books.projects, **{project.name: project for project in self._projects}}

    def put_job(self, job: Job, *transitions: Transition, launch: Launch | None = None) -> None:
        self._jobs[job.id] = job
        self._transitions.extend(transitions)
        if launch is not None:
            self._launches.append((job.id, launch))

    def put_turn(self, turn: Turn, *transitions: Transition) -> None:
        self._turns[turn.id] = turn
        self._transitions.extend(transitions)

    def put_mark(self, mark: GpuMark) -> None:
        self._marks.append(mark)

    def put_project(self, project: Project) -> None:
        self._projects.append(project)

    def entries(self) -> Entries:
        """What to record."""
        return Entries(
            jobs=tuple(self._jobs.values()),
            launches=tuple(self._launches),
            turns=tuple(self._turns.values()),
            transitions=tuple(self._transitions),
            marks=tuple(self._marks),
            projects=tuple(self._projects),
        )

"""The in-memory twin of the SQL store: the disk of the deterministic simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rota.domain.forecasts import Promise
from rota.domain.gpus import Condition
from rota.domain.jobs import Job, Launch, Transition
from rota.domain.members import Project
from rota.domain.turns import Turn, TurnState
from rota.errors import NoSuchThing
from rota.store.contract import Entries, GpuMark, JobFilter, Remembered, Session


@dataclass(slots=True)
class MemoryStore:
    """Keeps the contract of store/contract.py in dictionaries."""

    _jobs: dict[int, Job] = field(default_factory=dict)
    _launches: dict[int, Launch] = field(default_factory=dict)
    _turns: dict[str, Turn] = field(default_factory=dict)
    _transitions: list[Transition] = field(default_factory=list)
    _marks: dict[str, GpuMark] = field(default_factory=dict)
    _projects: dict[str, Project] = field(default_factory=dict)
    _sessions: dict[str, Session] = field(default_factory=dict)
    _promises: dict[tuple[int, int], Promise] = field(default_factory=dict)

    def record(self, entries: Entries) -> None:
        self._jobs.update((job.id, job) for job in entries.jobs)
        self._launches.update(entries.launches)
        self._turns.update((turn.id, turn) for turn in entries.turns)
        self._transitions.extend(entries.transitions)
        self._projects.update((project.name, project) for project in entries.projects)
        self._promises.update(((promise.job, promise.turn), promise) for promise in entries.promises)
        for mark in entries.marks:
            self._marks[mark.gpu] = mark
            if mark.condition is Condition.HEALTHY:
                del self._marks[mark.gpu]

    def assure_leading(self) -> None:
        """Nobody else has it."""

    def remember(self) -> Remembered:
        open_jobs = [job for _, job in sorted(self._jobs.items()) if not job.state.is_final]
        open_turns = (turn for turn in self._turns.values() if turn.state is not TurnState.ENDED)
        followed = {wanted.job for job in open_jobs for wanted in job.request.after}
        ended = [job for job in self.jobs(JobFilter(is_final=True, limit=len(self._jobs))) if job.id in followed]
        return Remembered(
            jobs=(*open_jobs, *ended),
            turns=tuple(sorted(open_turns, key=lambda turn: (turn.job, turn.number))),
            marks=tuple(self._marks.values()),
            projects=tuple(self._projects.values()),
            last_job=max(self._jobs, default=0),
        )

    def launch(self, job: int) -> Launch:
        try:
            return self._launches[job]
        except KeyError:
            raise NoSuchThing(f"There is no job {job}. See: rota list --all") from None

    def jobs(self, wanted: JobFilter) -> Sequence[Job]:
        found = (
            job
            for job in sorted(self._jobs.values(), key=lambda job: -job.id)
            if (wanted.member is None or job.member == wanted.member)
            and (wanted.is_final is None or job.state.is_final == wanted.is_final)
            and (not wanted.ids or job.id in wanted.ids)
        )
        return tuple(found)[: wanted.limit]

    def turns_of(self, jobs: Sequence[int]) -> Sequence[Turn]:
        wanted = set(jobs)
        found = (turn for turn in self._turns.values() if turn.job in wanted)
        return tuple(sorted(found, key=lambda turn: (turn.job, turn.number)))

    def turns_since(self, at: float) -> Sequence[tuple[Turn, str, str]]:
        found = [turn for turn in self._turns.values() if turn.ended_at is None or turn.ended_at >= at]
        found.sort(key=lambda turn: (turn.granted_at, turn.job, turn.number))
        return tuple((turn, self._jobs[turn.job].project, self._jobs[turn.job].member) for turn in found)

    def promises_since(self, at: float, limit: int) -> Sequence[Promise]:
        found = [promise for promise in self._promises.values() if promise.made_at >= at]
        found.sort(key=lambda promise: (promise.made_at, promise.job, promise.turn))
        return tuple(found[-limit:])

    def transitions_of(self, job: int) -> Sequence[Transition]:
        own, turns = str(job), f"{job}."
        return tuple(
            step
            for step in self._transitions
            if (step.subject == "job" and step.id == own) or (step.subject == "turn" and step.id.startswith(turns))
        )

    def keep_session(self, session: Session) -> None:
        self._sessions[session.token_hash] = session

    def session(self, token_hash: str, now: float) -> Session | None:
        found = self._sessions.get(token_hash)
        return found if found and found.expires_at > now else None

    def close(self) -> None:
        """Nothing to let go."""

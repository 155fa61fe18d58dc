"""Taking over Slurm's waiting jobs: recorded in Rota first and held there, then held in Slurm, then let go.

In this order a job can never run twice, whatever breaks off in between: what has begun in Slurm meanwhile is given up
in Rota, and what was recorded and not yet held in Slurm is taken up again by the next import, which finds it by its
origin. The comment in Slurm comes last and says that a job is done with.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rota.cli.client import Answer, Client
from rota.cli.daemon_names import DaemonNames
from rota.cli.take_over.queue_job import Submit, submit_of
from rota.cli.take_over.queue_plan import Entry, Followed, Taken, id_in, plan
from rota.errors import NotAllowed, RotaError
from rota.slurm.commands import Run, SlurmRefused
from rota.slurm.queue import WORDS, Queued, parse_queue
from rota.slurm.saved import find_state_folder, saved_environment

AT_ONCE = 100  # jobs that one command of Slurm's is told of


@dataclass(slots=True)
class Outcome:
    """What became of one waiting job."""

    entry: Entry
    jobs: dict[int | None, int] = field(default_factory=dict)  #: Rota's number by the array's task
    slurm: str = ""  #: "held", "cancelled", "as it was"
    is_held: bool = False  #: held in Rota too, because it was in Slurm
    failure: str = ""  #: why it is not as it should be: to be looked at by hand

    @property
    def job(self) -> Queued:
        return self.entry.job


@dataclass(slots=True)
class TakeOver:
    """One import, step by step."""

    run: Run
    api: Client
    project: str | None = None
    me: str = ""
    is_admin: bool = False
    names: DaemonNames = field(init=False)
    submits: dict[int, Submit] = field(default_factory=dict)  #: by Slurm's number
    outcomes: list[Outcome] = field(default_factory=list)
    now: float = field(default_factory=time.time)
    _state_folder: Path | None = None
    _refusal: str = ""  #: the latest, of holding jobs

    def __post_init__(self) -> None:
        self.names = DaemonNames(self.api)
        health = self.api.get("/health")
        self.me, self.is_admin = health["member"], health["is_admin"]

    # --- look -----------------------------------------------------------------------------------

    def entries(self, user: str | None, partition: str | None) -> list[Entry]:
        """What waits, and what can be taken over. Raises NotAllowed, SlurmUnavailable."""
        users = self._users(user)
        queue = self._queue()
        taken = _taken(self.api.get("/jobs", all=True)["jobs"], queue)
        found = plan(queue, taken, self.now, users=users, partition=partition)
        self._state_folder = find_state_folder(self.run) if os.geteuid() == 0 else None
        return [self._tried(entry) for entry in found]

    def _users(self, user: str | None) -> frozenset[str] | None:
        """Whose jobs: root's daemon serves everybody, and everybody else's only its owner."""
        if not self.is_admin or os.geteuid() != 0:
            if user not in (None, self.me):
                raise NotAllowed(f"Only root takes over jobs of others; you are {self.me}.")
            return frozenset((self.me,))
        return None if user is None else frozenset((user,))

    def _queue(self) -> list[Queued]:
        return parse_queue(self.run(WORDS, ""))

    def _tried(self, entry: Entry) -> Entry:
        """With why Rota would refuse it, if it would."""
        if not entry.is_taken or entry.recorded:
            return entry
        try:
            submit = self._submit_of(entry.job)
            self.api.post("/jobs", {**submit.body, "after": [], "dry_run": True})
        except RotaError as refused:
            return replace(entry, why_not=" ".join(str(refused).split()))
        self.submits[entry.job.id] = submit
        return entry

    def _submit_of(self, job: Queued) -> Submit:
        text = self.run(["scontrol", "write", "batch_script", str(job.id), "-"], "")
        saved = saved_environment(self._state_folder, job.id) if self._state_folder else None
        submit = submit_of(
            job, text, self.names, os.environ if saved is None else saved, me=self.me, project=self.project,
            is_saved=saved is not None,
        )  # fmt: skip
        since = self._since(job)
        return replace(submit, body={**submit.body, "waiting_since": since} if since else submit.body)

    def _since(self, job: Queued) -> float | None:
        """Since when it has waited in Slurm, where Rota takes our word for it."""
        return min(job.submitted_at, self.now) if self.is_admin and job.submitted_at else None

    # --- take over ------------------------------------------------------------------------------

    def take(self, entries: Sequence[Entry], *, keeps: bool, cancels: bool) -> list[Outcome]:
        """Take these over. What fails for one is in its outcome; Slurm or Rota away is raised, and can be resumed."""
        numbers: dict[int, dict[int | None, int]] = {}
        for entry in entries:
            outcome = Outcome(entry, is_held=entry.job.is_held)
            self.outcomes.append(outcome)
            try:
                outcome.jobs = self._recorded(entry, numbers)
            except RotaError as refused:
                outcome.failure = " ".join(str(refused).split())
                continue
            numbers[entry.job.id] = outcome.jobs
        done = [outcome for outcome in self.outcomes if not outcome.failure]
        if keeps:
            for outcome in done:
                outcome.slurm, outcome.is_held = "as it was", True
            return self.outcomes
        self._hold_in_slurm(done)
        self._let_go(done, cancels)
        return self.outcomes

    def _recorded(self, entry: Entry, numbers: Mapping[int, Mapping[int | None, int]]) -> dict[int | None, int]:
        """Rota's numbers of a job that is now on its list, held."""
        tasks = entry.job.tasks or (None,)
        if entry.recorded:
            return {task: entry.recorded.jobs[task] for task in tasks}
        after = [one for follow in entry.follows for one in self._after(follow, numbers)]
        body = {**self.submits[entry.job.id].body, "after": after, "held": True}
        return dict(zip(tasks, self.api.post("/jobs", body)["jobs"], strict=True))

    def _after(self, follow: Followed, numbers: Mapping[int, Mapping[int | None, int]]) -> list[Answer]:
        """Dependencies in Rota's numbers."""
        known = numbers.get(follow.job, {})
        jobs = [known[follow.task]] if follow.task in known else list(known.values())
        return [{"job": job, "any_end": follow.any_end} for job in jobs]

    def _hold_in_slurm(self, outcomes: Sequence[Outcome]) -> None:
        """In few commands. What could not be held is seen afterwards, so a refusal of some is none of all."""
        word = "uhold" if os.geteuid() == 0 else "hold"  # its member can then release it, whoever held it
        targets = [_target(outcome.job) for outcome in outcomes]
        for start in range(0, len(targets), AT_ONCE):
            self._refusal = self._tell(["scontrol", word, ",".join(targets[start : start + AT_ONCE])]) or self._refusal

    def _let_go(self, outcomes: Sequence[Outcome], cancels: bool) -> None:
        """What is safely held in Slurm may have its turns in Rota; what has begun there is given up here."""
        waiting = {(job.id, task): job for job in self._queue() if job.is_pending for task in job.tasks or (None,)}
        for outcome in outcomes:
            lost = [task for task in outcome.jobs if not _is_safe(waiting.get((outcome.job.id, task)))]
            for task in lost:
                self.api.post(f"/jobs/{outcome.jobs.pop(task)}/cancel")
            if outcome.jobs:
                self._finish(outcome, cancels)
            elif any((outcome.job.id, task) in waiting for task in lost):
                outcome.failure = f"Slurm did not hold it, so it stays there. {self._refusal}"
            else:
                outcome.failure = "it began in Slurm meanwhile, so it stays there"

    def _finish(self, outcome: Outcome, cancels: bool) -> None:
        target = _target(replace(outcome.job, tasks=tuple(task for task in outcome.jobs if task is not None)))
        comment = f"rota job {next(iter(outcome.jobs.values()))}"
        comment += f"; {outcome.job.comment}" if outcome.job.comment else ""
        if not outcome.is_held:
            for job in outcome.jobs.values():
                self._release(job, outcome)
        outcome.slurm = "held"
        self._tell(["scontrol", "update", f"JobId={target}", f"Comment={comment}"])
        if cancels:
            refused = self._tell(["scancel", target])
            outcome.slurm = "held" if refused else "cancelled"
            outcome.failure = refused

    def _release(self, job: int, outcome: Outcome) -> None:
        """Onto the list, unless an import that broke off has done it already."""
        if self.api.get(f"/jobs/{job}")["job"]["state"] == "held":
            self.api.post(f"/jobs/{job}/release", {"waiting_since": self._since(outcome.job)})

    def _tell(self, words: Sequence[str]) -> str:
        """What Slurm refused; "" when it did not."""
        try:
            self.run(words, "")
        except SlurmRefused as refused:
            return str(refused)
        return ""


def _taken(jobs: Sequence[Answer], queue: Sequence[Queued]) -> dict[int, Taken]:
    """What came from this cluster before, by Slurm's number. It counts only as long as both are the same member's."""
    cluster = next((job.cluster for job in queue), "")
    users = {job.id: job.user for job in queue}
    found: dict[int, list[Answer]] = {}
    for job in jobs:
        number = id_in(job["origin"], cluster) if job["origin"] else None
        if number is not None and users.get(number, job["member"]) == job["member"]:
            found.setdefault(number, []).append(job)
    return {number: Taken({_task(one): one["job"] for one in ones}, ones[0]["state"]) for number, ones in found.items()}


def _task(job: Answer) -> int | None:
    """Which task of an array it is."""
    task = str(job["array"]).partition("_")[2]
    return int(task) if task.isdigit() else None


def _is_safe(job: Queued | None) -> bool:
    """Whether it cannot begin in Slurm. One that waits for others has no priority either when it is held."""
    return job is not None and (job.is_held or job.priority == 0)


def _target(job: Queued) -> str:
    """How Slurm's commands name a job; the tasks of an array one by one, for others of it may be running."""
    return f"{job.id}_[{','.join(map(str, job.tasks))}]" if job.tasks else str(job.id)

"""Which of Slurm's waiting jobs can be taken over, in which order, and why the others cannot. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rota.slurm.queue import Queued

#: The comment of a job that was taken over, and the names and comments of turns of Rota's own.
_TAKEN = re.compile(r"rota job (\d+)")
_OWN_NAME, _OWN_COMMENT = "rota.", "rota "
_FOLLOWED = re.compile(r"(afterok|afterany|aftercorr):(\d+)(?:_(\d+|\*))?(?:\(\w+\))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Followed:
    """One job that another waits for."""

    job: int
    task: int | None = None
    any_end: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """Jobs of Rota's that came from one of Slurm's."""

    jobs: Mapping[int | None, int]  #: by the array's task
    state: str  #: of the first

    @property
    def first(self) -> int:
        return min(self.jobs.values())

    @property
    def is_over(self) -> bool:
        return self.state in ("finished", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Entry:
    """One waiting job of Slurm's, and what is to become of it."""

    job: Queued
    why_not: str = ""  #: why it stays in Slurm; "" when it is taken over
    follows: tuple[Followed, ...] = ()
    recorded: Taken | None = None  #: Rota's jobs, of an import that broke off before it was done with Slurm's

    @property
    def is_taken(self) -> bool:
        return not self.why_not


def origin_of(job: int, cluster: str) -> str:
    """How Rota remembers where a job came from."""
    return f"Slurm job {job} of {cluster}" if cluster else f"Slurm job {job}"


def id_in(origin: str, cluster: str) -> int | None:
    """Slurm's number in an origin; None for one from elsewhere.

    >>> id_in(origin_of(29, "lab"), "lab"), id_in(origin_of(29, "lab"), "other"), id_in("line 3 of list.csv", "lab")
    (29, None, None)
    """
    words = origin.split()
    number = int(words[2]) if words[:2] == ["Slurm", "job"] and len(words) > 2 and words[2].isdigit() else None
    return number if number is not None and origin_of(number, cluster) == origin else None


def plan(
    queue: Sequence[Queued],
    taken: Mapping[int, Taken],
    now: float,
    *,
    users: frozenset[str] | None = None,
    partition: str | None = None,
) -> list[Entry]:
    """Every waiting job that was asked about, in the queue's order, but none before what it follows.

    `taken`: what Rota has already, by Slurm's number. Turns of Rota's own are left out.
    """
    waiting = [job for job in queue if job.is_pending and not _is_own(job)]
    waiting.sort(key=lambda job: (-job.priority, job.submitted_at, job.id))
    asked = [
        job
        for job in waiting
        if (users is None or job.user in users) and (partition is None or partition in job.partition.split(","))
    ]
    entries = [_judged(job, queue, taken, now) for job in asked]
    return _in_order(_without_orphans(entries, queue, taken))


def _is_own(job: Queued) -> bool:
    if _TAKEN.match(job.comment):
        return False
    return job.name.startswith(_OWN_NAME) or job.comment.startswith(_OWN_COMMENT)


def _judged(job: Queued, queue: Iterable[Queued], taken: Mapping[int, Taken], now: float) -> Entry:
    known = taken.get(job.id)
    if done := _TAKEN.match(job.comment):
        return Entry(job, f"it was taken over already: job {done[1]}")
    if known is not None and known.is_over:
        return Entry(job, f"it was taken over already: job {known.first}, which is {known.state}")
    if known is not None and not set(job.tasks or (None,)) <= known.jobs.keys():
        return Entry(job, f"other tasks of it were taken over already: job {known.first}")
    if why := _hindrance(job, queue, now):
        return Entry(job, why)
    try:
        follows = followed(job.dependency)
    except ValueError as unknown:
        return Entry(job, str(unknown))
    return Entry(job, "", follows, known)


def _hindrance(job: Queued, queue: Iterable[Queued], now: float) -> str:
    if not job.is_batch:
        return "it has no script: srun and salloc wait for somebody at a terminal"
    if job.is_part:
        return "it is part of a heterogeneous job, and a job of Rota's has GPUs of one kind"
    if job.is_cut:
        return "squeue does not say which of its tasks wait"
    if job.eligible_at > now:
        return "it may not begin yet (--begin); take it over when it may"
    if "HeldAdmin" in job.reason:
        return "an administrator holds it in Slurm"
    if job.tasks and job.is_held and any(o.id == job.id and o.is_pending and not o.is_held for o in queue):
        return "these tasks of the array are held in Slurm"
    return ""


def followed(dependency: str) -> tuple[Followed, ...]:
    """What `squeue` says that a job waits for. Raises ValueError with why Rota cannot."""
    found = []
    for part in dependency.split(",") if dependency else ():
        match = _FOLLOWED.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"Rota has no such dependency: {dependency}")
        task = int(match[3]) if (match[3] or "").isdigit() else None
        found.append(Followed(int(match[2]), task, match[1] == "afterany"))
    return tuple(found)


def _without_orphans(entries: list[Entry], queue: Iterable[Queued], taken: Mapping[int, Taken]) -> list[Entry]:
    """A job stays in Slurm when one that it follows does, and so on along the chain."""
    at_home = {job.id for job in queue if job.state in ("RUNNING", "COMPLETING", "SUSPENDED", "CONFIGURING")}
    there = ({entry.job.id for entry in entries if entry.is_taken} - at_home) | taken.keys()
    followers: dict[int, list[Entry]] = {}
    for entry in entries:
        for one in entry.follows:
            followers.setdefault(one.job, []).append(entry)
    missing = [number for number in followers if number not in there]
    why_not: dict[int, str] = {}
    while missing:
        number = missing.pop()
        for entry in followers.get(number, ()):
            if entry.job.id not in why_not:
                why_not[entry.job.id] = f"it follows Slurm's job {number}, which stays there"
                if entry.job.id not in taken:
                    missing.append(entry.job.id)
    return [Entry(entry.job, why_not[entry.job.id]) if entry.job.id in why_not else entry for entry in entries]


def _in_order(entries: list[Entry]) -> list[Entry]:
    """The queue's order, with what is followed before what follows it; those that stay come last."""
    by_id = {entry.job.id: entry for entry in entries if entry.is_taken}
    ordered: dict[int, Entry] = {}
    for entry in by_id.values():
        chain = {entry.job.id: entry}  # not by recursion: chains of thousands of jobs are usual
        while chain:
            last = next(reversed(chain.values()))
            before = (one.job for one in last.follows if one.job in by_id and one.job not in ordered)
            number = next((job for job in before if job not in chain), None)
            if number is not None:
                chain[number] = by_id[number]
            else:
                ordered.setdefault(last.job.id, last)
                del chain[last.job.id]
    return [*ordered.values(), *(entry for entry in entries if not entry.is_taken)]

"""What people type on a simulated day, with the numbers of the jobs that they were told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rota.daemon.commands import AddProject, Cancel, Command, GiveBack, Hold, Mark, Move, Release, Submit, Task
from rota.domain.jobs import Dependency, Launch
from rota.domain.members import Member
from rota.simulate.day import AddsProject, Changes, Marks, Submits, Verb

ADMIN = Member("root", 0, is_admin=True)
NO_JOB = 999_999  # what people type who speak of a job that is not there

Asks = Submits | Changes | Marks | AddsProject
Told = Mapping[int, tuple[int, ...]]  #: the numbers of the jobs, by the number of the submit that was answered


def command_of(number: int, what: Asks, told: Told) -> Command:
    """The command of one happening."""
    match what:
        case Submits():
            return _submit(number, what, told)
        case Changes():
            return _change(what, told)
        case Marks(gpu, condition):
            return Mark(ADMIN, (gpu,), condition, "as the day has it")
        case AddsProject(project):
            return AddProject(ADMIN, project)


def _submit(number: int, what: Submits, told: Told) -> Submit:
    followed = told.get(what.follows, ()) if what.follows else ()
    after = tuple(Dependency(job, any_end=True) for job in followed[:1])
    launch = Launch(what.script.to_argv(), "/")
    tasks = range(what.tasks)
    return Submit(
        Member(what.member, 1000),
        what.member,
        what.project,
        replace(what.request, after=after),
        tuple(Task(f"job-{number}", launch, "count", str(task) if len(tasks) > 1 else "") for task in tasks),
    )


def _change(what: Changes, told: Told) -> Command:
    jobs = told.get(what.submit, ())
    job = jobs[what.task] if what.task < len(jobs) else NO_JOB
    match what.verb:
        case Verb.CANCEL:
            return Cancel(ADMIN, job)
        case Verb.HOLD:
            return Hold(ADMIN, job)
        case Verb.RELEASE:
            return Release(ADMIN, job)
        case Verb.GIVE_BACK:
            return GiveBack(ADMIN, job)
        case Verb.MOVE:
            return Move(ADMIN, job, what.tiers)

"""What people ask for, checked and written into the draft. A command that is refused changes nothing."""

from __future__ import annotations

from dataclasses import replace

from rota.daemon import changes
from rota.daemon.books import Draft
from rota.daemon.commands import AddProject, Answer, Command, Mark, Submit
from rota.daemon.laboratory import Laboratory
from rota.daemon.projects import choose_project
from rota.daemon.taken_over import asked, refuse_since, refuse_twice, terms
from rota.domain.durations import say_duration
from rota.domain.gpus import Condition
from rota.domain.jobs import Dependency, Job, JobState, Launch, Request, Transition
from rota.domain.output_names import output_name
from rota.domain.reasons import Asked
from rota.errors import BadRequest, NoSuchThing, NotAllowed
from rota.policy.limits import refuse_impossible
from rota.policy.values import Rules
from rota.store.contract import GpuMark

#: The number of an array's first task, in the environment of all of them.
ARRAY_JOB = "ROTA_ARRAY_JOB"


def take(command: Command, draft: Draft, laboratory: Laboratory, at: float) -> Answer:
    """Write one command into the draft. Raises RotaError, and then the draft is as it was."""
    match command:
        case Submit():
            return _submit(command, draft, laboratory, at)
        case Mark():
            return _mark(command, draft, at)
        case AddProject():
            return _add_project(command, draft, laboratory)
        case _:
            return changes.change_job(command, draft, laboratory, at)


def _submit(command: Submit, draft: Draft, laboratory: Laboratory, at: float) -> Answer:
    if command.member != command.by.name and not command.by.is_admin:
        raise NotAllowed(f"Only an administrator submits for somebody else; you are {command.by.name}.")
    refuse_impossible(command.request, laboratory.fleet)
    project = choose_project(command.project, command.member, draft.projects())
    followed = [_check_dependency(wanted, draft, laboratory) for wanted in command.request.after]
    refuse_since(command.waiting_since, command.by, at)
    refuse_twice(command, draft)
    message = (*_terms(command.request, laboratory.rules), *(said for said in followed if said), *terms(command))
    if command.dry_run:
        return Answer(("It could be submitted like this; nothing was changed.", *message))
    numbers = tuple(_add(command, project, index, draft, at) for index in range(len(command.tasks)))
    return Answer(message, numbers)


def _add(command: Submit, project: str, index: int, draft: Draft, at: float) -> int:
    task, number = command.tasks[index], draft.next_job()
    state = JobState.HELD if command.is_held else JobState.WAITING
    job = Job(
        id=number,
        name=task.name,
        member=command.member,
        project=project,
        request=command.request,
        submitted_at=at,
        state=state,
        waiting_since=at if command.waiting_since is None else command.waiting_since,
        command=task.command,
        array=f"{number - index}_{task.array}" if task.array else "",
        origin=command.origin,
    )
    submitted = Transition("job", str(number), "", state, at, Asked(command.by.name, asked(command)))
    draft.put_job(job, submitted, launch=_own_launch(job, task.launch))
    return number


def _own_launch(job: Job, launch: Launch) -> Launch:
    """The launch with what only a job's number can fill in: its output's name, and its array's first number."""
    first, _, task = job.array.partition("_")
    if task:
        launch = replace(launch, environment={**launch.environment, ARRAY_JOB: first})
    if launch.output is None:
        return launch
    name = job.name.replace("/", "_")
    values = {"j": str(job.id), "A": first or str(job.id), "a": task or "0", "x": name, "u": job.member}
    return replace(launch, output=output_name(launch.output, values))


def _check_dependency(wanted: Dependency, draft: Draft, laboratory: Laboratory) -> str:
    """A sentence about a predecessor that has ended already. Raises when it can never be met."""
    end = draft.end_of(wanted.job)
    if end is None and draft.job(wanted.job) is not None:
        return ""
    end = end or laboratory.end_of(wanted.job)
    if end is None:
        raise NoSuchThing(f"There is no job {wanted.job} to follow. See: rota list --all")
    draft.remember_end(wanted.job, end)
    if end is not JobState.FINISHED and not wanted.any_end:
        raise BadRequest(
            f"Job {wanted.job} has {say_end(end)}, so a job that follows it would never start.\n"
            f"To start whatever became of it: --after any:{wanted.job}"
        )
    return f"Job {wanted.job} has {say_end(end)} already, so this one need not wait for it."


def say_end(end: JobState) -> str:
    """As it stands after "has": has been cancelled, has finished, has failed."""
    return "been cancelled" if end is JobState.CANCELLED else end.value


def _terms(request: Request, rules: Rules) -> tuple[str, ...]:
    """What a member is told at submit about how the job will be served (design.md, Turns 4)."""
    if request.is_resumable:
        return ()
    limit_s = request.time_s or rules.default_limit_s
    longer = "" if request.time_s else " For longer: --time."
    return (
        f"One turn of at most {say_duration(limit_s)}, because no --checkpoint was given: "
        f"it cannot be stopped and continued.{longer}",
    )


def _mark(command: Mark, draft: Draft, at: float) -> Answer:
    if not command.by.is_admin:
        raise NotAllowed(f"Only an administrator takes GPUs out of service; you are {command.by.name}.")
    for gpu in command.gpus:
        draft.put_mark(GpuMark(gpu, command.condition, at, command.by.name, command.why))
    told = {
        Condition.HEALTHY: "back in service",
        Condition.DRAINED: "draining: turns on it end after their quantum, none begins",
        Condition.FAILED: "marked as failed: turns on it are ended",
        Condition.TAKEN: "taken by somebody outside the list: none begins, turns on it go on",
    }[command.condition]
    many = f"{len(command.gpus)} GPUs are" if len(command.gpus) > 1 else "The GPU is"
    return Answer((f"{many} {told}.",))


def _add_project(command: AddProject, draft: Draft, laboratory: Laboratory) -> Answer:
    if not command.by.is_admin:
        raise NotAllowed(f"Only an administrator adds projects; you are {command.by.name}.")
    known = command.project.name in draft.projects()
    draft.put_project(command.project)
    return Answer((f"Project {command.project.name} is {'changed' if known else 'added'}.",))

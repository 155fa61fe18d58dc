"""Cancel, hold, release, give back, move: what people do to one job."""

from __future__ import annotations

from dataclasses import replace

from rota.daemon.books import Draft
from rota.daemon.commands import Answer, Cancel, GiveBack, Hold, JobCommand, Move, Release
from rota.daemon.laboratory import Laboratory
from rota.daemon.taken_over import refuse_since
from rota.domain.jobs import AfterTurn, Job, JobState, Transition, move_job
from rota.domain.members import Member
from rota.domain.reasons import Asked
from rota.errors import NoSuchThing, NotAllowed, NotNow
from rota.policy.limits import refuse_impossible


def change_job(command: JobCommand, draft: Draft, laboratory: Laboratory, at: float) -> Answer:
    """Write the change into the draft. Raises NoSuchThing, NotAllowed, NotNow or BadRequest."""
    job = draft.job(command.job)
    if job is None or job.state.is_final:
        end = draft.end_of(command.job) or laboratory.end_of(command.job)
        if end is None:
            raise NoSuchThing(f"There is no job {command.job}. See: rota list --all")
        raise NotNow(f"Job {command.job} is over ({end}); there is nothing to change.")
    if command.by.name != job.member and not command.by.is_admin:
        raise NotAllowed(f"Job {job.id} is {job.member}'s, and you are {command.by.name}. Only its member may do that.")
    match command:
        case Cancel():
            return _cancel(command, job, draft, at)
        case Hold():
            return _hold(command, job, draft, at)
        case Release():
            return _release(command, job, draft, at)
        case GiveBack():
            return _give_back(command, job, draft, at)
        case Move():
            return _move(command, job, draft, laboratory, at)


def _cancel(command: Cancel, job: Job, draft: Draft, at: float) -> Answer:
    if job.after_turn is AfterTurn.CANCEL:
        return Answer((f"Job {job.id} is being stopped already.",))
    if job.state is JobState.RUNNING:
        _after_turn(AfterTurn.CANCEL, "cancel", job, command.by, draft, at)
        return Answer((f"Job {job.id} is being stopped.",))
    draft.put_job(*move_job(job, JobState.CANCELLED, at, Asked(command.by.name, "cancel")))
    return Answer((f"Job {job.id} is cancelled.",))


def _hold(command: Hold, job: Job, draft: Draft, at: float) -> Answer:
    if job.state is JobState.HELD:
        return Answer((f"Job {job.id} is held already.",))
    if job.state is JobState.RUNNING:
        _refuse_unresumable(job)
        _after_turn(AfterTurn.HOLD, "hold", job, command.by, draft, at)
        return Answer((f"Job {job.id} saves its work and is then held. To go on: rota release {job.id}",))
    draft.put_job(*move_job(job, JobState.HELD, at, Asked(command.by.name, "hold")))
    return Answer((f"Job {job.id} is held. To put it back on the list: rota release {job.id}",))


def _release(command: Release, job: Job, draft: Draft, at: float) -> Answer:
    if job.state is JobState.RUNNING and job.after_turn is AfterTurn.HOLD:
        _after_turn(AfterTurn.WAIT, "release", job, command.by, draft, at)
        return Answer((f"Job {job.id} saves its work and is then on the list again.",))
    if job.state is not JobState.HELD:
        raise NotNow(f"Job {job.id} is {job.state}, not held; there is nothing to release.")
    refuse_since(command.waiting_since, command.by, at)
    since = at if command.waiting_since is None else command.waiting_since
    draft.put_job(*move_job(job, JobState.WAITING, at, Asked(command.by.name, "release"), waiting_since=since))
    return Answer((f"Job {job.id} is on the waiting list again.",))


def _give_back(command: GiveBack, job: Job, draft: Draft, at: float) -> Answer:
    if job.state is not JobState.RUNNING:
        raise NotNow(f"Job {job.id} is {job.state}; it has no turn to give back.")
    _refuse_unresumable(job)
    _after_turn(AfterTurn.WAIT, "give-back", job, command.by, draft, at)
    return Answer((f"Job {job.id} saves its work, gives its GPUs back and is then on the list again.",))


def _move(command: Move, job: Job, draft: Draft, laboratory: Laboratory, at: float) -> Answer:
    request = replace(job.request, tiers=command.tiers)
    refuse_impossible(request, laboratory.fleet)
    step = Transition("job", str(job.id), job.state, job.state, at, Asked(command.by.name, "move"))
    draft.put_job(replace(job, request=request), step)
    accepted = ",".join(command.tiers) or "any tier"
    later = " from its next turn on" if job.state is JobState.RUNNING else ""
    return Answer((f"Job {job.id} accepts {accepted}{later}.",))


def _after_turn(what: AfterTurn, asked: str, job: Job, by: Member, draft: Draft, at: float) -> None:
    """Write down what is to happen when the present turn ends; carry_out then ends the turn.

    A wish to cancel is never weakened by a later one.
    """
    if job.after_turn is AfterTurn.CANCEL:
        raise NotNow(f"Job {job.id} is being cancelled already.")
    step = Transition("job", str(job.id), job.state, job.state, at, Asked(by.name, asked))
    draft.put_job(replace(job, after_turn=what), step)


def _refuse_unresumable(job: Job) -> None:
    if not job.request.is_resumable:
        raise NotNow(
            f"Job {job.id} was submitted without --checkpoint, so it cannot be stopped and continued.\n"
            f"Let it run, or give it up: rota cancel {job.id}"
        )

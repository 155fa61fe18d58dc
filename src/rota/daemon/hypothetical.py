"""A job that nobody has submitted, on the waiting list of this moment."""

from __future__ import annotations

from dataclasses import replace

from rota.daemon.core import Core
from rota.daemon.projects import choose_project
from rota.domain.jobs import Job, Request
from rota.policy.values import Snapshot


def project_of(named: str | None, member: str, core: Core) -> str:
    """Which project would pay. Raises BadRequest, NotAllowed."""
    return choose_project(named, member, core.books.projects)


def add_job(
    core: Core, request: Request, member: str, project: str, name: str, command: str, at: float
) -> tuple[Snapshot, Job]:
    """The latest snapshot with such a job, submitted last; and the job. There must be a snapshot."""
    snapshot = core.snapshot
    assert snapshot is not None, "the daemon has made no plan yet"
    job = Job(
        id=max(core.books.last_job, max((one.id for one in snapshot.jobs), default=0)) + 1,
        name=name,
        member=member,
        project=project,
        request=request,
        submitted_at=max(at, snapshot.at),
        waiting_since=max(at, snapshot.at),
        command=command,
    )
    estimate = core.expected.of_new(job)
    by_project, by_member = core.received.usage(core.books, snapshot.at)
    return replace(
        snapshot,
        jobs=(*snapshot.jobs, job),
        estimates={**snapshot.estimates, **({job.id: estimate} if estimate else {})},
        # Who neither runs nor waits now is not in the snapshot's sums.
        project_usage_gpu_s={**by_project, **snapshot.project_usage_gpu_s},
        member_usage_gpu_s={**by_member, **snapshot.member_usage_gpu_s},
    ), job

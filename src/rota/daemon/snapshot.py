"""The books as the policy sees them."""

from __future__ import annotations

from rota.daemon.books import Books
from rota.daemon.laboratory import Laboratory
from rota.daemon.received import Received
from rota.domain.jobs import Job, JobState
from rota.policy.values import Snapshot

ON_THE_LIST = frozenset({JobState.WAITING, JobState.RUNNING})


def take_snapshot(books: Books, laboratory: Laboratory, received: Received, at: float) -> Snapshot:
    """One moment of the laboratory, for `policy.plan`."""
    by_project, by_member = received.usage(books, at)
    jobs = tuple(job for job in books.jobs.values() if job.state in ON_THE_LIST)
    blocked = {job.id: unmet for job in jobs if job.request.after and (unmet := _unmet(job, books))}
    return Snapshot(
        at=at,
        nodes={node.name: node for node in laboratory.fleet.nodes},
        gpus=laboratory.fleet.gpus,
        conditions=books.conditions(),
        tiers=laboratory.fleet.tiers,
        jobs=jobs,
        turns=tuple(books.turns.values()),
        project_usage_gpu_s=by_project,
        member_usage_gpu_s=by_member,
        rules=laboratory.rules_with(books.projects),
        is_blocked_by=blocked,
    )


def _unmet(job: Job, books: Books) -> tuple[int, ...]:
    """Predecessors that have not ended yet (one that failed has already failed its followers)."""
    return tuple(wanted.job for wanted in job.request.after if wanted.job not in books.ends)

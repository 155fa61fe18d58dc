"""The books as the policy sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rota.daemon.books import Books
from rota.daemon.expected import Expected
from rota.daemon.laboratory import Laboratory
from rota.daemon.received import Received
from rota.domain.jobs import Job, JobState
from rota.domain.turns import Turn
from rota.ledger.credit import Asks
from rota.ledger.deadlines import advances_gpu_s
from rota.policy.values import Account, Rules, Snapshot

ON_THE_LIST = frozenset({JobState.WAITING, JobState.RUNNING})


def take_snapshot(
    books: Books, laboratory: Laboratory, received: Received, expected: Expected, rules: Rules, at: float
) -> Snapshot:
    """One moment of the laboratory, for `policy.plan`. `rules` are those in force."""
    jobs = tuple(job for job in books.jobs.values() if job.state in ON_THE_LIST)
    blocked = {job.id: unmet for job in jobs if job.request.after and (unmet := _unmet(job, books))}
    active = _asks((job for job in jobs if job.id not in blocked), books.turns.values())
    by_project, by_member = received.counted(received.usage(books, at), active, laboratory, rules.project_weights, at)
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
        rules=rules,
        is_blocked_by=blocked,
        estimates=expected.of(jobs),
        served_until=dict(received.served_until),
        reservations=tuple(one for one in laboratory.reservations if one.ends_at > at),
        advances_gpu_s=_advances(active, laboratory, rules, at),
    )


def _asks(jobs: Iterable[Job], turns: Iterable[Turn]) -> dict[Account, Asks]:
    """Who runs or waits, and for what."""
    held = {turn.job: len(turn.gpus) for turn in turns}
    asks: dict[Account, Asks] = {}
    for job in jobs:
        account = job.project, job.member
        known = asks.get(account, Asks(False, 0))
        asks[account] = Asks(known.waits or job.state is JobState.WAITING, known.gpus + held.get(job.id, 0))
    return asks


def _unmet(job: Job, books: Books) -> tuple[int, ...]:
    """Predecessors that have not ended yet (one that failed has already failed its followers)."""
    return tuple(wanted.job for wanted in job.request.after if wanted.job not in books.ends)


def _advances(active: Iterable[Account], laboratory: Laboratory, rules: Rules, at: float) -> Mapping[str, float]:
    """What projects may have early because of their deadlines."""
    if not laboratory.deadlines:
        return {}
    weights = {project: rules.project_weights.get(project, 1.0) for project, _ in active}
    capacity = sum(rules.tier_weights.get(gpu.tier, 1.0) for gpu in laboratory.fleet.gpus)
    return advances_gpu_s(laboratory.deadlines, weights, capacity, at)

"""/policy: the settings in force, what was measured, and the bound on waiting that follows from them."""

from __future__ import annotations

from fastapi import APIRouter

from rota.api.depends import Here, Me
from rota.api.policy_schemas import (
    BoundView,
    DeadlineView,
    PolicyView,
    QuantumView,
    ReservationView,
    RulesView,
    ShareView,
    TierView,
)
from rota.api.policy_words import bound_sentences, quantum_sentence
from rota.api.site import Site
from rota.ledger.deadlines import Deadline
from rota.policy.quantum import LEAST_MEASURED_GPU_S
from rota.policy.values import Rules

routes = APIRouter(tags=["policy"])


@routes.get("/policy")
async def policy(me: Me, site: Here) -> PolicyView:
    """What decides whose turn it is, with the numbers of this moment."""
    core, now = site.core, site.clock()
    rules, laboratory = core.rules, core.laboratory
    return PolicyView(
        at=now,
        quantum=_quantum(site, now),
        rules=RulesView(
            default_limit_s=rules.default_limit_s,
            half_life_s=rules.half_life_s,
            patience_s=rules.patience_s,
            credit_s=rules.credit_s,
            most_slowdown=rules.most_slowdown,
        ),
        shares=_shares(site, rules, now),
        tiers=_tiers(site, rules),
        reservations=[
            ReservationView(
                name=one.name,
                gpus=one.gpus,
                tiers=list(one.tiers),
                begins_at=one.begins_at,
                ends_at=one.ends_at,
                members=list(one.members),
                projects=list(one.projects),
            )
            for one in laboratory.reservations
            if one.ends_at > now
        ],
        deadlines=[_deadline(one, site) for one in laboratory.deadlines if one.repaid_at > now],
        bound=BoundView(sentences=bound_sentences(core.snapshot) if core.snapshot else []),
    )


def _quantum(site: Site, now: float) -> QuantumView:
    measured, bounds = site.core.measured, site.core.laboratory.quantum_bounds
    pace = measured.pace
    is_auto = bounds.least_s < bounds.most_s
    return QuantumView(
        quantum_s=pace.quantum_s,
        is_auto=is_auto,
        least_s=bounds.least_s,
        most_s=bounds.most_s,
        cost_part=measured.cost_part,
        measured_gpu_s=round(pace.spent_gpu_s, 3),
        needed_gpu_s=LEAST_MEASURED_GPU_S,
        sentence=quantum_sentence(measured, bounds, now),
    )


def _shares(site: Site, rules: Rules, now: float) -> list[ShareView]:
    """Of the projects that run or wait now; the others have none of the fleet at this moment."""
    core = site.core
    active = {job.project for job in core.snapshot.jobs} if core.snapshot else set()
    known = sorted(active | core.books.projects.keys())
    weights = {project: rules.project_weights.get(project, 1.0) for project in known}
    whole = sum(weights[project] for project in active)
    usage = core.usage_by_project(now)
    early = core.snapshot.advances_gpu_s if core.snapshot else {}
    return [
        ShareView(
            project=project,
            weight=weights[project],
            share=weights[project] / whole if project in active else None,
            usage_gpu_s=round(usage.get(project, 0.0), 3),
            early_gpu_s=round(early.get(project, 0.0), 3),
        )
        for project in known
    ]


def _tiers(site: Site, rules: Rules) -> list[TierView]:
    core = site.core
    fleet = core.laboratory.fleet
    return [
        TierView(
            tier=tier,
            gpus=sum(gpu.tier == tier for gpu in fleet.gpus),
            weight=rules.tier_weights.get(tier, 1.0),
            speed=round(known.speed, 4),
            origin=known.origin.value,
            jobs=known.jobs,
        )
        for tier, known in core.compared.speeds.items()
    ]


def _deadline(one: Deadline, site: Site) -> DeadlineView:
    snapshot = site.core.snapshot
    early = snapshot.advances_gpu_s.get(one.project, 0.0) if snapshot else 0.0
    return DeadlineView(
        project=one.project, at=one.at, early_s=one.early_s, begins_at=one.begins_at, early_gpu_s=round(early, 3)
    )

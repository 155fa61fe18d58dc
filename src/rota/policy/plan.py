"""Rota's policy, whole: a snapshot goes in, a plan comes out. The story is in decide.py."""

from __future__ import annotations

from rota.domain.reasons import FollowsJobs
from rota.policy.decide import decide
from rota.policy.rank import ShortRemaindersFirst
from rota.policy.standing import Standing
from rota.policy.values import Plan, Snapshot, Wait


def plan(snapshot: Snapshot) -> Plan:
    """What to do now, and why everybody else waits. Pure: the same snapshot gives the same plan."""
    return plan_from(Standing.of(snapshot, ShortRemaindersFirst(snapshot.rules)), snapshot)


def plan_from(standing: Standing, snapshot: Snapshot, wants_reasons: bool = True) -> Plan:
    """The same from a Standing of this snapshot. Without reasons `waits` is empty, at a fraction of the time."""
    decision = decide(standing, snapshot.at, wants_reasons)
    begins, ends = tuple(decision.begins), tuple(decision.ends)
    if not wants_reasons:
        return Plan(begins, ends, (), decision.look_again_at)
    blocked = [(job, FollowsJobs(unmet)) for job, unmet in sorted(snapshot.is_blocked_by.items())]
    waits = tuple(Wait(job, place, why) for place, (job, why) in enumerate([*decision.waits, *blocked], start=1))
    return Plan(begins, ends, waits, decision.look_again_at)

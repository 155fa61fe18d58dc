"""A Standing that followed every change decides exactly as one made afresh, and both without reasons as with them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rota.domain.estimates import Estimate, Source
from rota.domain.reservations import Reservation
from rota.policy.follow import Follower
from rota.policy.plan import plan
from rota.policy.values import Plan, Snapshot
from tests.policy.laboratory import PolicyLaboratory
from tests.policy.test_invariants import a_random_laboratory


def same_moment(one: Plan, other: Plan) -> None:
    """Equal plans; when to look again may differ by what adding floats in another order makes of it."""
    assert one.look_again_at == pytest.approx(other.look_again_at, abs=1e-6)
    assert replace(one, look_again_at=None) == replace(other, look_again_at=None)


class FollowedLaboratory:
    """Every plan of a random laboratory is made three ways."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(~seed)
        self.follower, self.fast = Follower(), Follower()
        self.estimates: dict[int, Estimate] = {}
        self.reservations: tuple[Reservation, ...] = ()
        self.laboratory = a_random_laboratory(seed, self.plan)
        if self.chance.random() < 0.5:  # first turns become overdue
            self.laboratory.rules = replace(self.laboratory.rules, patience_s=150.0)

    def plan(self, snapshot: Snapshot) -> Plan:
        snapshot = replace(snapshot, estimates=dict(self.estimates), reservations=self.reservations)
        afresh = plan(snapshot)
        same_moment(self.follower.plan(snapshot), afresh)
        same_moment(self.fast.plan(snapshot, wants_reasons=False), replace(afresh, waits=()))
        return afresh

    def something_changes(self, now: PolicyLaboratory) -> None:
        """Progress, reservations, another quantum, a job that is cancelled, a clock that jumps."""
        chance = self.chance
        if now.jobs and chance.random() < 0.4:
            source = chance.choice(list(Source))
            self.estimates[chance.choice(sorted(now.jobs))] = Estimate(chance.uniform(1, 500), source)
        if self.estimates and chance.random() < 0.1:
            self.estimates.pop(chance.choice(sorted(self.estimates)))
        if chance.random() < 0.05:
            begins_at = now.at + chance.uniform(0, 100)
            whose = Reservation("class", 1, begins_at, begins_at + chance.uniform(1, 100), members=("a",))
            self.reservations = chance.choice(((), (whose,)))
        if chance.random() < 0.05:
            now.rules = replace(now.rules, quantum_s=chance.choice((50.0, 100.0, 200.0)))
        waits = [job.id for job in now.jobs.values() if job.state == "waiting"]
        if waits and chance.random() < 0.05:
            del now.jobs[chance.choice(waits)]
        if chance.random() < 0.02:
            now.at = max(now.at - 30.0, 0.0)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6))
def test_a_standing_that_followed_decides_as_one_made_afresh(seed: int) -> None:
    followed = FollowedLaboratory(seed)
    followed.laboratory.run(600.0, followed.something_changes)

"""What holds for every plan, over random laboratories; and for each, a policy broken on purpose that it catches."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rota.domain.gpus import Condition
from rota.domain.reasons import YourTurn
from rota.domain.turns import TurnState
from rota.policy.plan import plan
from rota.policy.values import Begin, End, Plan, Snapshot
from tests.builders import a_fleet, a_job
from tests.policy.laboratory import PolicyLaboratory, check_plan

Policy = Callable[[Snapshot], Plan]
TIERS = ("h100", "rtx3090")


def a_random_laboratory(seed: int, policy: Policy = plan, gangs: bool = True) -> PolicyLaboratory:
    """Two tiers, mixed jobs of five members, some GPUs out of service."""
    chance = random.Random(seed)
    fleet = a_fleet(**{f"node{n}": (chance.choice(TIERS), chance.randint(1, 4)) for n in range(chance.randint(1, 4))})
    laboratory = PolicyLaboratory(fleet=fleet, plan=policy)
    for number in range(1, chance.randint(3, 30)):
        tiers = chance.choice(((), (chance.choice(fleet.tiers),)))
        most = max(
            sum(g.node == node.name and (not tiers or g.tier in tiers) for g in fleet.gpus) for node in fleet.nodes
        )
        job = a_job(
            number, member=chance.choice("abcde"), project=chance.choice(("vision", "speech")),
            gpus=chance.randint(1, most) if gangs and chance.random() < 0.4 else 1, tiers=tiers,
            checkpoint="/c" if chance.random() < 0.8 else None, time_s=chance.choice((None, 50.0, 500.0)),
        )  # fmt: skip
        laboratory.submit(job)
        laboratory.work_s[number] = chance.uniform(5, 400)
    for gpu in fleet.gpus:
        if chance.random() < 0.1:
            laboratory.conditions[gpu.uuid] = chance.choice((Condition.DRAINED, Condition.FAILED, Condition.TAKEN))
    return laboratory


def run_and_check(seed: int, policy: Policy = plan, gangs: bool = True) -> PolicyLaboratory:
    """A few hundred virtual seconds with every plan checked; GPUs break and come back."""
    laboratory, chance = a_random_laboratory(seed, policy, gangs), random.Random(~seed)

    def break_something(now: PolicyLaboratory) -> None:
        if chance.random() < 0.1:
            gpu = chance.choice(now.fleet.gpus).uuid
            if now.conditions.pop(gpu, None) is None:
                now.conditions[gpu] = chance.choice((Condition.DRAINED, Condition.FAILED, Condition.TAKEN))

    laboratory.check = check_plan
    laboratory.run(400.0, break_something)
    return laboratory


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_every_plan_keeps_every_invariant(seed: int, gangs: bool) -> None:
    run_and_check(seed, gangs=gangs)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_the_same_snapshot_gives_the_same_plan_in_whatever_order_jobs_come(seed: int, chance: random.Random) -> None:
    laboratory = a_random_laboratory(seed)
    laboratory.run(150.0)
    snapshot = laboratory.snapshot()
    shuffled = list(snapshot.jobs)
    chance.shuffle(shuffled)
    assert plan(snapshot) == plan(snapshot)
    assert plan(replace(snapshot, jobs=tuple(shuffled))).begins == plan(snapshot).begins


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_everybody_is_done_in_the_end(seed: int) -> None:
    laboratory = a_random_laboratory(seed)
    laboratory.conditions.clear()
    laboratory.run(60_000.0)
    assert laboratory.jobs == {}


# --- policies that are broken on purpose ---------------------------------------------------------


def gives_a_busy_gpu(snapshot: Snapshot) -> Plan:
    return plan(replace(snapshot, turns=snapshot.turns[1:]))


def uses_gpus_out_of_service(snapshot: Snapshot) -> Plan:
    return plan(replace(snapshot, conditions={}))


def tears_gangs_apart(snapshot: Snapshot) -> Plan:
    made = plan(snapshot)
    return replace(made, begins=tuple(replace(b, gpus=b.gpus[:1]) for b in made.begins))


def ends_turns_inside_their_quantum(snapshot: Snapshot) -> Plan:
    made = plan(snapshot)
    young = [t for t in snapshot.turns if t.state is TurnState.RUNNING and t.guaranteed_until > snapshot.at]
    return replace(made, ends=(*made.ends, *(End(t.id, YourTurn(0.0, 0)) for t in young[:1])))


def forgets_somebody(snapshot: Snapshot) -> Plan:
    made = plan(snapshot)
    return replace(made, waits=made.waits[:-1])


def serves_somebody_twice(snapshot: Snapshot) -> Plan:
    made = plan(snapshot)
    return replace(made, waits=(*made.waits, *(made.waits[:1])))


def lets_gpus_idle(snapshot: Snapshot) -> Plan:
    made = plan(snapshot)
    kept: tuple[Begin, ...] = made.begins[1:]
    left = [b.job for b in made.begins[:1]]
    waits = [*(wait.job for wait in made.waits), *left]
    reasons = {wait.job: wait.reason for wait in made.waits}
    from rota.policy.values import Wait

    renumbered = tuple(Wait(j, n, reasons.get(j, YourTurn(0.0, 0))) for n, j in enumerate(waits, start=1))
    return replace(made, begins=kept, waits=renumbered)


MUTANTS = [
    gives_a_busy_gpu, uses_gpus_out_of_service, tears_gangs_apart, ends_turns_inside_their_quantum, forgets_somebody,
    serves_somebody_twice, lets_gpus_idle,
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_broken_policy_is_caught(mutant: Policy) -> None:
    with pytest.raises((AssertionError, KeyError)):
        for seed in range(60):
            run_and_check(seed, mutant, gangs=mutant is not lets_gpus_idle)

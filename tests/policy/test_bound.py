"""The bound on the wait for a first turn is one that no laboratory exceeds."""

from __future__ import annotations

import math
import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rota.domain.gpus import Condition
from rota.policy.bound import first_turn_bound
from tests.builders import a_fleet, a_job
from tests.policy.laboratory import SAVING_S, PolicyLaboratory

QUANTUM_S = 100.0


def a_full_laboratory(seed: int) -> tuple[PolicyLaboratory, random.Random]:
    """Every GPU is in use, and members have more jobs waiting."""
    chance = random.Random(seed)
    laboratory = PolicyLaboratory(fleet=a_fleet(lab=("h100", chance.randint(1, 5))))
    for number in range(1, chance.randint(5, 40)):
        member = chance.choice("abcdefgh")
        laboratory.submit(a_job(number, member=member, project=chance.choice(("vision", "speech", f"of-{member}"))))
        laboratory.work_s[number] = chance.choice((30.0, 300.0, 1e9))
    laboratory.run(chance.uniform(0, 20) * QUANTUM_S)
    return laboratory, chance


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6))
def test_a_member_with_nothing_running_never_waits_longer_than_the_bound(seed: int) -> None:
    laboratory, chance = a_full_laboratory(seed)
    for newcomer in range(100, 104):
        job = a_job(newcomer, member=f"new{newcomer}", project=chance.choice(("vision", "speech", "own")))
        laboratory.submit(job)
        bound = first_turn_bound(laboratory.snapshot())
        assert bound is not None
        assert bound.quanta == 2 + math.ceil(bound.members / len(laboratory.fleet.gpus))
        submitted_at = laboratory.at
        laboratory.run(submitted_at + bound.quanta * (QUANTUM_S + SAVING_S) + 1.0)
        assert newcomer in laboratory.first_begin, f"not within {bound.quanta} quanta"


def test_gpus_held_in_one_piece_and_broken_ones_do_not_count() -> None:
    laboratory = PolicyLaboratory(fleet=a_fleet(lab=("h100", 3)))
    laboratory.submit(a_job(1, checkpoint=None, time_s=50 * QUANTUM_S))
    laboratory.step()
    laboratory.submit(a_job(2, member="lee"), a_job(3, member="park"))
    bound = first_turn_bound(laboratory.snapshot())
    assert bound is not None
    assert (bound.members, bound.gpus, bound.quanta) == (3, 2, 4)
    everything_is_broken = {gpu.uuid: Condition.FAILED for gpu in laboratory.fleet.gpus}
    assert first_turn_bound(replace(laboratory.snapshot(), conditions=everything_is_broken)) is None

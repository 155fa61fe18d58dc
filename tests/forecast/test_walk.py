"""The bound "at the latest" is kept when what it assumes is true."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rota.forecast.walk import latest_begins
from tests.builders import a_fleet, a_job
from tests.policy.laboratory import SAVING_S, PolicyLaboratory

QUANTUM_S = 100.0


def test_the_first_in_line_begins_at_the_latest_when_a_quantum_ends() -> None:
    laboratory = PolicyLaboratory(fleet=a_fleet(lab=("h100", 1)))
    laboratory.submit(a_job(1))
    laboratory.step()
    laboratory.submit(a_job(2, member="a"), a_job(3, member="b"))
    made = laboratory.step()
    assert latest_begins(laboratory.snapshot(), made) == {2: 100.0, 3: 200.0}


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(2, 20), st.data())
def test_nobody_begins_later_when_turns_take_their_quantum_and_nobody_joins(
    gpus: int, jobs: int, data: st.DataObject
) -> None:
    laboratory = PolicyLaboratory(fleet=a_fleet(lab=("h100", gpus)))
    laboratory.submit(*(a_job(n, member=f"m{n}") for n in range(1, jobs + 1)))
    for number in range(1, jobs + 1):
        laboratory.work_s[number] = data.draw(st.floats(1, 1000))
    made = laboratory.step()
    promised = latest_begins(laboratory.snapshot(), made)
    laboratory.run(jobs * (QUANTUM_S + SAVING_S) + 1)
    rounds = jobs / gpus + 2
    for job, at in promised.items():
        assert laboratory.first_begin[job] <= at + rounds * SAVING_S

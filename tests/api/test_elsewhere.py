"""Where a waiting job could begin now, and only where that is worth it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rota.api.elsewhere import elsewhere
from rota.domain.forecasts import Forecast, Range
from rota.domain.gpus import Condition
from rota.domain.jobs import Job
from rota.domain.reservations import Reservation
from rota.policy.values import Rules, Snapshot
from tests.builders import GIB, a_fleet, a_gpu, a_job
from tests.policy.laboratory import PolicyLaboratory

HOUR_S = 3600.0
SPEEDS = {"h100": 1.0, "a100": 0.5, "rtx3090": 0.25}


def waiting(**asked: object) -> tuple[Job, Snapshot]:
    """A job for the h100 that another one has; an a100 and an rtx3090 are free."""
    fleet = a_fleet(big=("h100", 1), mid=("a100", 1), small=("rtx3090", 1))
    small = replace(a_gpu(0, node="small", tier="rtx3090"), memory_bytes=24 * GIB)
    fleet = replace(fleet, gpus=(*fleet.gpus[:2], small))
    laboratory = PolicyLaboratory(fleet=fleet, rules=Rules(quantum_s=4 * HOUR_S, speeds=SPEEDS))
    laboratory.submit(a_job(1, tiers=("h100",)))
    laboratory.step()
    laboratory.submit(a_job(2, member="lee", **{"tiers": ("h100",), **asked}))
    return laboratory.jobs[2], laboratory.snapshot()


def a_forecast(begin_h: float, finish_h: float | None) -> Forecast:
    begin, finish = (None if at is None else Range(*[at * HOUR_S] * 3) for at in (begin_h, finish_h))
    return Forecast(2, 1, 0.0, begin, finish, "h100")


def test_a_free_tier_on_which_the_job_is_done_sooner_is_told() -> None:
    found = elsewhere(*waiting(), a_forecast(4, 6))
    assert found is not None
    assert (found.tier, found.times_as_fast, found.finish_at) == ("a100", 0.5, 4 * HOUR_S)


@pytest.mark.parametrize(
    ("begin_h", "finish_h", "tier"),
    [
        (0.5, 8, None),  # would be done at 15 h
        (2, 3.9, "a100"),  # done at 3.8 h: the same, but it begins two hours sooner
        (0.5, 0.9, None),  # hardly sooner, hardly later
        (2, None, "a100"),  # nothing is known of its end, and it begins much sooner
        (0.5, None, None),
        (4, 20, None),  # done twelve hours later
    ],
)
def test_only_what_is_worth_it_is_told(begin_h: float, finish_h: float | None, tier: str | None) -> None:
    found = elsewhere(*waiting(), a_forecast(begin_h, finish_h))
    assert (found.tier if found else None) == tier


def test_gpus_with_too_little_memory_are_no_choice() -> None:
    job, snapshot = waiting(gpu_memory_bytes=40 * GIB)
    drained = replace(snapshot, conditions={"mid-0": Condition.DRAINED})
    assert elsewhere(job, snapshot, a_forecast(9, 10)) is not None
    assert elsewhere(job, drained, a_forecast(9, 10)) is None


def test_a_free_gpu_that_is_reserved_is_no_choice() -> None:
    job, snapshot = waiting()
    course = Reservation("course", 1, 0.0, 9 * HOUR_S, ("a100",), ("park",))
    found = elsewhere(job, replace(snapshot, reservations=(course,)), a_forecast(9, 10))
    assert found is not None
    assert found.tier == "rtx3090"


def test_without_a_forecast_nothing_is_claimed() -> None:
    assert elsewhere(*waiting(), None) is None
    assert elsewhere(*waiting(tiers=()), a_forecast(4, 6)) is None

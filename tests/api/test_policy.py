"""What `rota policy explain` and `rota why` are told."""

from __future__ import annotations

import httpx
import pytest

from rota.domain.durations import say_duration
from rota.domain.reservations import Reservation
from rota.ledger.deadlines import Deadline
from rota.policy.quantum import DEFAULT_BOUNDS, Bounds
from tests.api.site import NOW, a_site, serving
from tests.waiting import wait_until

HOUR_S = 3600.0


def test_the_quantum_in_force_is_shown_everywhere_with_its_reason() -> None:
    site = a_site()
    site.core.laboratory.bounds = DEFAULT_BOUNDS
    site.core.weigh_anew(NOW)
    site.core.measured.pace.count(cost_gpu_s=1800.0, spent_gpu_s=30 * HOUR_S)
    with serving(site) as address:
        quantum = httpx.get(f"{address}/api/v1/policy").json()["quantum"]
        board = httpx.get(f"{address}/api/v1/board").json()
    assert quantum["quantum_s"] == board["quantum_s"] == DEFAULT_BOUNDS.first_s()
    assert quantum["is_auto"] is True
    assert quantum["cost_part"] == pytest.approx(1 / 60)
    assert quantum["sentence"].startswith(f"{say_duration(DEFAULT_BOUNDS.first_s())} (auto, ")
    assert "1.7 % of 30 GPU-hours" in quantum["sentence"]


def test_a_fixed_quantum_says_so() -> None:
    site = a_site()
    site.core.laboratory.bounds = Bounds(HOUR_S, HOUR_S)
    site.core.weigh_anew(NOW)
    with serving(site) as address:
        quantum = httpx.get(f"{address}/api/v1/policy").json()["quantum"]
    assert (quantum["quantum_s"], quantum["is_auto"]) == (HOUR_S, False)
    assert quantum["sentence"] == "1h, fixed in rota.toml."


def test_shares_speeds_reservations_and_deadlines_are_those_in_force() -> None:
    site = a_site()
    laboratory = site.core.laboratory
    laboratory.reservations = (
        Reservation("course", 2, NOW + 10 * HOUR_S, NOW + 12 * HOUR_S, ("rtx3090",), ("lee",)),
        Reservation("over", 2, NOW - 2 * HOUR_S, NOW - HOUR_S, members=("lee",)),
    )
    laboratory.deadlines = (Deadline("vision", NOW + HOUR_S, 2 * HOUR_S),)
    with serving(site) as address:
        for project in ("vision", "speech"):
            httpx.post(f"{address}/api/v1/jobs", json={"argv": ["train"], "cwd": "/", "project": project})
        wait_until(lambda: len(site.core.books.turns) == 2, 10)
        told = httpx.get(f"{address}/api/v1/policy").json()
    assert [(one["project"], one["share"]) for one in told["shares"]] == [("speech", 0.5), ("vision", 0.5)]
    assert [(tier["tier"], tier["gpus"], tier["speed"], tier["origin"]) for tier in told["tiers"]] == [
        ("h100", 4, 1.0, "table"), ("rtx3090", 2, 0.23, "table"),
    ]  # fmt: skip
    assert [one["name"] for one in told["reservations"]] == ["course"]
    assert told["deadlines"][0]["early_gpu_s"] == pytest.approx(0.5 * 6 * HOUR_S, rel=0.01)
    assert told["bound"]["sentences"]


def test_why_names_who_comes_before_and_when_its_turn_comes() -> None:
    site = a_site()
    with serving(site) as address:
        for number in range(4):
            body = {"argv": ["train"], "cwd": "/", "gpus": 4, "tiers": ["h100"], "checkpoint": f"/c{number}"}
            httpx.post(f"{address}/api/v1/jobs", json=body)
        wait_until(lambda: len(site.core.plan.waits) == 3, 10)
        last = site.core.plan.waits[-1].job
        why = httpx.get(f"{address}/api/v1/jobs/{last}/why").json()
    assert 1 <= len(why["sentences"]) <= 3
    assert why["reason"]["kind"] == "AheadOfYou"
    before = site.core.plan.waits[-2].job
    assert why["sentences"][1].startswith(f"Right before it comes job {before} of ")
    assert why["sentences"][2].startswith("Its turn begins by ")

"""Who was idle, or has everything they ask for, saves up only so much."""

from __future__ import annotations

import pytest

from rota.ledger.credit import Asks, Credits, Entitlement

HOUR_S = 3600.0
EQUAL = Entitlement(credit_s=4 * HOUR_S, gpus=8, weights={})
MOST_GPU_S = 4 * HOUR_S * 8 / 2  # four hours of half the fleet


def levels(
    usage: dict[str, float],
    waits: set[str],
    entitlement: Entitlement = EQUAL,
    debtors: tuple[str, ...] = (),
    credits: Credits | None = None,
    held: int = 1,
) -> dict[str, float]:
    """Usage as it counts, of projects with one member each."""
    by_member = {(project, project): value for project, value in usage.items()}
    asks = {(project, project): Asks(project in waits, held) for project in usage}
    counted, _ = (credits or Credits(7 * 86400.0)).counted(usage, by_member, asks, entitlement, 0.0, debtors)
    return counted


def test_who_comes_back_is_four_hours_of_their_share_ahead_and_no_more() -> None:
    counted = levels({"away": 0.0, "busy": 10 * MOST_GPU_S}, {"away", "busy"})
    assert counted == {"away": 9 * MOST_GPU_S, "busy": 10 * MOST_GPU_S}


def test_who_was_away_for_a_moment_keeps_what_they_are_ahead() -> None:
    usage = {"modest": 100.0, "busy": MOST_GPU_S}
    assert levels(usage, {"modest", "busy"}) == usage


def test_who_has_all_they_ask_for_saves_up_nothing_meanwhile() -> None:
    assert levels({"content": 100.0, "wants-more": 5000.0}, {"wants-more"}) == {"content": 5000.0, "wants-more": 5000.0}


def test_who_holds_their_share_is_owed_the_rest_even_while_nothing_of_theirs_waits() -> None:
    usage = {"large": 100.0, "gang": 5000.0}
    assert levels(usage, {"gang"}, held=4) == usage


def test_who_waits_all_the_time_loses_nothing_of_what_others_are_ahead() -> None:
    credits = Credits(7 * 86400.0)
    levels({"owed": 0.0, "gang": 0.0}, {"owed", "gang"}, credits=credits)
    usage = {"owed": 0.0, "gang": 10 * MOST_GPU_S}
    assert levels(usage, {"owed", "gang"}, credits=credits) == usage


def test_while_nobody_waits_nobody_is_lifted_for_having_enough() -> None:
    usage = {"one": 100.0, "other": 5000.0}
    assert levels(usage, set()) == usage


def test_what_one_is_lifted_to_goes_by_weight() -> None:
    weighted = Entitlement(4 * HOUR_S, 8, {"large": 3.0})
    counted = levels({"large": 0.0, "small": 1000.0}, {"small"}, weighted)
    assert counted["large"] == pytest.approx(3 * counted["small"])


def test_nobody_is_lifted_by_a_project_in_debt_for_its_deadline() -> None:
    usage = {"debtor": 50 * MOST_GPU_S, "content": 100.0, "other": 200.0}
    assert levels(usage, {"debtor", "other"}, debtors=("debtor",)) == {**usage, "content": 200.0}

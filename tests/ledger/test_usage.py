"""Usage decays by half-life, and keeping it turn by turn gives the same sums as adding it all up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.ledger.usage import Accounts, decayed_seconds

WEEK_S = 604800.0


def test_use_counts_half_after_a_half_life() -> None:
    fresh = decayed_seconds(0.0, 3600.0, 3600.0, WEEK_S)
    assert decayed_seconds(0.0, 3600.0, 3600.0 + WEEK_S, WEEK_S) == pytest.approx(fresh / 2)
    assert 0.99 * 3600 < fresh <= 3600


def test_a_turn_that_goes_on_counts_up_to_now() -> None:
    accounts = Accounts(WEEK_S)
    by_project, _ = accounts.usage([(("vision", "kim"), 2.0, 100.0)], at=160.0)
    assert by_project["vision"] == pytest.approx(120.0, rel=1e-3)


turns = st.lists(
    st.tuples(st.sampled_from([("p", "a"), ("p", "b"), ("q", "a")]), st.floats(0, 1e6), st.floats(0, 1e5)), max_size=20
)


@given(turns, st.floats(0, 1e6))
def test_kept_turn_by_turn_is_the_same_as_added_up(
    history: list[tuple[tuple[str, str], float, float]], later_s: float
) -> None:
    accounts = Accounts(WEEK_S)
    for account, began_at, lasted_s in history:
        accounts.add(account, 1.0, began_at, began_at + lasted_s)
    at = max((began + lasted for _, began, lasted in history), default=0.0) + later_s
    by_project, by_member = accounts.usage([], at)
    for account in {account for account, _, _ in history}:
        direct = sum(decayed_seconds(b, b + s, at, WEEK_S) for a, b, s in history if a == account)
        assert by_member[account] == pytest.approx(direct, rel=1e-6, abs=1e-6)
    assert sum(by_project.values()) == pytest.approx(sum(by_member.values()))

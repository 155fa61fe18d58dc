"""What a deadline lets a project have early: some of its own share, and never more."""

from __future__ import annotations

import pytest

from rota.ledger.credit import Asks, Credits, Entitlement
from rota.ledger.deadlines import Deadline, advances_gpu_s, debtors

DEADLINE = Deadline("vision", at=1000.0, early_s=400.0)
WEIGHTS = {"vision": 1.0, "speech": 3.0}


@pytest.mark.parametrize(
    ("at", "early"), [(600.0, None), (700.0, 200.0), (999.0, 798.0), (1000.0, None), (2000.0, None)]
)
def test_it_grows_with_its_share_until_the_deadline_and_is_nothing_afterwards(at: float, early: float | None) -> None:
    advances = advances_gpu_s([DEADLINE], WEIGHTS, capacity=8.0, at=at)
    assert advances == ({} if early is None else {"vision": pytest.approx(early)})


def test_a_share_is_not_had_early_twice() -> None:
    both = [DEADLINE, Deadline("vision", at=1100.0, early_s=600.0)]
    assert advances_gpu_s(both, WEIGHTS, 8.0, 900.0) == {"vision": pytest.approx(800.0)}


def test_a_project_that_has_nothing_to_run_gets_nothing_early() -> None:
    assert advances_gpu_s([DEADLINE], {"speech": 3.0}, 8.0, 900.0) == {}


def test_it_owes_for_as_long_as_it_was_early() -> None:
    assert [debtors([DEADLINE], at) for at in (599.0, 601.0, 1399.0, 1401.0)] == [
        frozenset(), {"vision"}, {"vision"}, frozenset(),
    ]  # fmt: skip


def test_what_was_had_early_is_not_forgiven_by_credits() -> None:
    """Whoever is idle is lifted to near the best served; a debtor does not count as that."""
    usage = {"vision": 10_000.0, "speech": 100.0}
    members = {(project, "kim"): spent for project, spent in usage.items()}
    entitlement = Entitlement(credit_s=100.0, gpus=2, weights={})
    asks = dict.fromkeys(members, Asks(waits=True, gpus=1))
    plain, _ = Credits(1e9).counted(usage, members, asks, entitlement, 0.0)
    owing, _ = Credits(1e9).counted(usage, members, asks, entitlement, 0.0, frozenset({"vision"}))
    assert plain == {"vision": 10_000.0, "speech": 9_900.0}
    assert owing == usage

"""Each invariant catches a daemon or a policy that is broken on purpose; a check that cannot fail is no check."""

from __future__ import annotations

import pytest

from rota.simulate import invariants, plans, witness
from rota.simulate.broken import kind_of
from rota.simulate.run import failure_of
from rota.simulate.scenario import draw_day
from tests.simulate.mutants import MUTANTS, Patch

SEEDS = 60


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_broken_daemon_is_caught_by_its_invariant(mutant: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    caught = set()
    for seed in range(SEEDS):
        failure = failure_of(draw_day(seed))
        if failure is not None:
            caught.add(kind_of(failure))
        if MUTANTS[mutant] in caught:
            return
    pytest.fail(f"in {SEEDS} days nothing but {caught or 'nothing at all'}")


def test_every_invariant_has_a_mutant() -> None:
    stated = {
        value
        for module in (invariants, plans, witness)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    assert stated == set(MUTANTS.values())

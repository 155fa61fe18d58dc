"""A failing day becomes small, and one command runs it again."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.simulate import __main__ as command_line
from rota.simulate.broken import kind_of
from rota.simulate.day import Day
from rota.simulate.run import fails_alike, failure_of
from rota.simulate.scenario import draw_day
from rota.simulate.shrink import shrink
from tests.simulate.mutants import (
    MUTANTS,
    Patch,
    charges_the_wall_clock,
    forgets_turns_after_a_crash,
    grants_a_busy_gpu,
    takes_a_notice_for_the_end,
)

FEW = 5


@given(st.integers(1, 80), st.data())
def test_exactly_what_is_needed_is_left(many: int, data: st.DataObject) -> None:
    needed = data.draw(st.sets(st.integers(1, many), max_size=5))
    assert shrink(range(1, many + 1), lambda left: needed <= set(left)) == tuple(sorted(needed))


def test_of_two_causes_one_is_left_and_tries_are_bounded() -> None:
    asked = []

    def fails(left: object) -> bool:
        asked.append(left)
        return {3, 60} <= set(left) or {20} <= set(left)  # type: ignore[call-overload]  # it is a tuple of numbers

    assert shrink(range(1, 100), fails) in ((20,), (3, 60))
    asked.clear()
    shrink(range(1, 100), fails, tries=7)
    assert len(asked) == 7


def a_failing_day(mutant: Patch) -> Day:
    """The first day on which the mutant breaks its invariant."""
    for seed in range(60):
        day = draw_day(seed)
        failure = failure_of(day)
        if failure is not None and kind_of(failure) == MUTANTS[mutant]:
            return day
    raise AssertionError("no day fails as it should")


@pytest.mark.parametrize(
    "mutant",
    [
        grants_a_busy_gpu,
        takes_a_notice_for_the_end,
        charges_the_wall_clock,
        pytest.param(forgets_turns_after_a_crash, marks=pytest.mark.long),
    ],
    ids=lambda mutant: mutant.__name__,
)
def test_a_broken_daemon_is_shown_in_a_few_happenings(
    mutant: Patch, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mutant(monkeypatch)
    day = a_failing_day(mutant)
    numbers = shrink(tuple(day.happenings), fails_alike(day, MUTANTS[mutant]))
    assert 1 <= len(numbers) <= FEW
    for left_out in numbers:
        failure = failure_of(day.only(set(numbers) - {left_out}))
        assert failure is None or kind_of(failure) != MUTANTS[mutant]

    command = command_line.command_for(day.only(numbers), jobs=12)
    assert command == f"python -m rota.simulate --seed {day.seed} --only {','.join(map(str, numbers))}"
    monkeypatch.setattr("sys.argv", shlex.split(command)[2:])
    assert command_line.main() == 1
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1 + len(numbers) + 1
    assert said[0].startswith(f"The laboratory of seed {day.seed}: ")
    assert [int(line.split()[0]) for line in said[1:-1]] == list(numbers)
    assert said[-1].startswith(f"Broken: {MUTANTS[mutant]}: ")


def test_a_seed_that_fails_is_told_small_with_the_command_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    takes_a_notice_for_the_end(monkeypatch)
    day = a_failing_day(takes_a_notice_for_the_end)
    monkeypatch.setattr("sys.argv", ["rota.simulate", "--seed", str(day.seed)])
    assert command_line.main() == 1
    told = capsys.readouterr().out
    again = next(line.removeprefix("again: ") for line in told.splitlines() if line.startswith("again: "))
    monkeypatch.setattr("sys.argv", [*shlex.split(again)[2:], "--trace"])
    assert command_line.main() == 1
    traced = capsys.readouterr().out
    assert traced.splitlines()[-1] in told
    assert "submits" in told
    assert "-> finished: TurnEnded" in traced


def test_a_number_that_the_day_lacks_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["rota.simulate", "--seed", "0", "--only", "1,5000"])
    assert command_line.main() == 2
    assert "and no 5000." in capsys.readouterr().err

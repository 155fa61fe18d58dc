"""A begin that was told to a member is remembered, and held against what came."""

from __future__ import annotations

import pytest

from rota.daemon.commands import Cancel, Hold, Move, Release
from rota.domain.forecasts import END, Promise
from rota.domain.members import Member
from rota.store.contract import JobFilter
from tests.builders import a_fleet
from tests.daemon.forecasting import foretell, soon, told_of
from tests.daemon.live import Live, a_live

KIM = Member("kim", 1001)


def promises_of(live: Live) -> list[Promise]:
    return list(live.laboratory.store.promises_since(0.0, 100))


def two_jobs() -> tuple[Live, int, int]:
    """One runs, one waits for it."""
    live = a_live()
    runs = live.submit(member="lee", work_s=150.0)
    live.run(1.0)
    waits = live.submit()
    live.run(1.0)
    return live, runs, waits


def test_the_first_forecast_of_a_turn_is_the_promise_and_the_later_ones_are_not() -> None:
    live, _, waits = two_jobs()
    first = soon(live)
    foretell(live, {waits: first})
    live.run(5.0)
    foretell(live, {waits: soon(live, 500.0, 600.0, 700.0)})
    (promise,) = promises_of(live)
    assert (promise.job, promise.turn, promise.told, promise.began_at) == (waits, 1, first, None)
    told = live.core.forecasts.of(live.core.books.jobs[waits])
    assert told is not None
    assert told.begin == soon(live, 500.0, 600.0, 700.0)


def test_a_turn_that_begins_keeps_its_promise_or_not() -> None:
    live, _, waits = two_jobs()
    foretell(live, {waits: soon(live)})
    live.run(170.0)
    (promise,) = promises_of(live)
    turn = live.laboratory.store.turns_of((waits,))[0]
    assert promise.began_at == turn.began_at is not None
    assert promise.is_kept
    assert live.core.forecasts.promises.kept_since(0.0) == (1, 1)
    live.run(200.0)
    assert len(promises_of(live)) == 1


def test_a_turn_that_comes_later_than_promised_is_counted_as_not_kept() -> None:
    live, _, waits = two_jobs()
    foretell(live, {waits: soon(live, 1.0, 2.0, 3.0)})
    live.run(170.0)
    assert [promise.is_kept for promise in promises_of(live)] == [False]
    assert live.core.forecasts.promises.kept_since(0.0) == (0, 1)


def test_each_turn_of_a_job_is_promised_anew() -> None:
    live = a_live()
    jobs = [live.submit(member=member) for member in ("kim", "lee")]
    for _ in range(40):
        live.run(10.0)
        foretell(live, {job: soon(live) for job in jobs})
    turns = {(promise.job, promise.turn) for promise in promises_of(live)}
    assert len(turns) == len(promises_of(live)) >= 4
    assert (jobs[0], 1) not in turns  # it began before anything could be promised


def test_a_job_that_is_cancelled_held_or_moved_makes_its_promise_void() -> None:
    live = a_live(a_fleet(big=("h100", 1), small=("rtx3090", 1)))
    for _ in range(2):
        live.submit(member="lee")
    live.run(1.0)
    cancelled, held, moved = (live.submit() for _ in range(3))
    foretell(live, {job: soon(live) for job in (cancelled, held, moved)})
    live.ask(Cancel(KIM, cancelled))
    live.ask(Hold(KIM, held))
    live.ask(Move(KIM, moved, ("h100",)))
    assert [promise.is_void for promise in promises_of(live)] == [True, True, True]
    assert live.core.forecasts.of(live.core.books.jobs[moved]) is None
    live.ask(Release(KIM, held))
    foretell(live, {job: soon(live) for job in (held, moved)})
    assert [promise.is_void for promise in promises_of(live)] == [True, False, False]


def test_a_forecast_of_a_job_as_it_was_is_not_taken_for_what_it_is() -> None:
    live, _, waits = two_jobs()
    snapshot = live.core.snapshot
    assert snapshot is not None
    live.ask(Hold(KIM, waits))
    live.core.take_forecasts(told_of(snapshot, {waits: soon(live)}), snapshot)
    assert promises_of(live) == []
    assert live.core.forecasts.of(live.core.books.jobs[waits]) is None


def test_promises_survive_the_daemon() -> None:
    live, _, waits = two_jobs()
    foretell(live, {waits: soon(live)})
    live.restart()
    foretell(live, {waits: soon(live, 900.0, 901.0, 902.0)})
    assert len(promises_of(live)) == 1
    live.run(170.0)
    live.restart()
    assert live.core.forecasts.promises.kept_since(0.0) == (1, 1)


def test_a_long_list_of_open_promises_does_not_make_the_next_daemon_forget_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rota.daemon.promises.MOST_REMEMBERED", 2)
    live, _, waits = two_jobs()
    foretell(live, {waits: soon(live)})
    live.run(170.0)
    many = [live.submit() for _ in range(8)]
    foretell(live, {job: soon(live, 400.0, 500.0, 600.0) for job in many})
    live.restart()
    promises = live.core.forecasts.promises
    assert promises.open.keys() == set(many)
    assert promises.kept_since(0.0) == (1, 1)


def test_a_turn_that_has_begun_is_no_longer_expected() -> None:
    live, runs, waits = two_jobs()
    foretell(live, {waits: soon(live), runs: soon(live)})
    live.run(170.0)
    told = live.core.forecasts.of(live.core.books.jobs[waits])
    assert told is not None
    assert (told.turn, told.begin) == (2, None)
    assert told.finish is not None


# The end of a whole job


def test_the_end_of_a_job_is_promised_once_and_held_against_when_it_finished() -> None:
    live, runs, waits = two_jobs()
    begin, end = soon(live), soon(live, 400.0, 500.0, 600.0)
    foretell(live, {runs: begin, waits: begin}, {runs: soon(live, 100.0, 150.0, 300.0), waits: end})
    live.run(5.0)
    foretell(live, {waits: begin}, {waits: soon(live, 900.0, 950.0, 990.0)})
    live.run(400.0)
    ends = {promise.job: promise for promise in promises_of(live) if promise.turn == END}
    assert ends[waits].told == end
    assert ends[waits].began_at is None
    assert ends[runs].began_at == live.laboratory.store.jobs(JobFilter(ids=(runs,)))[0].ended_at
    assert ends[runs].is_kept
    assert [promise.job for promise in live.core.forecasts.promises.ended_since(0.0)] == [runs]
    assert live.core.forecasts.promises.kept_since(0.0) == (1, 1)  # of begins, as without it


def test_a_job_that_is_cancelled_says_nothing_of_when_it_would_have_been_done() -> None:
    live, _, waits = two_jobs()
    foretell(live, {waits: soon(live)}, {waits: soon(live, 400.0, 500.0, 600.0)})
    live.ask(Cancel(KIM, waits))
    assert [promise.is_void for promise in promises_of(live) if promise.turn == END] == [True]
    assert live.core.forecasts.promises.open_ends == {}


def test_after_a_restart_open_promises_of_ends_are_still_held_against_what_comes() -> None:
    live, runs, waits = two_jobs()
    foretell(live, {waits: soon(live)}, {runs: soon(live, 100.0, 140.0, 160.0), waits: soon(live)})
    live.restart()
    assert live.core.forecasts.promises.open_ends.keys() == {waits}
    live.run(10.0)
    assert live.core.forecasts.promises.open.keys() == {waits}

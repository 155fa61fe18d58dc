"""What a member is told of their turn, from what the API answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from rota.cli import told

NOW = 1_795_500_000.0
HOUR_S = 3600.0


@pytest.fixture(autouse=True)
def in_seoul(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """There it is Tuesday, 24 November 2026, 15:00."""
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def a_range(early_h: float, likely_h: float, late_h: float) -> dict[str, float]:
    return {"early": NOW + early_h * HOUR_S, "likely": NOW + likely_h * HOUR_S, "late": NOW + late_h * HOUR_S}


def a_forecast(**changes: Any) -> dict[str, Any]:
    """A first turn in two hours or so."""
    known = {
        "turn": 1,
        "begin": a_range(1.2, 2, 3.4),
        "finish": None,
        "made_at": NOW,
        "tier": "h100",
        "at_latest": None,
    }
    return known | changes


NOTHING = a_forecast(turn=None, begin=None, made_at=None, tier=None)


def a_job(**changes: Any) -> dict[str, Any]:
    """Waiting for its first turn."""
    known = {
        "job": 412, "place": 5, "state": "waiting", "turn": None, "ended_at": None, "tier": "h100",
        "reason": "Because.", "forecast": a_forecast(),
    }  # fmt: skip
    return known | changes


def a_turn(**changes: Any) -> dict[str, Any]:
    return {"node": "lab", "tier": "h100", "granted_at": NOW, "guaranteed_until": NOW + HOUR_S} | changes


def ahead(job: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"at": NOW, "job": job, "place": 3, "gpu_memory_bytes": 20 * 2**30, "elsewhere": None} | changes


def test_a_submit_is_answered_with_place_and_range() -> None:
    assert told.after_submit(ahead(a_job())) == [
        "3rd in line for h100. Your first turn: today 16:10-18:30, likely 17:00."
    ]
    assert told.after_submit(ahead(a_job(tier="h100,a100"), place=11))[0].startswith("11th in line for h100 or a100.")
    assert told.after_submit(ahead(a_job(tier="any"), place=1))[0].startswith("1st in line. Your first turn: ")


def test_a_submit_is_told_where_it_could_start_now_and_what_that_changes() -> None:
    there = {"tier": "rtx3090", "memory_bytes": 24 * 2**30, "times_as_fast": 1 / 2.6, "finish_at": NOW + 4.7 * HOUR_S}
    job = a_job(forecast=a_forecast(finish=a_range(4, 5.1, 6.5)))
    line, hint = told.after_submit(ahead(job, elsewhere=there))
    assert line.endswith("likely 17:00. Done: today 19:00-21:30, likely 20:10.")
    assert hint == (
        "You can start now on rtx3090 (fits 20G, about 2.6x slower): finish likely today 19:40 instead of 20:10. "
        "Type: rota move 412 --tier rtx3090"
    )
    unknown = ahead(a_job(), elsewhere=there | {"finish_at": None}, gpu_memory_bytes=0)
    assert told.after_submit(unknown)[1] == (
        "You can start now on rtx3090 (24G of memory, about 2.6x slower). Type: rota move 412 --tier rtx3090"
    )


def test_a_job_that_begins_at_once_says_so() -> None:
    job = a_job(state="running", turn=a_turn(), forecast=a_forecast(begin=None, finish=a_range(1, 2, 3)))
    assert told.after_submit(ahead(job, place=None)) == [
        "It begins now, on lab (h100). Done: today 16:00-18:00, likely 17:00."
    ]


def test_without_a_forecast_the_plain_bound_is_said_or_the_reason() -> None:
    assert told.after_submit(ahead(a_job(forecast=NOTHING | {"at_latest": NOW + 2 * HOUR_S}))) == [
        "3rd in line for h100. Your first turn: by 17:00 at the latest. For its forecast: rota show 412"
    ]
    assert told.after_submit(ahead(a_job(forecast=NOTHING))) == ["Because."]  # it follows another job
    assert told.after_submit(ahead(a_job(forecast=NOTHING, place=None), place=None)) == [
        "For its forecast: rota show 412"
    ]


def test_a_job_that_follows_others_is_in_no_line_yet() -> None:
    assert told.after_submit(ahead(a_job(reason="Starts after job 1 has ended."), place=None)) == [
        "Starts after job 1 has ended. Your first turn: today 16:10-18:30, likely 17:00."
    ]


def test_a_list_says_what_comes_next() -> None:
    again, done = a_range(1.2, 2, 3.4), a_range(2.1, 2.5, 3)
    assert told.when(a_job(), NOW) == "today 16:10-18:30"
    assert told.when(a_job(forecast=NOTHING | {"at_latest": NOW + HOUR_S}), NOW) == "by 16:00"
    assert told.when(a_job(state="held", forecast=NOTHING), NOW) == ""
    assert told.when(a_job(ended_at=NOW - HOUR_S), NOW) == "14:00"
    running = a_job(state="running", turn=a_turn())
    assert told.when(running | {"forecast": a_forecast(begin=again, finish=done)}, NOW) == (
        "until 16:00, again today 16:10-18:30"
    )
    assert told.when(running | {"forecast": a_forecast(begin=None, finish=done)}, NOW) == "done today 17:00-18:00"
    assert told.when(running | {"forecast": NOTHING}, NOW) == "until 16:00"


def test_show_says_how_good_such_forecasts_are_how_old_and_why_it_shifted() -> None:
    job = a_job(forecast=a_forecast(turn=3, made_at=NOW - 300, finish=a_range(5, 6, 7)))
    shift = "It was promised by 16:00; two jobs of lee came before it."
    assert told.facts(job, {"kept": 27, "of": 30, "shift": shift}, NOW) == {
        "next turn": "today 16:10-18:30, likely 17:00, on h100",
        "done": "today 20:00-22:00, likely 21:00",
        "forecast": "9 of 10 such forecasts held in the last 30 days (27 of 30); as of 5min ago",
        "shifted": shift,
    }


def test_why_ends_with_when() -> None:
    assert told.sentence(a_forecast(finish=a_range(5, 6, 7)), NOW) == (
        "Its first turn: today 16:10-18:30, likely 17:00; done: today 20:00-22:00, likely 21:00."
    )
    assert told.sentence(a_forecast(begin=None, finish=a_range(5, 6, 7)), NOW).startswith("Done: today 20:00-22:00")
    assert told.sentence(NOTHING, NOW) == ""


def test_a_list_tells_the_age_of_its_oldest_forecast_once_it_matters() -> None:
    fresh, old = a_job(), a_job(forecast=a_forecast(made_at=NOW - 600))
    assert told.oldest([fresh], NOW) == ""
    assert told.oldest([fresh, old, a_job(forecast=NOTHING)], NOW) == "as of 10min ago"

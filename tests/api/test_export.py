"""Who gets which jobs, and how much at a time."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import httpx
import pytest

from rota.api import export
from rota.api.site import Site
from rota.domain.jobs import Job, JobState
from rota.domain.turns import Outcome, Turn, TurnState
from rota.store.contract import Entries
from tests.api.site import a_site, serving
from tests.builders import a_job, a_turn

STRANGER = 54_321  # a uid without an account: Rota calls it uid54321


def a_site_with(jobs: list[Job], turns: list[Turn], own_uid: int | None = None) -> Site:
    """A laboratory with this past."""
    site = a_site(own_uid)
    site.core.laboratory.store.record(Entries(jobs=jobs, turns=turns))
    site.core.recover(site.clock())
    return site


def a_past_job(number: int, turns: int, **changes: Any) -> Job:
    return a_job(number, state=JobState.FINISHED, ended_at=500.0, turns=turns, **changes)


def turns_of(*jobs: Job) -> list[Turn]:
    ended = {"state": TurnState.ENDED, "ended_at": 400.0, "outcome": Outcome.SAVED}
    return [a_turn(job.id, number, **ended) for job in jobs for number in range(1, job.turns + 1)]


def everything(site: Site, uid: int | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """Jobs and turns of all pages, and how many pages there were."""
    jobs, turns, pages = [], [], 0
    after: int | None = 0
    with serving(site, uid) as address:
        while after is not None:
            page = httpx.get(f"{address}/api/v1/export", params={"after": after}).json()
            jobs, turns, pages = jobs + page["jobs"], turns + page["turns"], pages + 1
            after = page["next_after"]
    return jobs, turns, pages


def test_an_administrator_exports_everybody_and_a_member_their_own() -> None:
    jobs = [a_past_job(1, 1), a_past_job(2, 2, member=f"uid{STRANGER}"), a_past_job(3, 0)]
    for uid, own_uid, seen in ((os.getuid(), os.getuid(), [1, 2, 3]), (0, 0, [1, 2, 3]), (STRANGER, 0, [2])):
        found, its_turns, _ = everything(a_site_with(jobs, turns_of(*jobs), own_uid), uid)
        assert [job["job"] for job in found] == seen
        assert {turn["job"] for turn in its_turns} <= set(seen)
        assert [turn["turn"] for turn in its_turns if turn["job"] == 2] == ["2.1", "2.2"]


def test_a_page_has_few_turns_and_none_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE_JOBS", 7)
    monkeypatch.setattr(export, "PAGE_TURNS", 10)
    jobs = [a_past_job(number, number % 5) for number in range(1, 101) if number % 9]
    jobs.append(a_past_job(200, 30))  # after a gap that is wider than a page; more turns than a page has
    turns = turns_of(*jobs)
    found, its_turns, pages = everything(a_site_with(jobs, turns))
    assert [job["job"] for job in found] == [job.id for job in jobs]
    assert [turn["turn"] for turn in its_turns] == [turn.id for turn in turns]
    assert pages >= 20
    assert all(job["turns"] == sum(turn["job"] == job["job"] for turn in its_turns) for job in found)


def test_an_empty_laboratory_is_one_empty_page() -> None:
    assert everything(a_site()) == ([], [], 1)


def test_an_open_turn_is_exported_as_it_stands_now_and_nothing_secret_is() -> None:
    site = a_site_with([a_job(1, command="train --password=hush", state=JobState.RUNNING, turns=1)], [a_turn(1)])
    site.core.books.note(turn=replace(site.core.books.turns["1.1"], saved_at=77.0))
    jobs, turns, _ = everything(site)
    assert turns[0]["saved_at"] == 77.0
    assert turns[0]["ended_at"] is None
    assert "hush" not in str(jobs)

"""The page about forecasts in a real browser."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from rota.store.contract import Entries
from rota.store.open import open_store, sqlite_url
from tests.browser import HOSTILE, SCREENSHOTS, enter, serious
from tests.builders import a_promise, a_range
from tests.end_to_end.session import Rota

pytestmark = pytest.mark.browser


def remember_turns(state: Path, now: float) -> None:
    """A hundred turns of the last month: of ten, nine began by the late moment, five by the likely one, one early."""
    store = open_store(sqlite_url(state))
    promises = []
    for number in range(1, 101):
        made_at, lead_s = now - number * 6 * 3600.0, (1800.0, 20 * 3600.0, 3 * 86400.0)[number % 3]
        told = a_range(made_at + 0.5 * lead_s, made_at + lead_s, made_at + 2 * lead_s)
        came = (told.early - 60, *[told.early + 60] * 4, *[told.likely + 60] * 4, told.late + 600)[number % 10]
        tier = ("h100", "a100", HOSTILE)[number % 3]
        promises.append(a_promise(number, tier=tier, made_at=made_at, raw=told, told=told, began_at=min(came, now)))
    store.record(Entries(promises=promises))
    store.close()


@pytest.fixture
def remembered(make_rota: Callable[..., Rota]) -> Rota:
    rota = make_rota(fleet="h100:2")
    remember_turns(rota.state, time.time())
    return rota.up()


def the_page(rota: Rota, browser: Browser, **context: object) -> Page:
    """It is shown, and notes every error."""
    page = enter(rota, browser, **context)
    page.get_by_role("link", name="how good forecasts are").click()
    page.wait_for_selector("#sentence:not(:text('Counting'))")
    return page


def test_the_page_shows_what_was_promised_and_what_came(remembered: Rota, browser: Browser) -> None:
    page = the_page(remembered, browser, viewport={"width": 1100, "height": 900})
    assert page.locator("#sentence").inner_text().startswith("9 of 10 such forecasts held in the last 90 days")
    assert "late: promised 90 %, came 90 %" in (page.locator("#reliability svg").get_attribute("aria-label") or "")
    leads = page.locator("#leads-table tbody th").all_inner_texts()
    assert leads == ["within the hour", "within a day", "within a week"]
    assert set(page.locator("#tiers-table tbody th").all_inner_texts()) == {"h100", "a100", HOSTILE}
    assert page.locator("img").count() == 0
    page.screenshot(path=SCREENSHOTS / "score.png", full_page=True)
    page.get_by_label("that began in").select_option("7")
    page.wait_for_selector("#sentence:has-text('last 7 days')")
    assert page.errors == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_accessibility_problem(remembered: Rota, browser: Browser, scheme: str) -> None:
    page = the_page(remembered, browser, color_scheme=scheme)
    page.wait_for_selector("#reliability svg")
    assert serious(page) == []
    page.screenshot(path=SCREENSHOTS / f"score-{scheme}.png", full_page=True)


def test_a_phone_can_read_it(remembered: Rota, browser: Browser) -> None:
    page = the_page(remembered, browser, viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.wait_for_selector("#reliability svg")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=SCREENSHOTS / "score-phone.png", full_page=True)


def test_an_empty_record_says_what_will_be_there(rota: Rota, browser: Browser) -> None:
    page = the_page(rota, browser)
    assert "No turn that was forecast has begun" in page.locator("#sentence").inner_text()
    assert "by how far ahead" in page.locator("#soon").inner_text()
    assert not page.locator("#diagram").is_visible()
    assert serious(page) == []
    page.screenshot(path=SCREENSHOTS / "score-empty.png", full_page=True)


def test_who_is_not_signed_in_sees_no_record(remembered: Rota, browser: Browser) -> None:
    address = json.loads(remembered("web", "--json"))["url"].split("/enter")[0]
    page = browser.new_context().new_page()
    page.goto(f"{address}/forecasts")
    assert "rota web" in page.locator("main").inner_text()

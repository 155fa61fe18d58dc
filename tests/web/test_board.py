"""The board in a real browser, over a real daemon with real jobs."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import HOSTILE, SCREENSHOTS, enter, serious
from tests.end_to_end.session import Rota
from tests.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def laboratory(make_rota: Callable[..., Rota]) -> Rota:
    """Three GPUs of two tiers, four jobs of three members, a quantum of two seconds."""
    rota = make_rota(fleet="h100:2,rtx3090:1", quantum="2s").up()
    for name, member, project in (("bert", "kim", "vision"), ("whisper", "lee", "speech"), ("gnn", "park", "thesis")):
        rota.count(name, 100_000, "--project", project, member=member)
    rota.count("vit", 100_000, "--gpus", "2", "--project", "vision", member="kim")
    return rota


def the_board(rota: Rota, browser: Browser, **context: object) -> Page:
    """It is shown, and notes every error."""
    page = enter(rota, browser, **context)
    page.wait_for_selector(".bar")
    return page


def test_the_board_shows_turns_and_the_waiting_list_and_follows_what_happens(
    laboratory: Rota, browser: Browser
) -> None:
    page = the_board(laboratory, browser, viewport={"width": 1440, "height": 900})
    assert page.locator("#laboratory").inner_text() == "Our laboratory"
    assert page.locator(".row").count() == 3
    page.wait_for_selector("#waiting-list li")
    waits = page.locator("#waiting-list li").first.inner_text()
    assert "job" in waits
    number = laboratory.count("newcomer", 100_000, "--tier", "rtx3090", member="choi")
    page.wait_for_selector('[aria-label*="newcomer"], li:has-text("newcomer")', timeout=15_000)
    # A member with nothing running is served within a quantum, and somebody's turn ends for it. Cancelled while it
    # waits, it would have had no turn, and nobody else need have ended one.
    page.wait_for_selector('.bar[aria-label*="newcomer"]', state="attached", timeout=40_000)
    laboratory("cancel", str(number))
    page.wait_for_selector("#recent-list >> text=newcomer", timeout=15_000)
    page.wait_for_selector('.bar.past[aria-label*="newcomer"]', state="attached", timeout=15_000)
    assert page.locator(".bar.past").count() >= 2
    page.screenshot(path=SCREENSHOTS / "board.png", full_page=True)
    assert page.errors == []  # type: ignore[attr-defined]


def test_who_waits_is_told_when_and_who_runs_what_comes_next(make_rota: Callable[..., Rota], browser: Browser) -> None:
    rota = make_rota(fleet="h100:1", quantum="2h").up()
    for name in ("first", "second", "third"):
        rota.count(name, 100_000, "--time", "3h", member=name)
    page = the_board(rota, browser, viewport={"width": 390, "height": 844}, timezone_id="Asia/Seoul")
    when = page.locator("#waiting-list li .when")
    wait_until(lambda: "likely" in when.last.inner_text(), 30, what="the range")
    begin = rota.jobs()[2]["forecast"]["begin"]
    assert begin is not None
    hours = {datetime.fromtimestamp(begin[end], ZoneInfo("Asia/Seoul")).hour for end in ("early", "likely", "late")}
    assert hours & {int(hour) % 24 for hour in re.findall(r"(\d+):", when.last.inner_text())}
    page.locator(".bar.running").first.focus()
    assert re.search("; (its next turn|done): ", page.locator("#details").inner_text())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=SCREENSHOTS / "forecasts.png", full_page=True)
    assert page.errors == []  # type: ignore[attr-defined]


def test_pointing_at_a_turn_says_whose_it_is(laboratory: Rota, browser: Browser) -> None:
    page = the_board(laboratory, browser)
    page.locator(".bar.running").first.focus()
    said = page.locator("#details").inner_text()
    assert said.startswith("Job ")
    assert "project" in said
    assert re.search(r"turn \d", said)


def test_a_name_is_text_whatever_it_looks_like(laboratory: Rota, browser: Browser) -> None:
    laboratory.submit("--name", HOSTILE, "--project", HOSTILE, "--", "sleep", "100")
    page = the_board(laboratory, browser)
    wait_until(lambda: HOSTILE in page.locator("body").inner_text(), 10)
    assert page.locator("img").count() == 0
    assert page.errors == []  # type: ignore[attr-defined]


def test_the_page_comes_back_by_itself_after_the_daemon_was_killed(laboratory: Rota, browser: Browser) -> None:
    port = json.loads(laboratory("web", "--json"))["url"].split(":")[2].split("/")[0]
    page = the_board(laboratory, browser)
    page.evaluate("window.mark = 'the same page'")
    laboratory.kill_daemon()
    page.wait_for_selector(".live:not(.on)", timeout=10_000)
    assert "trying again" in page.locator("#live-text").inner_text()
    assert page.locator(".bar").count() > 0  # what was last seen stays
    laboratory.up("--web", f"127.0.0.1:{port}")
    page.wait_for_selector(".live.on", timeout=30_000)
    assert page.evaluate("window.mark") == "the same page"


def test_a_phone_can_read_it(laboratory: Rota, browser: Browser) -> None:
    page = the_board(laboratory, browser, viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.wait_for_selector("#waiting-list li")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=SCREENSHOTS / "phone.png", full_page=True)


def test_the_wall_screen_has_no_controls(laboratory: Rota, browser: Browser) -> None:
    page = the_board(laboratory, browser, viewport={"width": 1920, "height": 1080}, color_scheme="dark")
    page.goto(page.url + "?wall=1")
    page.wait_for_selector(".bar")
    assert not page.locator("#zoom").is_visible()
    page.screenshot(path=SCREENSHOTS / "wall.png")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_accessibility_problem(laboratory: Rota, browser: Browser, scheme: str) -> None:
    page = the_board(laboratory, browser, color_scheme=scheme)
    page.wait_for_selector("#waiting-list li")
    page.locator(".as-table summary").click()
    assert serious(page) == []


def test_who_is_not_signed_in_is_told_how_to_come_in(laboratory: Rota, browser: Browser) -> None:
    address = json.loads(laboratory("web", "--json"))["url"].split("/enter")[0]
    page = browser.new_context().new_page()
    page.goto(address)
    assert "rota web" in page.locator("main").inner_text()
    page.screenshot(path=SCREENSHOTS / "welcome.png")


def test_an_empty_laboratory_says_how_to_begin(make_rota: Callable[..., Rota], browser: Browser) -> None:
    rota = make_rota(fleet="h100:2").up()
    page = browser.new_context().new_page()
    page.goto(json.loads(rota("web", "--json"))["url"])
    page.wait_for_selector("#waiting-empty:not([hidden])")
    assert "rota run" in page.locator("#waiting-empty").inner_text()
    wait_until(lambda: page.locator(".live.on").count() == 1, 10)
    page.screenshot(path=SCREENSHOTS / "empty.png")


def test_pages_let_nothing_in_from_elsewhere(laboratory: Rota, browser: Browser) -> None:
    address = json.loads(laboratory("web", "--json"))["url"].split("/enter")[0]
    page = browser.new_context().new_page()
    answer = page.goto(address)
    assert answer is not None
    policy = answer.header_value("content-security-policy") or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.request.get(f"{address}/assets/..%2f..%2fpages.py").status == 404


def test_what_is_wrong_with_rota_itself_stands_above_everything_while_it_lasts(
    laboratory: Rota, browser: Browser
) -> None:
    page = the_board(laboratory, browser)
    assert page.locator("#trouble").is_hidden()
    settings = laboratory.state / "rota.toml"
    written = settings.read_text()
    settings.write_text(written + "\n[nothing]\nlike = 'that'\n")
    assert laboratory.daemon is not None
    laboratory.daemon.send_signal(signal.SIGHUP)
    page.wait_for_selector("#trouble p")
    assert "The settings file was not taken" in page.locator("#trouble").inner_text()
    assert "! The settings file was not taken" in laboratory("list")
    assert serious(page) == []
    settings.write_text(written)
    laboratory.daemon.send_signal(signal.SIGHUP)
    page.wait_for_selector("#trouble", state="hidden")
    assert page.errors == []  # type: ignore[attr-defined]

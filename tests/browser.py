"""A real Chromium for tests of pages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.end_to_end.session import Rota
from tests.missing import is_missing

#: What somebody might call a job, or a tier: it must be shown as it is.
HOSTILE = "<img src=x onerror=alert(1)>"
SCREENSHOTS = Path(__file__).resolve().parents[1] / "screenshots"
#: Quiet: no talk to its maker's servers, which tests must not need.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of this machine; without one the test fails in CI and is skipped elsewhere, with the reason."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        why = "no Chromium here: apt install chromium"
        is_missing(why)
    SCREENSHOTS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


def enter(rota: Rota, browser: Browser, **context: object) -> Page:
    """A browser that came in by its link; it notes every error in `errors`."""
    page = browser.new_context(**context).new_page()  # type: ignore[arg-type]  # options of Playwright, by name
    page.errors = []  # type: ignore[attr-defined]  # ours, looked at by the tests
    page.on("pageerror", lambda error: page.errors.append(str(error)))  # type: ignore[attr-defined]
    page.on("console", lambda said: page.errors.append(said.text) if said.type == "error" else None)  # type: ignore[attr-defined]
    page.goto(json.loads(rota("web", "--json"))["url"])
    return page


def serious(page: Page) -> list[tuple[str, str]]:
    """Accessibility problems that keep somebody from using it: the rule, and the first place."""
    found = Axe().run(page).response["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]

"""The browser says a range as the terminal does."""

from __future__ import annotations

import random
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from rota.domain.forecasts import Range
from rota.domain.ranges import say_range
from rota.web.pages import ASSETS
from tests.browser import chromium

pytestmark = pytest.mark.browser
HOUR_S, DAY_S = 3600.0, 86400.0
SAY = """([source, cases]) => import("data:text/javascript;base64," + btoa(source)).then(({ sayRange }) =>
  cases.map(([told, now, hasLikely]) => sayRange(told, now, hasLikely)))"""


def some_cases() -> list[tuple[Range, float, bool]]:
    """Near and far, wide and narrow, around a change of the clocks and away from one."""
    chance = random.Random(7)
    cases = []
    for begin in (datetime(2026, 3, 28, 20, 3, 7), datetime(2026, 11, 24, 13, 31)):
        now = begin.replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
        for _ in range(300):
            early = now + chance.choice((-600, 0, 300, HOUR_S, 8 * HOUR_S, DAY_S, 9 * DAY_S)) * (0.5 + chance.random())
            likely, late = (chance.random() ** 2 * chance.choice((60, HOUR_S, 9 * HOUR_S, 5 * DAY_S)) for _ in range(2))
            cases.append((Range(early, early + likely, early + likely + late), now, chance.random() < 0.5))
    return cases


def test_the_browser_says_a_range_as_the_terminal_does() -> None:
    cases = some_cases()
    sent = [[{"early": told.early, "likely": told.likely, "late": told.late}, now, has] for told, now, has in cases]
    source = (ASSETS / "ranges.js").read_text()
    with chromium() as browser:
        page = browser.new_context(timezone_id="Europe/Berlin").new_page()
        said = page.evaluate(SAY, [source, sent])
    expected = [say_range(told, now, ZoneInfo("Europe/Berlin"), has_likely=has) for told, now, has in cases]
    assert [pair for pair in zip(said, expected, strict=True) if pair[0] != pair[1]] == []
    assert len(set(expected)) > 200

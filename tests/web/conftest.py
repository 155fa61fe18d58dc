"""A Rota for each test, and a browser for all of a file's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium
from tests.end_to_end.fixtures import make_rota, rota

__all__ = ["make_rota", "rota"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened

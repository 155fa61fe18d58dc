"""The page of a head node that stands by, in a real browser."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.browser import SCREENSHOTS, enter, serious
from tests.end_to_end.heads import two_heads
from tests.end_to_end.session import Rota
from tests.postgres import own_postgres


@pytest.mark.browser
@pytest.mark.postgres
def test_the_page_of_a_standby_becomes_the_board_by_itself_for_who_is_signed_in(
    make_rota: Callable[..., Rota], browser: Browser
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with own_postgres() as postgres, two_heads(make_rota, postgres) as heads:
        heads.begin(heads.first)
        heads.await_lead(heads.first)
        heads.begin(heads.second, "--web", f"127.0.0.1:{port}")
        heads.await_standby(heads.second)
        page = enter(heads.first, browser)
        page.goto(f"http://127.0.0.1:{port}/")
        assert page.locator("h1").inner_text() == "Not here yet"
        assert f"{socket.gethostname()} leads. Its page is there." in page.locator("main").inner_text()
        assert serious(page) == []
        page.screenshot(path=SCREENSHOTS / "standby.png")
        heads.first.kill_daemon()
        page.wait_for_selector("#waiting-list", state="attached", timeout=30_000)
        assert page.locator("#laboratory").inner_text() == "Our laboratory"

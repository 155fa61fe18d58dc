"""What a daemon answers that does not lead: to everything that another one does, and nothing else."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from rota.api.standby import create_standby
from rota.web.pages import standby_router


def said(instead: str) -> str:
    return f"This Rota stands by; <head2> leads. {instead}"


def answer(method: str, path: str) -> httpx.Response:
    """Of a standby."""

    async def ask() -> httpx.Response:
        app = create_standby(said, standby_router(said))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rota") as browser:
            return await browser.request(method, path)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "asked", ["GET /api/v1/jobs", "POST /api/v1/jobs", "GET /api/v1/health", "GET /api/v1/events", "PUT /api/v9/none"]
)
def test_commands_are_told_where_to_go(asked: str) -> None:
    told = answer(*asked.split())
    assert told.status_code == 503
    assert told.json() == {"error": "standby", "message": "This Rota stands by; <head2> leads. Type it there."}
    assert int(told.headers["retry-after"]) > 0


@pytest.mark.parametrize("path", ["/", "/forecasts", "/enter?token=of-a-link"])
def test_a_browser_is_told_on_a_page_that_becomes_the_board_by_itself(path: str) -> None:
    page = answer("GET", path)
    assert page.status_code == 503
    assert "This Rota stands by; &lt;head2&gt; leads. Its page is there." in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert answer("GET", "/assets/standby.js").status_code == 200
    assert answer("GET", "/assets/board.css").status_code == 200


def test_nothing_else_is_there() -> None:
    assert answer("GET", "/openapi.json").status_code == 404
    assert answer("GET", "/assets/..%2fpages.py").status_code == 404

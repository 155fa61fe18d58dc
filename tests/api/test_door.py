"""How browsers come in, and what a page of another site cannot do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from rota.api.site import Site
from tests.api.site import a_site, serving
from tests.waiting import wait_until


@pytest.fixture
def site() -> Site:
    return a_site()


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    with serving(site) as where:
        yield where


def signed_in(address: str) -> httpx.Client:
    """A browser that used its one-time link."""
    token = httpx.post(f"{address}/api/v1/links").json()["url"].partition("token=")[2]
    browser = httpx.Client(base_url=address, headers={"x-stranger": "1"})
    assert browser.get("/enter", params={"token": token}).status_code == 303
    return browser


def test_a_browser_without_a_session_is_told_how_to_come_in(address: str) -> None:
    answer = httpx.get(f"{address}/api/v1/board", headers={"x-stranger": "1"})
    assert answer.status_code == 403
    assert "rota web" in answer.json()["message"]


def test_a_link_lets_one_browser_in_and_only_once(address: str) -> None:
    token = httpx.post(f"{address}/api/v1/links").json()["url"].partition("token=")[2]
    browser = httpx.Client(base_url=address, headers={"x-stranger": "1"})
    entered = browser.get("/enter", params={"token": token})
    assert entered.headers["location"] == "/"
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert browser.get("/api/v1/board").status_code == 200
    assert httpx.get(f"{address}/enter", params={"token": token}).status_code == 403


def test_a_link_is_worth_nothing_after_ten_minutes(site: Site, address: str) -> None:
    token = httpx.post(f"{address}/api/v1/links").json()["url"].partition("token=")[2]
    now = site.identity.clock()
    site.identity.clock = lambda: now + 601
    assert httpx.get(f"{address}/enter", params={"token": token}).status_code == 403


def test_a_page_of_another_site_cannot_act_through_the_cookie(address: str) -> None:
    browser = signed_in(address)
    body = {"argv": ["true"], "cwd": "/"}
    for origin in ("https://evil.example", ""):
        answer = browser.post("/api/v1/jobs", json=body, headers={"origin": origin} if origin else {})
        assert answer.status_code == 403
    assert browser.post("/api/v1/jobs", json=body, headers={"origin": address}).status_code == 201


def test_a_daemon_of_an_ordinary_user_serves_that_user_alone() -> None:
    with serving(a_site(own_uid=1000), uid=2000) as address:
        answer = httpx.get(f"{address}/api/v1/jobs")
    assert answer.status_code == 403
    assert "alone" in answer.json()["message"]


def test_every_change_reaches_a_page_that_listens(address: str) -> None:
    with httpx.stream("GET", f"{address}/api/v1/events", timeout=10) as events:
        lines = events.iter_lines()
        first = [next(lines) for _ in range(3)]
        assert first[0] == "event: board"
        httpx.post(f"{address}/api/v1/jobs", json={"argv": ["train"], "cwd": "/", "checkpoint": "/c", "gpus": 4})
        assert any('"job":1' in line for line in (next(lines) for _ in range(6)))


def test_errors_are_json_with_a_code_and_a_sentence(address: str) -> None:
    for path, code in (("/api/v1/jobs/9", "no_such_thing"), ("/api/v1/nothing", "no_such_thing")):
        answer = httpx.get(f"{address}{path}")
        assert (answer.status_code, answer.json()["error"]) == (404, code)
    answer = httpx.post(f"{address}/api/v1/jobs", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["error"] == "bad_request"


def test_a_session_is_read_in_the_daemons_own_thread(site: Site, address: str) -> None:
    """In another one it would be read in the midst of what is being recorded, on the same connection."""
    browser, now = signed_in(address), site.clock()
    of_sessions, of_daemon = set[int](), set[int]()

    def noting(threads: set[int]) -> Callable[[], float]:
        return lambda: threads.add(threading.get_ident()) or now  # type: ignore[func-returns-value]  # add gives None

    site.identity.clock, site.service.clock = noting(of_sessions), noting(of_daemon)
    for path in ("/api/v1/board", "/api/v1/health", "/api/v1/jobs", "/api/v1/fleet"):
        assert browser.get(path).status_code == 200
    httpx.post(f"{address}/api/v1/jobs", json={"argv": ["true"], "cwd": "/"})  # wakes the daemon's loop
    wait_until(lambda: of_daemon, 10, what="the daemon asks for the time")
    assert of_sessions == of_daemon

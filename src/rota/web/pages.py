"""The pages: plain files, served with headers that let nothing else in."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

ASSETS = Path(__file__).parent / "assets"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
#: No inline script or style, nothing from elsewhere, no frame (Content Security Policy Level 3).
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def router(is_signed_in: Callable[[Request], bool]) -> APIRouter:
    """`/`, `/forecasts` and `/assets/...`. Who is not signed in is told how to come in."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def board(request: Request) -> Response:
        return _file("board.html" if is_signed_in(request) else "welcome.html", request)

    @routes.get("/forecasts")
    async def forecasts(request: Request) -> Response:
        return _file("forecasts.html" if is_signed_in(request) else "welcome.html", request)

    routes.include_router(_assets)
    return routes


def standby_router(said: Callable[[str], str]) -> APIRouter:
    """What a browser sees while another Rota leads; `said` says which, and what to do there."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    @routes.get("/forecasts")
    @routes.get("/enter")
    async def stands_by() -> Response:
        found = _read("standby.html")
        assert found is not None, "it is one of our files"
        page = found[0].decode().replace("SAID", html.escape(said("Its page is there.")))
        return HTMLResponse(page, 503, headers={**HEADERS, "Cache-Control": "no-store"})

    routes.include_router(_assets)
    return routes


_assets = APIRouter(include_in_schema=False)


@_assets.get("/assets/{name}")
async def _asset(name: str, request: Request) -> Response:
    return _file(name, request)


@_assets.get("/favicon.ico")
async def _icon(request: Request) -> Response:
    return _file("icon.svg", request)


def _file(name: str, request: Request) -> Response:
    """One of our files; 304 when the browser has it already."""
    found = _read(name)
    if found is None:
        raise HTTPException(404)
    content, tag = found
    headers = {**HEADERS, "ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=TYPES[Path(name).suffix], headers=headers)


@cache
def _read(name: str) -> tuple[bytes, str] | None:
    """Content and entity tag, by the names that are there and no others."""
    if name not in {path.name for path in ASSETS.iterdir() if path.suffix in TYPES}:
        return None
    content = (ASSETS / name).read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:16]}"'

"""The FastAPI application: routes, errors as JSON, and the door for browsers."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

import rota
from rota.api import ahead, export, fleet, forecasts, jobs, live, policy
from rota.api.depends import Here
from rota.api.identity import COOKIE, SESSION_LIFE_S
from rota.api.schemas import ErrorView
from rota.api.site import Site
from rota.errors import RotaError

_ERRORS: dict[int | str, dict[str, object]] = {
    status: {"model": ErrorView, "description": why}
    for status, why in {
        400: "The request is not HTTP or JSON as it should be",
        403: "You may not do this",
        404: "There is no such job, GPU or page",
        409: "Not in the present state",
        422: "It makes no sense here",
        503: "The record or the engine cannot be reached now",
    }.items()
}

door = APIRouter(include_in_schema=False)


def create_app(site: Site, pages: APIRouter | None = None) -> FastAPI:
    """The application for one site; `pages` is what browsers see beside the API."""
    app = FastAPI(
        title="Rota",
        version=rota.__version__,
        summary="Fair turns on a laboratory's few good GPUs.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.site = site
    for subject in (jobs, ahead, fleet, live, policy, forecasts, export):
        app.include_router(subject.routes, prefix="/api/v1", responses=_ERRORS)
    app.include_router(door)
    if pages is not None:
        app.include_router(pages)
    app.add_exception_handler(RotaError, _rota_error)
    app.add_exception_handler(RequestValidationError, _bad_body)
    app.add_exception_handler(HTTPException, _http_error)
    return app


@door.get("/enter")
async def enter(site: Here, request: Request, token: str = "") -> Response:
    """Trade a one-time link for a session cookie."""
    session = site.identity.use_link(token)
    if session is None:
        return HTMLResponse(
            "<!doctype html><title>Rota</title><p>This link was used already, or is older than ten minutes. "
            "Type <code>rota web</code> for a new one.",
            status_code=403,
        )
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(COOKIE, session, max_age=int(SESSION_LIFE_S), httponly=True, samesite="lax")
    return answer


async def _rota_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RotaError)
    return _answer(error.http_status, error.code, str(error))


async def _bad_body(request: Request, error: Exception) -> JSONResponse:
    """A body or parameter that does not fit: name the field, say what was expected, never echo a megabyte."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))[:100]
    return _answer(422, "bad_request", f"{where or 'The request'}: {first['msg']}."[:300])


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = "no_such_thing" if error.status_code == 404 else "bad_request"
    answer = _answer(error.status_code, code, f"{error.detail}: {request.method} {request.url.path[:100]}")
    answer.headers.update(error.headers or {})
    return answer


def _answer(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse(ErrorView(error=code, message=message).model_dump(), status_code=status)

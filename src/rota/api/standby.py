"""What a daemon answers while another one leads: to everything 503, and where to go instead."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse

from rota.api.schemas import ErrorView
from rota.errors import NotLeader

RETRY_AFTER_S = 2
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def create_standby(said: Callable[[str], str], pages: APIRouter) -> FastAPI:
    """The application of a standby. `said` says who leads and what to do there; `pages` is what browsers see."""

    async def stands_by(request: Request) -> JSONResponse:
        answer = ErrorView(error=NotLeader.code, message=said("Type it there."))
        return JSONResponse(answer.model_dump(), NotLeader.http_status, headers={"Retry-After": str(RETRY_AFTER_S)})

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_route("/api/{path:path}", stands_by, methods=_METHODS)
    app.include_router(pages)
    return app

"""What every route is given: the site it serves and the member who calls.

Coroutines, all of them: FastAPI calls a plain function in a thread of its own, and there it would read the session in
the midst of what the daemon is recording on the same connection.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from rota.api.site import Site
from rota.domain.members import Member


async def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


async def _caller(request: Request) -> Member:
    return (await _site(request)).identity.caller(request)


Here = Annotated[Site, Depends(_site)]
Me = Annotated[Member, Depends(_caller)]

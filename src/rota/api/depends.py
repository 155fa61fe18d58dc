"""What every route is given: the site it serves and the member who calls."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from rota.api.site import Site
from rota.domain.members import Member


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


def _caller(request: Request) -> Member:
    return _site(request).identity.caller(request)


Here = Annotated[Site, Depends(_site)]
Me = Annotated[Member, Depends(_caller)]

"""An API over the simulated laboratory: the real daemon over an engine that does nothing."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from rota.api.app import create_app
from rota.api.identity import Identity
from rota.api.peers import Peer
from rota.api.site import Site
from rota.daemon.core import Core
from rota.daemon.laboratory import Grace, Laboratory
from rota.daemon.service import Service
from rota.engines.contract import EndOrder, EngineEvent, StartOrder
from rota.policy.values import Rules
from rota.store.memory import MemoryStore
from tests.builders import a_fleet
from tests.waiting import wait_until

NOW = 1_790_000_000.0


class IdleEngine:
    """Takes every order and reports nothing."""

    def start(self, order: StartOrder) -> None: ...

    def end(self, order: EndOrder) -> None: ...

    def adopt(self, order: StartOrder, was_started: bool) -> None: ...

    def trouble(self) -> str:
        return ""

    def events(self) -> Sequence[EngineEvent]:
        return ()


class AsPeer:
    """Puts a caller behind every request without a cookie, as the Unix socket would."""

    def __init__(self, app: FastAPI, uid: int) -> None:
        self.app, self.uid = app, uid

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]  # ASGI's own shape
        if scope["type"] == "http" and not any(name in (b"cookie", b"x-stranger") for name, _ in scope["headers"]):
            scope.setdefault("state", {})["peer"] = Peer(1, self.uid, 0)
        await self.app(scope, receive, send)


def a_site(own_uid: int | None = None) -> Site:
    """A laboratory with two nodes."""
    laboratory = Laboratory(a_fleet(big=("h100", 4), small=("rtx3090", 2)), MemoryStore(), Rules(), Grace())
    service = Service(Core(laboratory, IdleEngine()), lambda: NOW)
    identity = Identity(os.getuid() if own_uid is None else own_uid, frozenset(), laboratory.store, lambda: NOW)
    return Site(
        service, identity, "Test laboratory", "/state", "/state/turns", "memory",
        lambda turn, offset, tail: ("", offset, True), lambda: NOW, web_url="http://127.0.0.1:1",
    )  # fmt: skip


@contextmanager
def serving(site: Site, uid: int | None = None) -> Iterator[str]:
    """The API on a loopback port, with the daemon's loop beside it; its address."""
    app = AsPeer(create_app(site), os.getuid() if uid is None else uid)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))

    async def serve() -> None:
        loop = asyncio.create_task(site.service.run())
        await server.serve(sockets=[listener])
        site.service.stop()
        await loop

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    wait_until(lambda: server.started, 10)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    site.is_closing = True
    server.should_exit = True
    thread.join(10)

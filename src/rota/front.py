"""Where people reach this daemon: a Unix socket and the page's port, with one HTTP server from its start to its end.

What is answered there changes when a standby becomes the leader; the sockets, and who waits at them, stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from rota.api.peers import PeerProtocol
from rota.errors import BadSettings
from rota.sockets import short_path

T = TypeVar("T")

GRACEFUL_S = 3  # what is being answered may take so long when the daemon stops


class Front:
    """Open from its making; SIGTERM, SIGINT and `close` end it."""

    def __init__(self, state_dir: Path, web: socket.socket | None, app: ASGIApp) -> None:
        self.web_url = _web_url(web)
        self.before_stop: Callable[[], None] = lambda: None  #: live connections have to be told to end themselves
        self._app = app
        self._socket_path = state_dir / "rota.sock"
        sockets = [_unix_socket(self._socket_path), *([web] if web else [])]
        config = uvicorn.Config(
            self, http=PeerProtocol, log_level="warning", access_log=False, lifespan="off",
            timeout_graceful_shutdown=GRACEFUL_S,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        # serve() would take the signals for itself, and ours tell the pages first
        self._serving = asyncio.create_task(self._server._serve(sockets))
        for ending in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(ending, self.stop)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: each request goes to what is shown at that moment."""
        await self._app(scope, receive, send)

    def show(self, app: ASGIApp) -> None:
        """Answer by this ASGI application from now on."""
        self._app = app

    async def while_open(self, work: asyncio.Future[Any]) -> bool:
        """Until the work is done or somebody says stop; whether it is to go on."""
        await asyncio.wait({self._serving, work}, return_when=asyncio.FIRST_COMPLETED)
        return not self._server.should_exit

    async def unless_stopped(self, work: Coroutine[Any, Any, T]) -> T | None:
        """What the work comes to; None when somebody says stop before: then it is broken off."""
        task = asyncio.create_task(work)
        if await self.while_open(task):
            return task.result()
        task.cancel()
        await asyncio.wait([task])
        return None

    def stop(self) -> None:
        """Begin to close."""
        self.before_stop()
        self._server.should_exit = True

    async def close(self) -> None:
        """Answer what is being answered, and nobody from then on."""
        self.stop()
        await self._serving
        with contextlib.suppress(FileNotFoundError):
            self._socket_path.unlink()


def web_socket(listen: str, is_default: bool) -> socket.socket:
    """Where the page is served. A default port that another Rota has already gives way to a free one."""
    host, _, port = listen.rpartition(":")
    try:
        return socket.create_server((host.strip("[]"), int(port)), backlog=1024)
    except (OSError, ValueError, OverflowError) as failed:
        if is_default:
            return socket.create_server((host, 0), backlog=1024)
        why = failed.strerror if isinstance(failed, OSError) else str(failed)
        raise BadSettings(
            f"The page cannot be served at {listen}: {why}.\n"
            "Choose another port with --web 127.0.0.1:8421, a free one with --web 127.0.0.1:0, or none with --no-web."
        ) from None


def _web_url(listener: socket.socket | None) -> str | None:
    if listener is None:
        return None
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _unix_socket(path: Path) -> socket.socket:
    """Everybody may knock at root's door; the kernel says who it is. Another's door is closed to others."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()  # of a daemon that was killed; the lock says that none is alive
    listener = socket.socket(socket.AF_UNIX)
    umask = os.umask(0o177)
    try:
        with short_path(path) as short:
            listener.bind(short)
    finally:
        os.umask(umask)
    path.chmod(0o666 if os.geteuid() == 0 else 0o600)
    listener.listen(1024)
    return listener

"""Where couriers find the daemon: a small TCP server with a thread of its own, for sites without a shared folder.

A courier says which turn it is and the turn's token; then one thing after another, each answered with what the daemon
wants of the turn: {"end": ...} as in end.json, {"over": true} once nobody waits for it any more, {"log_at": bytes}.
Only turns that the engine holds are let in. A peer that is slow, silent or talks nonsense loses its connection and
delays nobody.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from rota.engines.keeper import files
from rota.engines.slurm import arrivals
from rota.engines.slurm.parcel import site_secret, split_address, token
from rota.engines.slurm.settings import SlurmSite
from rota.engines.turn_folder import reports
from rota.errors import EngineUnavailable

log = structlog.get_logger()

HELLO_S = 5.0  # for a stranger to say who it is
SILENCE_S = 30.0  # a courier says something each second
MOST_STRANGERS = 256  # at a time
MOST_OF_A_LINE = 4096
BACKLOG = 1024  # after a restart all couriers come at once
_LOST = (OSError, ValueError, EOFError, RecursionError, asyncio.LimitOverrunError)


class Post:
    """Writes into the turns' folders what their couriers bring."""

    def __init__(self, site: SlurmSite, is_held: Callable[[str], bool], on_news: Callable[[], None]) -> None:
        self._site, self._is_held, self._on_news = site, is_held, on_news
        self._secret = b""
        self._strangers = 0
        self._writers: dict[str, asyncio.StreamWriter] = {}  #: of each turn, the courier that came last
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen from now on. Raises EngineUnavailable when the address cannot be had."""
        if self._thread is not None:
            return
        self._secret = site_secret(self._site.turns_dir)
        listener = _listen(self._site.post)
        self._loop, self._stopping = asyncio.new_event_loop(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, args=(self._loop, listener), name="post", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hang up on everybody; they come back when there is a daemon again."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(timeout=SILENCE_S)
        self._thread = None

    def _run(self, loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:  # ends what is left of its tasks
            runner.run(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        assert self._stopping is not None
        server = await asyncio.start_server(self._receive, sock=listener, limit=MOST_OF_A_LINE)
        await self._stopping.wait()
        server.close()

    # --- one peer -----------------------------------------------------------------------------

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        turn = None
        try:
            turn = await self._greet(reader, writer)
            while turn is not None and self._writers.get(turn) is writer:
                async with asyncio.timeout(SILENCE_S):
                    await _answer(writer, await self._take(turn, *await _hear(reader)))
        except _LOST:  # also by a full disk: the courier still has what it brought, and comes again
            pass
        except asyncio.CancelledError:  # the post stops; of a task that ends so, asyncio (3.11) would print a traceback
            pass
        finally:
            if turn is not None and self._writers.get(turn) is writer:
                del self._writers[turn]
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str | None:
        """The turn whose courier this is; None when it is nobody's, or of a turn that is not ours (yet)."""
        if self._strangers >= MOST_STRANGERS:
            return None
        self._strangers += 1
        try:
            async with asyncio.timeout(HELLO_S):
                said, _ = await _hear(reader)
        finally:
            self._strangers -= 1
        turn = str(said.get("turn"))
        if not hmac.compare_digest(token(self._secret, turn).encode(), str(said.get("token")).encode()):
            log.warning("stranger at the post", peer=writer.get_extra_info("peername"))
            return None
        folder = self._site.turns_dir / turn
        has_exit = (folder / files.EXIT).exists()
        if not has_exit and not self._is_held(turn):
            return None
        begun_by = reports.read(folder, files.BEGUN).get("slurm_job", said.get("job"))
        if has_exit or begun_by != said.get("job"):
            await _answer(writer, {"over": True})
            return None
        if (before := self._writers.get(turn)) is not None:
            before.transport.abort()
        self._writers[turn] = writer
        await _answer(writer, self._wishes(folder))
        return turn

    async def _take(self, turn: str, said: dict[str, Any], body: bytes) -> dict[str, object]:
        """Put away what a courier brought; what to answer."""
        folder = self._site.turns_dir / turn
        if (folder / files.EXIT).exists() or not self._is_held(turn):
            return {"over": True}
        if "log" in said:
            arrivals.take_log(folder, said["log"], body, self._site.keeper.log_keep_bytes)
        elif arrivals.is_durable(name := said.get("file")):
            await asyncio.to_thread(arrivals.take_file, folder, name, body)
        else:
            arrivals.take_file(folder, name, body)
        if said.get("file") in arrivals.NEWS:
            self._on_news()
        return {"over": True} if said.get("file") == files.EXIT else self._wishes(folder)

    def _wishes(self, folder: Path) -> dict[str, object]:
        return {"log_at": arrivals.log_size(folder), "end": reports.read(folder, files.END) or None}


async def _hear(reader: asyncio.StreamReader) -> tuple[dict[str, Any], bytes]:
    """A line of JSON and the bytes after it. Raises ValueError, EOFError."""
    said = json.loads(await reader.readuntil(b"\n"))
    size = said.get("size", 0) if isinstance(said, dict) else None
    if not isinstance(size, int) or not 0 <= size <= arrivals.MOST_OF_A_PIECE:
        raise ValueError("not a courier")
    return said, await reader.readexactly(size)


async def _answer(writer: asyncio.StreamWriter, answer: dict[str, object]) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
    await writer.drain()


def _listen(post: str) -> socket.socket:
    """At that address when it is a number; at all of them when it is a name, for that may mean 127.0.1.1 here."""
    host, port = split_address(post)
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
        is_dual = False
    except ValueError:
        host, is_dual = "", socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if is_dual else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=is_dual)
    except OSError as failed:
        raise EngineUnavailable(
            f"The daemon cannot listen at {post} for its turns: {failed.strerror}. "
            "Look at post in [slurm] of rota.toml, and at ss -ltnp"
        ) from failed

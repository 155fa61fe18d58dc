"""Who is at the other end of a Unix socket: the kernel says so, nobody has to prove it."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_UCRED = struct.Struct("3i")  # struct ucred: pid, uid, gid (unix(7), SO_PEERCRED)


@dataclass(frozen=True, slots=True)
class Peer:
    """The process that called."""

    pid: int
    uid: int
    gid: int


class PeerProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with `request.state.peer` set for connections over a Unix socket."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it too
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family == socket.AF_UNIX:
            # A dictionary of its own: uvicorn shares app_state between connections.
            self.app_state = {**self.app_state, "peer": _peer_of(connection)}


def _peer_of(connection: socket.socket) -> Peer:
    return Peer(*_UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)))

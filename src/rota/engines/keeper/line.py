"""A courier's line to the daemon's post: one question, one answer, over a TCP connection that may be lost at any time.

What is said is a line of JSON, and after it as many bytes as its `size` says; the answer is a line of JSON.
"""

from __future__ import annotations

import json
import socket
import time

ANSWER_S = 10.0  # for a connection or an answer; a daemon that is busy for longer is asked anew
MOST_OF_AN_ANSWER = 2**16


class Line:
    """Closed until `greet`; any error closes it."""

    def __init__(self, host: str, port: int, hello: dict[str, object]) -> None:
        self._address, self._hello = (host, port), hello
        self._socket: socket.socket | None = None
        self._heard = b""
        self.heard_at = time.monotonic()  #: the last answer

    @property
    def is_open(self) -> bool:
        """Whether the daemon has let us in, as far as we know."""
        return self._socket is not None

    def greet(self) -> dict[str, object]:
        """Connect and say who we are. Raises OSError, ValueError."""
        self.close()
        self._socket = socket.create_connection(self._address, timeout=ANSWER_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.ask(self._hello)

    def ask(self, said: dict[str, object], body: bytes = b"") -> dict[str, object]:
        """The daemon's answer. Raises OSError, ValueError."""
        if self._socket is None:
            raise ConnectionError("not connected")
        try:
            self._socket.sendall(json.dumps({**said, "size": len(body)}).encode() + b"\n" + body)
            answer: dict[str, object] = dict(json.loads(self._read_line(self._socket)))
        except (OSError, ValueError):
            self.close()
            raise
        self.heard_at = time.monotonic()
        return answer

    def close(self) -> None:
        """Until the next `greet`."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._heard = None, b""

    def _read_line(self, connection: socket.socket) -> bytes:
        while b"\n" not in self._heard:
            piece = connection.recv(MOST_OF_AN_ANSWER)
            if not piece or len(self._heard) > MOST_OF_AN_ANSWER:
                raise ConnectionError("the post hung up")
            self._heard += piece
        line, _, self._heard = self._heard.partition(b"\n")
        return line

"""HTTP over the daemon's Unix socket, small on purpose: http.client alone would cost a third of a command's time."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rota.errors import NoDaemon, RotaError
from rota.sockets import short_path

TIMEOUT_S = 30.0
Answer = dict[str, Any]


class ApiError(RotaError):
    """The daemon's own refusal, as it came over the wire."""

    def __init__(self, message: str, code: str, exit_code: int) -> None:
        super().__init__(message)
        self.wire_code, self.wire_exit_code = code, exit_code


#: Exit codes of design.md by the API's error codes; anything else is 1.
_EXIT_CODES = {
    "bad_request": 2, "bad_settings": 2, "no_daemon": 3, "standby": 3, "not_allowed": 4, "no_such_thing": 5,
}  # fmt: skip


def default_state_dir() -> Path:
    """`$ROTA_STATE`, else the system's folder for root, else the user's (XDG base directory specification)."""
    if stated := os.environ.get("ROTA_STATE"):
        return Path(stated)
    if os.geteuid() == 0:
        return Path("/var/lib/rota")
    own = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "rota"
    # A member without a daemon of their own means the laboratory's.
    system = Path("/var/lib/rota")
    return system if not (own / "rota.sock").exists() and (system / "rota.sock").exists() else own


class Client:
    """One daemon, by its state folder."""

    def __init__(self, state_dir: Path, timeout_s: float = TIMEOUT_S) -> None:
        self.state_dir, self._timeout_s = state_dir, timeout_s

    def get(self, path: str, **query: object) -> Answer:
        """The JSON that a path answers. Raises NoDaemon, ApiError."""
        return self._ask("GET", path, query, None)

    def post(self, path: str, body: Answer | None = None) -> Answer:
        """Ask for a change. Raises NoDaemon, ApiError."""
        return self._ask("POST", path, {}, body)

    def _ask(self, method: str, path: str, query: dict[str, object], body: Answer | None) -> Answer:
        with self._connect() as connection:
            status, _, stream = _exchange(connection, method, _target(path, query), body, self.state_dir)
            text = b"".join(stream)
        try:
            answer = json.loads(text)
        except ValueError:
            raise NoDaemon(f"What answers in {self.state_dir} is not Rota. Look at: rota doctor") from None
        if status >= 400 or not isinstance(answer, dict):
            raise _refusal(answer, status)
        return answer

    def events(self, path: str) -> Iterator[Answer]:
        """The board at every change, until the daemon goes away."""
        with self._connect() as connection:
            connection.settimeout(60.0)
            status, _, stream = _exchange(connection, "GET", _target(path, {}), None, self.state_dir)
            if status >= 400:
                raise _refusal(None, status)
            pending = b""
            for piece in stream:
                pending += piece
                while b"\n\n" in pending:
                    event, _, pending = pending.partition(b"\n\n")
                    data = [line[6:] for line in event.split(b"\n") if line.startswith(b"data: ")]
                    if data and b"event: board" in event:
                        yield json.loads(b"\n".join(data))

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(self._timeout_s)
        try:
            with short_path(self.state_dir / "rota.sock") as path:
                connection.connect(path)
        except PermissionError:
            connection.close()
            raise NoDaemon(
                f"The daemon in {self.state_dir} serves another user alone. Ask for one started by root."
            ) from None
        except OSError:
            connection.close()
            raise NoDaemon(f"No daemon answers in {self.state_dir}. Start one with: rota up") from None
        return connection


def quoted(part: str) -> str:
    """A name as one part of a path."""
    return quote(part, safe=":")


def _target(path: str, query: dict[str, object]) -> str:
    said = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in query.items()}
    pairs = "&".join(f"{name}={quote(value)}" for name, value in said.items() if query[name] is not None)
    return f"/api/v1{path}{'?' + pairs if pairs else ''}"


def _exchange(
    connection: socket.socket, method: str, target: str, body: Answer | None, state_dir: Path
) -> tuple[int, dict[str, str], Iterator[bytes]]:
    """Status, headers, and the body as it arrives."""
    payload = json.dumps(body or {}).encode() if method == "POST" else b""
    head = f"{method} {target} HTTP/1.1\r\nHost: rota\r\nConnection: close\r\n"
    if method == "POST":
        head += f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n"
    try:
        connection.sendall(head.encode("ascii") + b"\r\n" + payload)
        reader = connection.makefile("rb")
        status = int(reader.readline().split(b" ", 2)[1])
        headers = {}
        while (line := reader.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            headers[name.decode("latin-1").lower()] = value.strip().decode("latin-1")
    except (OSError, IndexError, ValueError):
        raise NoDaemon(f"The daemon in {state_dir} broke off in the middle. Try again; then: rota doctor") from None
    return status, headers, _body(reader, headers, state_dir)


def _body(reader: Any, headers: dict[str, str], state_dir: Path) -> Iterator[bytes]:
    """The body's bytes; chunked, or as long as it says, or until the end."""
    try:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            while (size := int(reader.readline().split(b";")[0], 16)) > 0:
                yield reader.read(size)
                reader.readline()
        elif "content-length" in headers:
            yield reader.read(int(headers["content-length"]))
        else:
            while piece := reader.read1(65536):
                yield piece
    except (OSError, ValueError):
        raise NoDaemon(f"The daemon in {state_dir} broke off in the middle. Try again; then: rota doctor") from None


def _refusal(answer: Any, status: int) -> RotaError:
    said = answer if isinstance(answer, dict) else {}
    code = str(said.get("error", "failed"))
    return ApiError(str(said.get("message", f"The daemon answered {status}.")), code, _EXIT_CODES.get(code, 1))

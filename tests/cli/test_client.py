"""The small HTTP client, against servers that misbehave."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rota.cli.client import ApiError, Client
from rota.errors import NoDaemon


@contextmanager
def answering(*pieces: bytes) -> Iterator[Client]:
    """A server that sends these bytes to whoever connects, and closes."""
    folder = Path(tempfile.mkdtemp(prefix="rota-cli-"))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "rota.sock"))
    listener.listen()

    def serve() -> None:
        connection, _ = listener.accept()
        connection.recv(65536)
        for piece in pieces:
            connection.sendall(piece)
        connection.close()

    threading.Thread(target=serve, daemon=True).start()
    yield Client(folder)
    listener.close()
    shutil.rmtree(folder)


def test_answers_come_whole_by_length_by_chunks_and_by_the_end() -> None:
    for answer in (
        (b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n", b'{"a":', b" 1}"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b'3\r\n{"a\r\n', b'5\r\n": 1}\r\n0\r\n\r\n'),
        (b"HTTP/1.1 200 OK\r\n\r\n", b'{"a": 1}'),
    ):
        with answering(*answer) as client:
            assert client.get("/x") == {"a": 1}


def test_a_refusal_keeps_its_sentence_and_gets_its_exit_code() -> None:
    body = b'{"error": "not_allowed", "message": "Job 3 is lee\'s."}'
    head = f"HTTP/1.1 403 Forbidden\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with answering(head, body) as client, pytest.raises(ApiError, match="lee's") as refused:
        client.get("/x")
    assert refused.value.wire_exit_code == 4


@pytest.mark.parametrize("garbage", [b"", b"220 smtp ready\r\n", b"HTTP/1.1 200 OK\r\n\r\nnot json", b"\x00\xff"])
def test_whatever_else_answers_there_is_a_sentence(garbage: bytes) -> None:
    with answering(garbage) as client, pytest.raises(NoDaemon):
        client.get("/x")


def test_events_are_the_boards_and_nothing_else() -> None:
    stream = b'event: board\ndata: {"at": 1}\n\nevent: heartbeat\ndata: {}\n\nevent: board\ndata: {"at": 2}\n\n'
    with answering(b"HTTP/1.1 200 OK\r\n\r\n", stream) as client:
        assert [board["at"] for board in client.events("/events")] == [1, 2]

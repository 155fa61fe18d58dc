"""Two head nodes over one PostgreSQL, both on this machine, each with a state folder of its own.

They share the folder of the turns, as the head nodes of a Slurm cluster do.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from rota.cli.client import ApiError, Client
from rota.errors import NoDaemon
from rota.store.leading import KEY
from tests.end_to_end.far_host import FarHost
from tests.end_to_end.session import Rota
from tests.postgres import Server, fresh_database
from tests.waiting import wait_until


@dataclass
class Heads:
    """Two head nodes."""

    postgres: Server
    url: str
    first: Rota
    second: Rota
    seen_turns: int = 0

    def begin(self, rota: Rota, *options: str) -> None:
        """Start its daemon, whatever becomes of it."""
        rota.daemon = rota.spawn_daemon("--store", self.url, *options)

    def begin_far(self, rota: Rota, host: FarHost) -> None:
        """Start its daemon on another host."""
        url = self.url.replace("127.0.0.1", host.address_here)
        rota.daemon = rota.spawn_daemon("--store", url, prefix=host.prefix)

    def begin_both(self) -> None:
        """The first leads, the second stands by."""
        self.begin(self.first)
        self.await_lead(self.first)
        self.begin(self.second)
        self.await_standby(self.second)

    def await_lead(self, rota: Rota, timeout_s: float = 20) -> float:
        """Until it answers; how long that took, in seconds."""
        began = time.monotonic()
        wait_until(lambda: answers(rota) == "leads", timeout_s, what=f"it leads; its words: {rota.words()}")
        return time.monotonic() - began

    def await_standby(self, rota: Rota) -> None:
        wait_until(lambda: answers(rota) == "stands by", 20, what=f"it stands by; its words: {rota.words()}")

    def end_leader(self) -> None:
        """End the database's session of the one that leads."""
        with psycopg.connect(self.url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s", (KEY,)
            )

    def turns_beyond(self, rota: Rota, jobs: list[int]) -> bool:
        """Whether it knows of more turns than were seen the last time."""
        turns = sum(Client(rota.state).get(f"/jobs/{job}")["job"]["turns"] for job in jobs)
        is_beyond, self.seen_turns = turns > self.seen_turns, max(turns, self.seen_turns)
        return is_beyond

    def epoch(self) -> int:
        """Grows with every change of the leader."""
        with psycopg.connect(self.url) as connection:
            return int(connection.execute("SELECT epoch FROM leader").fetchone()[0])


@contextmanager
def two_heads(make_rota: Callable[..., Rota], postgres: Server) -> Iterator[Heads]:
    """Neither of them is up. In the end the one that leads ends the turns, while their folder is still there."""
    first, second = (make_rota(fleet="h100:1", quantum="1s") for _ in range(2))
    (first.state / "turns").mkdir()
    (second.state / "turns").symlink_to(first.state / "turns")
    yield Heads(postgres, fresh_database(postgres.address), first, second)
    for rota in (first, second):
        if rota.daemon is not None and rota.daemon.poll() is None and answers(rota) == "leads":
            with contextlib.suppress(AssertionError):  # a job ended while it was being cancelled
                rota.down()
            break


def answers(rota: Rota) -> str:
    """What it says to a command: that it leads, that it stands by, or "" when it is not there."""
    try:
        Client(rota.state).get("/health")
    except ApiError as refusal:
        return "stands by" if "stands by" in str(refusal) else ""
    except NoDaemon:
        return ""
    return "leads"

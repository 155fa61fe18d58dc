"""One daemon at a time writes the record: a session advisory lock, held by the very session that writes.

PostgreSQL rolls back a session's open transaction before it gives away its locks. So a record is either committed while
its daemon leads, or not at all; no clock is compared, and a daemon that was frozen for an hour writes nothing late.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects import postgresql

from rota.errors import BadSettings, NotLeader, StoreUnavailable
from rota.store import tables

#: "rota" as a number. Advisory locks are per database: Rotas in two databases do not meet.
KEY = int.from_bytes(b"rota")

#: A leading session that says nothing for so long is ended by the server (seconds). Longer than one step of a daemon
#: whose Slurm hangs, shorter than people's patience with a head node that hangs.
LEASE_S = 30

#: A daemon that heard from its session so lately (seconds) may take it that no other one leads yet. The server takes a
#: connection for gone after eleven seconds at the earliest (open.py), and after a restart of the server a standby waits
#: for ten (standby.py). Only who ends the session by hand, or starts a daemon in just these seconds, is quicker.
SURE_S = 5.0

#: Puts that into force for one session, as far as this version can: idle_session_timeout came with PostgreSQL 14.
#: Without it a daemon that is frozen, on a machine that is well, would lead for ever.
_SET_LEASE = text(
    f"SELECT set_config(name, '{LEASE_S}s', false) FROM pg_settings "
    "WHERE name IN ('idle_session_timeout', 'idle_in_transaction_session_timeout')"
)


@dataclass(frozen=True, slots=True)
class Leader:
    """The daemon that writes, as it has written itself down."""

    host: str
    pid: int
    since: float  #: epoch seconds


class Lead:
    """A daemon's right to write. It outlives a lost connection, unless another daemon has led meanwhile."""

    def __init__(self, me: Leader, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.me, self._monotonic = me, monotonic
        self.lost: NotLeader | None = None  #: from then on this daemon never writes again
        self._epoch: int | None = None  #: counts the changes of the leader; the one that this daemon began
        self._led_at = -math.inf  #: monotonic; it surely led then

    @property
    def is_sure(self) -> bool:
        """Whether no other daemon can lead at this moment. Any thread may ask."""
        return self.lost is None and self._monotonic() - self._led_at < SURE_S

    @contextmanager
    def led(self) -> Iterator[None]:
        """Around what is done in the locked session: when that has succeeded, this daemon led as it began."""
        began_at = self._monotonic()
        yield
        self._led_at = began_at

    def take(self, connection: Connection) -> None:
        """Lock a new session, before the tables are looked at. Raises NotLeader while another daemon leads."""
        with connection.begin():
            is_held = _lock(connection)
            leader = None if is_held else leader_in(connection)
        if not is_held:
            raise NotLeader(f"Another Rota leads{say_place(leader)}.")

    def sign(self, connection: Connection) -> None:
        """Write down who leads from now on, in the session that holds the lock."""
        table = tables.leader
        with connection.begin():
            latest = connection.execute(select(func.max(table.c.epoch))).scalar() or 0
            row = {"epoch": latest + 1, "host": self.me.host, "pid": self.me.pid, "since": self.me.since}
            written = postgresql.insert(table).values(id=1, **row)
            connection.execute(written.on_conflict_do_update(index_elements=[table.c.id], set_=row))
        self._epoch = latest + 1

    def take_again(self, connection: Connection) -> None:
        """Lock the session that follows a lost one. Raises NotLeader when another daemon has led in between.

        That one may have gone again, and the lock be free: but what this daemon knows is no longer what is recorded.
        """
        with connection.begin():
            is_held = _lock(connection)
            self.check(connection)
        if not is_held:
            raise StoreUnavailable(
                "An earlier connection of this Rota still holds the record: nothing was recorded. "
                f"The database ends it within {LEASE_S} s; Rota tries again by itself."
            )

    def check(self, connection: Connection) -> None:
        """Raises NotLeader when another daemon leads, or has led, since this one began to."""
        epoch = connection.execute(select(tables.leader.c.epoch)).scalar()
        if epoch != self._epoch:
            self.lost = NotLeader(f"Another Rota has taken over{say_place(leader_in(connection))}.")
            raise self.lost


def leader_in(connection: Connection) -> Leader | None:
    """Who has written down last that they lead; None before the first. Who it is now, says the lock."""
    if not connection.dialect.has_table(connection, tables.leader.name):
        return None
    row = connection.execute(select(tables.leader)).first()
    return Leader(row.host, row.pid, row.since) if row is not None else None


def say_place(leader: Leader | None) -> str:
    """` (host head1, process 4711)`, or nothing while it has not said."""
    return f" (host {leader.host}, process {leader.pid})" if leader is not None else ""


def _lock(connection: Connection) -> bool:
    """Whether this session has the lock now. It keeps it until it ends."""
    _refuse_pooler(connection)
    connection.execute(_SET_LEASE)
    return bool(connection.execute(select(func.pg_try_advisory_lock(KEY))).scalar())


def _refuse_pooler(connection: Connection) -> None:
    """A pooler gives each transaction another session: the lock would be held by one that does not write."""
    driver: Any = connection.connection.dbapi_connection
    if connection.execute(text("SELECT pg_backend_pid()")).scalar() != driver.info.backend_pid:
        raise BadSettings(
            "[store] url leads to a connection pooler, behind which nobody can lead. "
            "Write the address of PostgreSQL itself there."
        )

"""How a standby sees who leads: on a connection of its own, by looking and never by waiting for the lock.

A query that waited for weeks would keep PostgreSQL from clearing away old rows all the while.
"""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from rota.errors import StoreUnavailable
from rota.store.failures import say_failure
from rota.store.leading import KEY, Leader
from rota.store.open import connect, driver_arguments

#: A server that has not answered one look by then does not answer (seconds).
ANSWERS_WITHIN_S = 10.0

#: The holder of the lock; `objsubid = 1` is what a key of 64 bits is filed under (pg_locks in PostgreSQL's manual).
_IS_HELD = """
SELECT EXISTS (
    SELECT FROM pg_locks JOIN pg_database ON pg_locks.database = pg_database.oid
    WHERE locktype = 'advisory' AND classid = 0 AND objid = %s AND objsubid = 1 AND granted
      AND datname = current_database()
), to_regclass('leader') IS NOT NULL
"""


class Watch:
    """One look after the other at who leads a database."""

    def __init__(self, url: str) -> None:
        self._engine = connect(url)
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def look(self) -> tuple[bool, Leader | None]:
        """Whether somebody leads now, and who said so last. Raises StoreUnavailable."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                return await self._look()
        except (psycopg.Error, TimeoutError) as failed:
            await self.close()
            raise StoreUnavailable(say_failure(failed, self._engine.url)) from failed

    async def _look(self) -> tuple[bool, Leader | None]:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                **driver_arguments(self._engine), autocommit=True, row_factory=tuple_row
            )
        is_held, is_signed = await self._row(_IS_HELD, (KEY,))
        if not is_signed:
            return is_held, None
        signed = await self._row("SELECT host, pid, since FROM leader")
        return is_held, Leader(*signed) if signed else None

    async def _row(self, query: str, given: tuple[object, ...] = ()) -> Any:
        assert self._connection is not None
        return await (await self._connection.execute(query, given)).fetchone()

    async def close(self) -> None:
        """Let the database go; a later look connects again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

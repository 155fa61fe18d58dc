"""Opening a store: the SQLite file in the state folder, or a PostgreSQL server by URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from rota.errors import BadSettings, RotaError, StoreUnavailable
from rota.store.failures import say_failure
from rota.store.leading import Lead, Leader
from rota.store.sql import SqlStore

#: The newest migration. A start of an up-to-date database asks for this with one query and never imports Alembic.
HEAD = "0003"

#: After how long each side takes the other for gone, in seconds (tcp_user_timeout: milliseconds), unless the URL says
#: otherwise. Linux alone would hope for two hours, and a head node without power would lead as long.
_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 12_000,
}
_SERVER_PATIENCE = {
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 12_000,
}


def sqlite_url(state_dir: Path) -> str:
    """The default: one file in the state folder."""
    return f"sqlite:///{state_dir.resolve() / 'rota.db'}"


def open_store(url: str) -> SqlStore:
    """The store at a URL, with its tables brought up to date. Raises BadSettings, StoreUnavailable.

    It knows of no other writer: a daemon opens its own by `lead_store`.
    """
    engine = connect(url)
    with _opening(engine) as connection:
        _bring_up_to_date(connection)
        return SqlStore(engine, connection)


def lead_store(url: str, me: Leader) -> SqlStore:
    """The store of the one daemon that writes there. Raises NotLeader while another does.

    SQLite's is in the state folder, which a daemon has for itself (daemon/lock.py). Raises BadSettings and
    StoreUnavailable as well.
    """
    engine = connect(url)
    if engine.dialect.name != "postgresql":
        engine.dispose()
        return open_store(url)
    lead = Lead(me)
    with _opening(engine) as connection:
        lead.take(connection)  # first: a standby of a newer version must not change the tables under the leader
        _bring_up_to_date(connection)
        lead.sign(connection)
        return SqlStore(engine, connection, lead)


@contextmanager
def _opening(engine: Engine) -> Iterator[Connection]:
    """A first connection, for a store to keep; when it is not to be, nothing is left of it, and no lock."""
    try:
        connection = engine.connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
    except DBAPIError as failed:
        engine.dispose()
        raise StoreUnavailable(say_failure(failed, engine.url)) from failed
    except RotaError:
        engine.dispose()
        raise


def _bring_up_to_date(connection: Connection) -> None:
    if _revision(connection) != HEAD:
        from rota.store.migrations.upgrade import upgrade  # noqa: PLC0415  (slow to import, rarely needed)

        upgrade(connection)


def connect(url: str) -> Engine:
    """An engine with the settings that durability needs. Raises BadSettings, StoreUnavailable."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadSettings(
            f"[store] url {url!r} is no database address. Write it like postgresql://rota@localhost/rota"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(parsed)
    if backend == "postgresql":
        return _postgres(parsed)
    raise BadSettings(f"[store] url: {backend} is not supported. Leave it empty for SQLite, or use postgresql://...")


def _postgres(url: URL) -> Engine:
    """Without a pool: a connection that is closed is gone, and its lock with it."""
    engine = create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool, connect_args=_patience(url))

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:
        # A server, database or role may have it off; then what was acknowledged could be lost with the power.
        connection.execute("SET synchronous_commit TO on")
        for name, value in _SERVER_PATIENCE.items():  # those that this version has
            connection.execute(
                "SELECT set_config(name, %s, false) FROM pg_settings WHERE name = %s", (str(value), name)
            )
        connection.commit()

    return engine


def driver_arguments(engine: Engine) -> dict[str, Any]:
    """What psycopg is given for a connection to the same PostgreSQL, beside the store."""
    return {**_patience(engine.url), **engine.dialect.create_connect_args(engine.url)[1]}


def _patience(url: URL) -> dict[str, int]:
    return {name: value for name, value in _PATIENCE.items() if name not in url.query}


def _sqlite(url: URL) -> Engine:
    if url.database:
        _make_private(Path(url.database))
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:
        connection.isolation_level = None  # SQLAlchemy sends BEGIN itself, below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _make_private(file: Path) -> None:
    """Create the file with the right mode before its first byte is written: it holds members' environments."""
    try:
        if not file.exists():
            os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as failed:
        raise StoreUnavailable(
            f"The record cannot be made in {file.parent}: {failed.strerror}.\n"
            "Make that folder and give it to the account that Rota runs as, or choose another: rota up --state DIR"
        ) from failed


def _revision(connection: Connection) -> str | None:
    """The migration that the database is at; None for an empty one."""
    with connection.begin():
        if not connection.dialect.has_table(connection, "alembic_version"):
            return None
        revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return revision

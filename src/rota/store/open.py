"""Opening a store: the SQLite file in the state folder, or a PostgreSQL server by URL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from rota.errors import BadSettings, StoreUnavailable
from rota.store.failures import say_failure
from rota.store.sql import SqlStore

#: The newest migration. A start of an up-to-date database asks for this with one query and never imports Alembic.
HEAD = "0002"


def sqlite_url(state_dir: Path) -> str:
    """The default: one file in the state folder."""
    return f"sqlite:///{state_dir.resolve() / 'rota.db'}"


def open_store(url: str) -> SqlStore:
    """The store at a URL, with its tables brought up to date. Raises BadSettings, StoreUnavailable."""
    engine = connect(url)
    try:
        if _revision(engine) != HEAD:
            from rota.store.migrations.upgrade import upgrade  # noqa: PLC0415  (slow to import, rarely needed)

            upgrade(engine)
    except DBAPIError as failed:
        engine.dispose()
        raise StoreUnavailable(say_failure(failed, engine.url)) from failed
    except StoreUnavailable:
        engine.dispose()
        raise
    return SqlStore(engine)


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
    engine = create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:
        # A server, database or role may have it off; then what was acknowledged could be lost with the power.
        connection.execute("SET synchronous_commit TO on")
        connection.commit()

    return engine


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


def _revision(engine: Engine) -> str | None:
    """The migration that the database is at; None for an empty one."""
    with engine.connect() as connection:
        if not engine.dialect.has_table(connection, "alembic_version"):
            return None
        revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return revision

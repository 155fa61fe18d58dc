"""Brings a database to the newest revision."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from rota.errors import StoreUnavailable


def upgrade(connection: Connection) -> None:
    """Run what is missing, in one transaction. Raises StoreUnavailable for the database of a newer Rota."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with connection.begin():
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as failed:
            raise StoreUnavailable(
                f"The database was written by a newer Rota ({failed}). Use that version, or another folder: --state DIR"
            ) from failed

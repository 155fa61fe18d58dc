"""Failures of a database as sentences for people."""

from __future__ import annotations

from sqlalchemy import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

#: What the database says, and what that means for a person. The first sign that is found counts.
_SAID = (
    (
        "disk is full",
        "The disk that holds {place} is full: nothing was recorded. Free some space; Rota goes on by itself.",
    ),
    ("disk I/O error", "The disk that holds {place} does not answer: nothing was recorded. Look at: dmesg | tail"),
    ("No space left", "The disk of the database {place} is full: nothing was recorded. Free some space there."),
    ("readonly database", "{place} cannot be written: nothing was recorded. Look at its owner and mode: ls -l {place}"),
    ("unable to open", "{place} cannot be opened. Look at its owner and mode: ls -l {place}"),
    ("locked", "Another program holds {place}: nothing was recorded. Find it with: fuser {place}"),
    ("not a database", "{place} is no Rota database. Move it away, or choose another folder: rota up --state DIR"),
    ("malformed", "{place} is damaged. Keep a copy, then: sqlite3 {place} .recover | sqlite3 mended.db"),
    ("already exists", "{place} belongs to another program: it has tables that Rota did not make. Use an empty one."),
    ("FATAL:  database", "There is no database {place}. Make it first: createdb {name}"),
    (
        "permission denied for schema",
        "The role of {place} may not make tables there. As the database's owner: GRANT ALL ON SCHEMA public TO {role}",
    ),
)


def say_failure(failed: Exception, url: URL) -> str:
    """What happened and what to do, in one or two sentences, of the driver's error. Never shows a password."""
    text = str(failed.orig if isinstance(failed, DBAPIError) and failed.orig else failed)
    backend = url.get_backend_name()
    place = url.database if backend == "sqlite" else url.set(drivername=backend).render_as_string(hide_password=True)
    for sign, said in _SAID:
        if sign in text:
            return said.format(place=place, name=url.database, role=url.username)
    first_line = text.strip().splitlines()[0] if text.strip() else type(failed).__name__
    if isinstance(failed, (DataError, IntegrityError, ProgrammingError)):
        return (
            f"The database {place} refused an entry ({first_line}): nothing was recorded. "
            "This is a defect in Rota: please report it with the daemon's last lines."
        )
    return f"The database {place} does not answer ({first_line}): nothing was recorded. Rota tries again by itself."

"""The tables. Values are kept whole: what is queried has a column, the rest of a value is JSON beside it."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text, text

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("member", String, nullable=False),
    Column("project", String, nullable=False),
    Column("state", String, nullable=False),
    Column("submitted_at", Float(53), nullable=False),
    Column("ended_at", Float(53)),
    Column("value", Text, nullable=False),  # the whole Job (values.py)
    # What is open is asked for at every start, and is few among very many.
    Index("open_jobs", "id", sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
    Index("jobs_of_member", "member", "id"),
)

#: How to start a job; written once. Environments are large and often equal: each is kept once, by its SHA-256.
launches = Table(
    "launches",
    metadata,
    Column("job", Integer, primary_key=True, autoincrement=False),
    Column("environment", String(64), nullable=False),
    Column("value", Text, nullable=False),
)

environments = Table(
    "environments",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

turns = Table(
    "turns",
    metadata,
    Column("id", String, primary_key=True),
    Column("job", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("node", String, nullable=False),
    Column("tier", String, nullable=False),
    Column("granted_at", Float(53), nullable=False),
    Column("ended_at", Float(53)),
    Column("outcome", String),
    Column("gpu_s", Float(53), nullable=False),
    Column("value", Text, nullable=False),  # the whole Turn
    Index("turns_of_job", "job", "number", unique=True),
    Index("turns_by_end", "ended_at"),
)

#: Append-only: every step of every state machine, with its reason.
transitions = Table(
    "transitions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("job", Integer, nullable=False),
    Column("subject", String, nullable=False),
    Column("subject_id", String, nullable=False),
    Column("before", String, nullable=False),
    Column("after", String, nullable=False),
    Column("at", Float(53), nullable=False),
    Column("reason", Text, nullable=False),
    Index("transitions_of_job", "job", "id"),
)

gpu_marks = Table(
    "gpu_marks",
    metadata,
    Column("gpu", String, primary_key=True),
    Column("condition", String, nullable=False),
    Column("at", Float(53), nullable=False),
    Column("by", String, nullable=False),
    Column("why", Text, nullable=False),
)

projects = Table(
    "projects",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("member", String, nullable=False),
    Column("uid", Integer, nullable=False),
    Column("expires_at", Float(53), nullable=False),
)

#: Begins of turns as they were told to members, and what came of them.
promises = Table(
    "promises",
    metadata,
    Column("job", Integer, primary_key=True, autoincrement=False),
    Column("turn", Integer, primary_key=True, autoincrement=False),
    Column("made_at", Float(53), nullable=False),
    Column("began_at", Float(53)),
    Column("value", Text, nullable=False),  # the whole Promise
    Index("promises_by_made_at", "made_at", "job", "turn"),
)

#: Of several daemons over one database, the one that writes (leading.py); a single row.
leader = Table(
    "leader",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),  # grows with every change of the leader
    Column("host", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("since", Float(53), nullable=False),
)

"""The SQL store: one connection, one transaction per `record`. The same queries on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from rota.domain.forecasts import Promise
from rota.domain.gpus import Condition
from rota.domain.jobs import Job, Launch, Transition
from rota.domain.reasons import Reason
from rota.domain.turns import Turn
from rota.errors import NoSuchThing, NotLeader, StoreUnavailable
from rota.store import tables
from rota.store.contract import Entries, GpuMark, JobFilter, Remembered, Session
from rota.store.failures import say_failure
from rota.store.leading import Lead
from rota.store.values import (
    job_from_json,
    job_to_json,
    launch_from_json,
    launch_to_json,
    project_from_json,
    project_to_json,
    promise_from_json,
    promise_to_json,
    turn_from_json,
    turn_to_json,
)

Rows = list[dict[str, Any]]
CHUNK = 500  # ids in one query
LARGEST_JOB = 2**31 - 1  # what PostgreSQL's INTEGER holds: a larger number was never given to a job


class SqlStore:
    """Keeps the contract of store/contract.py in a database. Used by one thread.

    With a `lead`, the first connection is the session that holds its lock, and every later one must take it again.
    """

    def __init__(self, engine: Engine, connection: Connection, lead: Lead | None = None) -> None:
        self._engine, self._lead = engine, lead
        self._connection: Connection | None = connection
        insert_into = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        self._upserts = {table.name: _upsert(insert_into, table) for table in tables.metadata.sorted_tables}
        self._keep_first = insert_into(tables.environments).on_conflict_do_nothing()

    @property
    def kind(self) -> str:
        """What it is called where its address, which may hold a password, must not be shown."""
        return {"postgresql": "PostgreSQL", "sqlite": "SQLite"}[self._engine.dialect.name]

    @property
    def may_lose_lead(self) -> bool:
        """Whether another daemon could come to write here."""
        return self._lead is not None

    def surely_leads(self) -> bool:
        """Whether no other daemon can write here at this moment. Any thread may ask; it asks no database."""
        return self._lead is None or self._lead.is_sure

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """One transaction on the held-open connection. Raises StoreUnavailable, NotLeader, with nothing written."""
        if self._lead is not None and self._lead.lost is not None:
            raise self._lead.lost
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            with self._lead.led() if self._lead else nullcontext(), self._connection.begin():
                yield self._connection
        except DBAPIError as failed:
            # The connection may be half dead (a restarted server, a full disk): the next call opens a new one.
            self._disconnect(failed)
            raise StoreUnavailable(say_failure(failed, self._engine.url)) from failed
        except NotLeader:
            self._disconnect()
            raise

    def _connect(self) -> Connection:
        connection = self._engine.connect()
        if self._lead is not None:
            try:
                self._lead.take_again(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def _disconnect(self, failed: DBAPIError | None = None) -> None:
        if self._connection is not None:
            if failed is not None:
                self._connection.invalidate(failed)
            self._connection.close()
            self._connection = None

    def assure_leading(self) -> None:
        if self._lead is not None:
            with self._transaction() as connection:
                self._lead.check(connection)

    # --- record -------------------------------------------------------------------------------

    def record(self, entries: Entries) -> None:
        with self._transaction() as connection:
            self._put(connection, tables.jobs, [_job_row(job) for job in entries.jobs])
            self._put_launches(connection, entries.launches)
            self._put(connection, tables.turns, [_turn_row(turn) for turn in entries.turns])
            if entries.transitions:
                connection.execute(insert(tables.transitions), [_step_row(step) for step in entries.transitions])
            self._put_marks(connection, entries.marks)
            projects = [{"name": project.name, "value": project_to_json(project)} for project in entries.projects]
            self._put(connection, tables.projects, projects)
            self._put(connection, tables.promises, [_promise_row(promise) for promise in entries.promises])

    def _put(self, connection: Connection, table: Table, rows: Rows) -> None:
        if rows:
            connection.execute(self._upserts[table.name], rows)

    def _put_launches(self, connection: Connection, launches: Sequence[tuple[int, Launch]]) -> None:
        rows, environments = [], {}
        for job, launch in launches:
            value, digest, environment = launch_to_json(launch)
            rows.append({"job": job, "environment": digest, "value": value})
            environments[digest] = environment
        if rows:
            connection.execute(self._keep_first, [{"hash": key, "value": v} for key, v in environments.items()])
            self._put(connection, tables.launches, rows)

    def _put_marks(self, connection: Connection, marks: Sequence[GpuMark]) -> None:
        healthy = [mark.gpu for mark in marks if mark.condition is Condition.HEALTHY]
        if healthy:
            connection.execute(delete(tables.gpu_marks).where(tables.gpu_marks.c.gpu.in_(healthy)))
        rows = [
            {"gpu": mark.gpu, "condition": mark.condition.value, "at": mark.at, "by": mark.by, "why": mark.why}
            for mark in marks
            if mark.condition is not Condition.HEALTHY
        ]
        self._put(connection, tables.gpu_marks, rows)

    # --- read ---------------------------------------------------------------------------------

    def remember(self) -> Remembered:
        with self._transaction() as connection:
            job, turn = tables.jobs.c, tables.turns.c
            open_jobs = [
                job_from_json(row.value)
                for row in connection.execute(select(job.value).where(job.ended_at.is_(None)).order_by(job.id))
            ]
            open_turns = connection.execute(
                select(turn.value).where(turn.ended_at.is_(None)).order_by(turn.job, turn.number)
            ).scalars()
            turns = tuple(turn_from_json(written) for written in open_turns)
            marks = tuple(_mark(row) for row in connection.execute(select(tables.gpu_marks)))
            written_projects = connection.execute(select(tables.projects.c.value)).scalars()
            projects = tuple(project_from_json(written) for written in written_projects)
            last_job = connection.execute(select(func.max(job.id))).scalar() or 0
        open_ids = {found.id for found in open_jobs}
        followed = {wanted.job for found in open_jobs for wanted in found.request.after} - open_ids
        ended = self.jobs(JobFilter(ids=tuple(followed), limit=len(followed))) if followed else ()
        return Remembered((*open_jobs, *ended), turns, marks, projects, last_job)

    def launch(self, job: int) -> Launch:
        missing = NoSuchThing(f"There is no job {job}. See: rota list --all")
        if job > LARGEST_JOB:
            raise missing
        launch, environment = tables.launches.c, tables.environments.c
        wanted = select(launch.value, environment.value.label("environment_value")).where(
            launch.job == job, environment.hash == launch.environment
        )
        with self._transaction() as connection:
            row = connection.execute(wanted).first()
        if row is None:
            raise missing
        return launch_from_json(row.value, row.environment_value)

    def jobs(self, wanted: JobFilter) -> Sequence[Job]:
        column = tables.jobs.c
        query = select(column.value).order_by(column.id.desc())
        if wanted.member is not None:
            query = query.where(column.member == wanted.member)
        if wanted.is_final is not None:
            query = query.where(column.ended_at.is_not(None) if wanted.is_final else column.ended_at.is_(None))
        found: list[Job] = []
        with self._transaction() as connection:
            for chunk in _chunks(wanted.ids, newest_first=True) if wanted.ids else [None]:
                part = query if chunk is None else query.where(column.id.in_(chunk))
                rows = connection.execute(part.limit(wanted.limit - len(found))).scalars()
                found.extend(job_from_json(written) for written in rows)
        return tuple(found)

    def turns_of(self, jobs: Sequence[int]) -> Sequence[Turn]:
        column = tables.turns.c
        found: list[Turn] = []
        with self._transaction() as connection:
            for chunk in _chunks(jobs):
                query = select(column.value).where(column.job.in_(chunk)).order_by(column.job, column.number)
                found.extend(turn_from_json(written) for written in connection.execute(query).scalars())
        return tuple(found)

    def turns_since(self, at: float) -> Sequence[tuple[Turn, str, str]]:
        turn, job = tables.turns.c, tables.jobs.c
        query = (
            select(turn.value, job.project, job.member)
            .where(job.id == turn.job, turn.ended_at.is_(None) | (turn.ended_at >= at))
            .order_by(turn.granted_at, turn.job, turn.number)
        )
        with self._transaction() as connection:
            return tuple((turn_from_json(row.value), row.project, row.member) for row in connection.execute(query))

    def promises_since(self, at: float, limit: int) -> Sequence[Promise]:
        column = tables.promises.c
        newest_first = select(column.value).where(column.made_at >= at)
        newest_first = newest_first.order_by(column.made_at.desc(), column.job.desc(), column.turn.desc())
        with self._transaction() as connection:
            found = connection.execute(newest_first.limit(limit)).scalars()
            return tuple(promise_from_json(written) for written in found)[::-1]

    def transitions_of(self, job: int) -> Sequence[Transition]:
        if job > LARGEST_JOB:
            return ()
        query = select(tables.transitions).where(tables.transitions.c.job == job).order_by(tables.transitions.c.id)
        with self._transaction() as connection:
            return tuple(
                Transition(
                    row.subject, row.subject_id, row.before, row.after, row.at, Reason.from_dict(json.loads(row.reason))
                )
                for row in connection.execute(query)
            )

    # --- sessions -----------------------------------------------------------------------------

    def keep_session(self, session: Session) -> None:
        row = {
            "token_hash": session.token_hash,
            "member": session.member,
            "uid": session.uid,
            "expires_at": session.expires_at,
        }
        with self._transaction() as connection:
            self._put(connection, tables.sessions, [row])

    def session(self, token_hash: str, now: float) -> Session | None:
        column = tables.sessions.c
        with self._transaction() as connection:
            row = connection.execute(select(tables.sessions).where(column.token_hash == token_hash)).first()
            if row is not None and row.expires_at <= now:
                connection.execute(delete(tables.sessions).where(column.expires_at <= now))
                row = None
        return Session(row.token_hash, row.member, row.uid, row.expires_at) if row is not None else None

    def close(self) -> None:
        self._disconnect()
        self._engine.dispose()


# --- rows ----------------------------------------------------------------------------------------


def _upsert(insert_into: Any, table: Table) -> Any:
    """INSERT ... ON CONFLICT DO UPDATE of every column that is not the key."""
    statement = insert_into(table)
    keys = list(table.primary_key.columns)
    changed = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def _chunks(jobs: Sequence[int], newest_first: bool = False) -> Iterator[Sequence[int]]:
    """Job numbers in order, as many as one query takes; those that no job can have are left out."""
    ids = sorted((job for job in jobs if job <= LARGEST_JOB), reverse=newest_first)
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _job_row(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "member": job.member,
        "project": job.project,
        "state": job.state.value,
        "submitted_at": job.submitted_at,
        "ended_at": job.ended_at,
        "value": job_to_json(job),
    }


def _turn_row(turn: Turn) -> dict[str, Any]:
    return {
        "id": turn.id,
        "job": turn.job,
        "number": turn.number,
        "state": turn.state.value,
        "node": turn.node,
        "tier": turn.tier,
        "granted_at": turn.granted_at,
        "ended_at": turn.ended_at,
        "outcome": turn.outcome.value if turn.outcome else None,
        "gpu_s": turn.gpu_s,
        "value": turn_to_json(turn),
    }


def _promise_row(promise: Promise) -> dict[str, Any]:
    return {
        "job": promise.job,
        "turn": promise.turn,
        "made_at": promise.made_at,
        "began_at": promise.began_at,
        "value": promise_to_json(promise),
    }


def _step_row(step: Transition) -> dict[str, Any]:
    return {
        "job": int(step.id.partition(".")[0]),
        "subject": step.subject,
        "subject_id": step.id,
        "before": step.before,
        "after": step.after,
        "at": step.at,
        "reason": json.dumps(step.reason.to_dict()),
    }


def _mark(row: Any) -> GpuMark:
    return GpuMark(row.gpu, Condition(row.condition), row.at, row.by, row.why)

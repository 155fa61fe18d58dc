"""Questions stay quick however long the record grows, and the simulation's twin answers them alike."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from rota.domain.jobs import Job, Launch
from rota.domain.turns import Turn
from rota.store.contract import Entries, JobFilter, Session, Store
from rota.store.memory import MemoryStore
from rota.store.open import open_store, sqlite_url
from rota.store.sql import SqlStore
from tests.builders import a_job, a_turn
from tests.store import strategies as some

#: Each example writes to a disk: shrinking one would outlast the time limit of a test, and show nothing.
AS_FOUND = settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
#: Small tables that are always read whole.
WHOLE = ("gpu_marks", "projects")


@contextmanager
def _statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Every statement that is sent meanwhile."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def _plan(store: SqlStore, statement: str, parameters: Any) -> list[str]:
    """How SQLite means to find the rows."""
    with store._engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [str(row.detail) for row in rows]


def test_no_question_of_a_daemon_reads_the_whole_past(tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path))
    store.record(Entries(jobs=(a_job(1),), turns=(a_turn(1),)))
    with _statements(store._engine) as sent:
        store.remember()
        store.turns_since(5.0)
        store.turns_of((1, 2))
        store.transitions_of(1)
        store.promises_since(5.0, 10)
        store.jobs(JobFilter(ids=(1, 2)))
        store.jobs(JobFilter(is_final=False))
        store.jobs(JobFilter(member="kim"))
        store.session("hash", 1.0)
    asked = [(statement, parameters) for statement, parameters in sent if statement.startswith("SELECT")]
    assert len(asked) >= 13
    for statement, parameters in asked:
        for step in _plan(store, statement, parameters):
            reads_all = step.startswith("SCAN") and "open_jobs" not in step and not step.endswith(WHOLE)
            assert not reads_all, f"{step}: {statement}"
    store.close()


@pytest.fixture(scope="module")
def empty_record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with empty tables: a copy of it is quicker than running the migrations for each example."""
    folder = tmp_path_factory.mktemp("empty")
    open_store(sqlite_url(folder)).close()
    return folder / "rota.db"


@AS_FOUND
@given(data=st.data())
def test_the_twin_in_memory_answers_as_the_database_does(empty_record: Path, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(empty_record, folder)
        database, twin = open_store(sqlite_url(Path(folder))), MemoryStore()
        for _ in range(data.draw(st.integers(1, 4))):
            entries = _some_entries(data)
            database.record(entries)
            twin.record(entries)
            session = Session("hash", "kim", 1, data.draw(some.times))
            database.keep_session(session)
            twin.keep_session(session)
        at, ids = data.draw(some.times), data.draw(st.lists(st.integers(1, 6), max_size=4).map(tuple))
        assert _answers(database, at, ids) == _answers(twin, at, ids)
        database.close()


def _some_entries(data: st.DataObject) -> Entries:
    """New values of a few jobs, with their turns and a step."""
    jobs: list[Job] = data.draw(st.lists(some.jobs(st.integers(1, 6)), max_size=4, unique_by=lambda job: job.id))
    turns: list[Turn] = [turn for job in jobs for turn in data.draw(some.turns(job.id))]
    launches: list[tuple[int, Launch]] = [(job.id, data.draw(some.launches)) for job in jobs]
    steps = [replace(data.draw(some.transitions), id=str(job.id)) for job in jobs]
    promises = [data.draw(some.promises(job.id)) for job in jobs]
    return Entries(jobs=jobs, launches=launches, turns=turns, transitions=steps, promises=promises)


def _answers(store: Store, at: float, ids: tuple[int, ...]) -> dict[str, object]:
    """Everything that can be asked, in the order of the answer."""
    remembered = store.remember()
    return {
        "open jobs": tuple(remembered.jobs),
        "open turns": tuple(remembered.turns),
        "last job": remembered.last_job,
        "past": tuple(store.jobs(JobFilter(is_final=True, limit=3))),
        "open": tuple(store.jobs(JobFilter(is_final=False))),
        "these": tuple(store.jobs(JobFilter(ids=ids))),
        "turns of": tuple(store.turns_of(ids)),
        "turns since": tuple(store.turns_since(at)),
        "promises": tuple(store.promises_since(at, 3)),
        "launches": [store.launch(job.id) for job in store.jobs(JobFilter())],
        "steps": [tuple(store.transitions_of(job)) for job in range(1, 7)],
        "session": store.session("hash", at),
    }

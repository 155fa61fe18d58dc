"""What was acknowledged survives kill -9, a full disk and a database that goes away."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from rota.errors import BadSettings, StoreUnavailable
from rota.store.contract import Entries, JobFilter
from rota.store.open import HEAD, connect, open_store, sqlite_url
from rota.store.tables import metadata
from tests.builders import a_job, a_turn
from tests.waiting import wait_until

WRITER = """
import sys
from rota.store.contract import Entries
from rota.store.open import open_store
from tests.builders import a_job
store = open_store(sys.argv[1])
number = int(sys.argv[2])
while True:
    store.record(Entries(jobs=(a_job(number),)))
    print(number, flush=True)
    number += 1
"""


def test_every_acknowledged_job_survives_kill_9(url: str, tmp_path: Path) -> None:
    chance, first = random.Random(3), 1
    open_store(url).close()
    for _ in range(5):
        said = tmp_path / f"said-{first}"
        with said.open("wb") as out:
            writer = subprocess.Popen([sys.executable, "-c", WRITER, url, str(first)], stdout=out)
        enough = chance.randint(1, 150)
        wait_until(lambda enough=enough, said=said: said.read_bytes().count(b"\n") >= enough, 30, 0.001)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        acknowledged = [int(line) for line in said.read_bytes().split(b"\n")[:-1]]
        store = open_store(url)
        there = {job.id for job in store.jobs(JobFilter(limit=100_000))}
        store.close()
        assert set(acknowledged) <= there
        first = max(there) + 1


def test_a_record_that_fails_halfway_writes_nothing(url: str) -> None:
    store = open_store(url)
    store.record(Entries(turns=(a_turn(1, 1),)))
    clash = a_turn(1, 1, gpu_s=7.0)
    broken = Entries(jobs=(a_job(1),), turns=(clash, a_turn(2, 1), type(clash)(**{
        **{name: getattr(clash, name) for name in clash.__dataclass_fields__}, "id": "other"})))  # fmt: skip
    with pytest.raises(StoreUnavailable):
        store.record(broken)
    assert store.jobs(JobFilter()) == ()
    assert [turn.gpu_s for turn in store.turns_of((1, 2))] == [0.0]
    store.record(Entries(jobs=(a_job(1),)))
    assert len(store.jobs(JobFilter())) == 1
    store.close()


def test_a_full_disk_is_said_in_a_sentence_and_is_over_when_there_is_room(tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path))
    store.record(Entries(jobs=(a_job(1),)))
    with connect(sqlite_url(tmp_path)).connect() as other:
        assert other.execute(text("select count(*) from jobs")).scalar() == 1
    assert store._connection is not None
    pages = store._connection.exec_driver_sql("PRAGMA page_count").scalar()
    store._connection.rollback()
    store._connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")  # SQLite's own "disk is full"
    store._connection.commit()
    with pytest.raises(StoreUnavailable, match=r"full.*Free some space"):
        store.record(Entries(jobs=tuple(a_job(n, name="x" * 500) for n in range(2, 300))))
    store.record(Entries(jobs=(a_job(2),)))  # on a new connection, without the limit
    assert [job.id for job in store.jobs(JobFilter())] == [2, 1]
    store.close()


def test_migrations_make_exactly_the_tables_of_the_code(url: str) -> None:
    open_store(url).close()
    engine = connect(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == HEAD
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_database_of_a_newer_rota_is_refused_and_left_alone(url: str) -> None:
    open_store(url).close()
    engine = connect(url)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreUnavailable, match="newer Rota"):
        open_store(url)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "rota.db").write_text("notes of last week, long enough to be no header" * 10)
    with pytest.raises(StoreUnavailable, match="no Rota database"):
        open_store(sqlite_url(tmp_path))


def test_an_address_that_is_none_is_refused_with_an_example() -> None:
    for address in ("nonsense", "mysql://localhost/rota"):
        with pytest.raises(BadSettings, match="postgresql://"):
            open_store(address)


def test_the_record_is_for_its_owner_alone(tmp_path: Path) -> None:
    open_store(sqlite_url(tmp_path)).close()
    assert (tmp_path / "rota.db").stat().st_mode & 0o777 == 0o600
    assert os.stat(tmp_path / "rota.db").st_uid == os.geteuid()  # noqa: PTH116  (the very call)

"""What was acknowledged survives kill -9, a full disk and a database that goes away."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from rota.errors import StoreUnavailable
from rota.store.contract import Entries, JobFilter
from rota.store.open import connect, open_store, sqlite_url
from tests.builders import a_job, a_launch, a_turn
from tests.postgres import fresh_database
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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("this container may not mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_fills_up_loses_nothing_that_was_acknowledged(small_disk: Path) -> None:
    store = open_store(sqlite_url(small_disk))
    acknowledged = 0
    with pytest.raises(StoreUnavailable, match=r"full.*Free some space"):
        while True:
            launch = a_launch("train", "x" * 20_000)
            store.record(Entries(jobs=(a_job(acknowledged + 1),), launches=((acknowledged + 1, launch),)))
            acknowledged += 1
    assert len(store.jobs(JobFilter())) == acknowledged > 0
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    store.record(Entries(jobs=(a_job(acknowledged + 1),)))
    assert len(store.jobs(JobFilter())) == acknowledged + 1
    store.close()


@pytest.mark.postgres
def test_a_server_that_closed_the_connection_is_found_again(postgres: str) -> None:
    url = fresh_database(postgres)
    store = open_store(url)
    store.record(Entries(jobs=(a_job(1),)))
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as server:  # what a restart does to a connection
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (url.rpartition("/")[2],)
        )
    with pytest.raises(StoreUnavailable, match="nothing was recorded"):
        store.record(Entries(jobs=(a_job(2),)))
    store.record(Entries(jobs=(a_job(3),)))
    assert [job.id for job in store.jobs(JobFilter())] == [3, 1]
    store.close()


@pytest.mark.postgres
def test_a_database_that_does_not_wait_for_its_disk_is_made_to(postgres: str) -> None:
    url = fresh_database(postgres)
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as server:
        server.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit TO off")
    engine = connect(url)
    for _ in range(2):  # also after the pool has had it back and rolled back
        with engine.connect() as connection:
            assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
    engine.dispose()


def test_a_sqlite_record_waits_for_its_disk(tmp_path: Path) -> None:
    with connect(sqlite_url(tmp_path)).connect() as connection:
        said = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
    assert said == ["wal", 2]  # 2: FULL, every commit reaches the disk


def test_jobs_with_one_environment_keep_it_once(url: str) -> None:
    store = open_store(url)
    launch = a_launch("true", environment={"PATH": "/bin" * 100})
    for first in (1, 501):  # in one record and in the next
        store.record(Entries(launches=tuple((n, launch) for n in range(first, first + 500))))
    store.close()
    engine = connect(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM environments")).scalar() == 1
        assert connection.execute(text("SELECT count(*) FROM launches")).scalar() == 1000
    engine.dispose()

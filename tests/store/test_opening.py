"""Opening the record: an empty one, an old one, a newer one, and what is none."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from rota.errors import BadSettings, RotaError, StoreUnavailable
from rota.store.contract import Entries, JobFilter
from rota.store.open import HEAD, connect, open_store, sqlite_url
from rota.store.tables import metadata
from tests.builders import a_job, a_promise
from tests.postgres import fresh_database

NOBODY = 65534


def test_migrations_make_exactly_the_tables_of_the_code(url: str) -> None:
    open_store(url).close()
    engine = connect(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == HEAD
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_record_that_is_up_to_date_is_opened_without_alembic(url: str) -> None:
    open_store(url).close()
    program = (
        f"import sys; from rota.store.open import open_store; open_store({url!r}); print('alembic' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert said.stdout == "False\n"


def test_a_first_start_that_was_cut_short_is_made_good_by_the_next(url: str) -> None:
    """All tables are made in one transaction, so that half of them are never left behind."""
    program = (
        "import os, sys, alembic.op as op; from rota.store.open import open_store\n"
        "make, made = op.create_table, []\n"
        "def stop_at_the_fourth(*table):\n"
        "    made.append(table)\n"
        "    os._exit(9) if len(made) == 4 else make(*table)\n"
        "op.create_table = stop_at_the_fourth\n"
        "open_store(sys.argv[1])\n"
    )
    assert subprocess.run([sys.executable, "-c", program, url], check=False).returncode == 9
    store = open_store(url)
    store.record(Entries(jobs=(a_job(1),)))
    assert len(store.jobs(JobFilter())) == 1
    store.close()


def test_the_record_of_an_older_rota_is_kept_and_takes_promises_from_now_on(url: str) -> None:
    store = open_store(url)
    store.record(Entries(jobs=(a_job(1),)))
    store.close()
    engine = connect(url)
    with engine.begin() as connection:
        for later in ("promises", "leader"):
            connection.execute(text(f"DROP TABLE {later}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    store = open_store(url)
    store.record(Entries(promises=(a_promise(1),)))
    assert list(store.promises_since(0.0, 9)) == [a_promise(1)]
    assert list(store.jobs(JobFilter())) == [a_job(1)]
    store.close()


def test_the_database_of_a_newer_rota_is_refused_and_left_alone(url: str) -> None:
    open_store(url).close()
    engine = connect(url)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StoreUnavailable, match="newer Rota"):
        open_store(url)
    with engine.connect() as connection:
        assert connection.execute(text("select version_num from alembic_version")).scalar() == "9999"
    engine.dispose()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "rota.db").write_text("notes of last week, long enough to be no header" * 10)
    with pytest.raises(StoreUnavailable, match="no Rota database"):
        open_store(sqlite_url(tmp_path))


def test_a_damaged_record_is_said_to_be_damaged(tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path))
    store.record(Entries(jobs=tuple(a_job(n) for n in range(1, 500))))
    store.close()
    file = tmp_path / "rota.db"
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(StoreUnavailable, match="damaged"):
        open_store(sqlite_url(tmp_path)).jobs(JobFilter())


def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "rota.db")
    other.execute("CREATE TABLE jobs (title TEXT)")
    other.commit()
    with pytest.raises(StoreUnavailable, match="another program"):
        open_store(sqlite_url(tmp_path))
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("jobs",)]
    other.close()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"made in .*/nowhere: No such file.*\n.*--state DIR"):
        open_store(sqlite_url(tmp_path / "nowhere"))


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_that_may_not_be_written_is_named(mode: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(mode)
        assert "Permission denied" in _said_to_an_ordinary_account(Path(folder))
        Path(folder).chmod(0o700)


def test_a_record_that_may_only_be_read_is_named() -> None:
    with tempfile.TemporaryDirectory() as folder:
        open_store(sqlite_url(Path(folder))).close()
        (Path(folder) / "rota.db").chmod(0o444)
        Path(folder).chmod(0o555)
        assert "its owner and mode: ls -l" in _said_to_an_ordinary_account(Path(folder))
        Path(folder).chmod(0o700)


def _said_to_an_ordinary_account(folder: Path) -> str:
    """What opening the record there says to an account that is not root: in a child, which may become one."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(NOBODY)
            store = open_store(sqlite_url(folder))
            store.record(Entries(jobs=(a_job(1),)))
        except RotaError as failed:
            os.write(writer, str(failed).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        answer = said.read()
    os.waitpid(child, 0)
    return answer


def test_an_address_that_is_none_is_refused_with_an_example() -> None:
    for address in ("nonsense", "mysql://localhost/rota"):
        with pytest.raises(BadSettings, match="postgresql://"):
            open_store(address)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(StoreUnavailable, match=r"postgresql://rota:\*\*\*@127\.0\.0\.1:1/rota") as said:
        open_store("postgresql://rota:secret@127.0.0.1:1/rota")
    assert "secret" not in str(said.value)


@pytest.mark.postgres
def test_a_database_that_was_never_made_is_told_how_to_make(postgres: str) -> None:
    with pytest.raises(StoreUnavailable, match="createdb department"):
        open_store(f"{postgres}/department")


@pytest.mark.postgres
def test_a_role_without_rights_is_told_what_to_grant(postgres: str) -> None:
    url = fresh_database(postgres)
    engine = connect(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE guest LOGIN"))
        connection.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    with pytest.raises(StoreUnavailable, match="GRANT ALL ON SCHEMA public TO guest"):
        open_store(url.replace("rota@", "guest@"))
    engine.dispose()


def test_the_record_is_for_its_owner_alone(tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path))
    store.record(Entries(jobs=(a_job(1),)))
    files = list(tmp_path.glob("rota.db*"))
    assert len(files) == 3  # with its write-ahead log and index
    assert [(file.stat().st_mode & 0o777, file.stat().st_uid) for file in files] == [(0o600, os.geteuid())] * 3
    store.close()

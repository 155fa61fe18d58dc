"""Several daemons over one PostgreSQL: one writes, and no other ever does."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rota.errors import BadSettings, NotLeader, RotaError, StoreUnavailable
from rota.store import leading
from rota.store.contract import Entries, JobFilter
from rota.store.leading import KEY, SURE_S, Leader
from rota.store.open import connect, lead_store, open_store, sqlite_url
from rota.store.sql import SqlStore
from rota.store.watching import Watch
from tests.builders import a_job
from tests.postgres import fresh_database
from tests.waiting import wait_until

pytestmark = pytest.mark.postgres

HEAD1, HEAD2 = Leader("head1", 101, 1.0), Leader("head2", 202, 2.0)


@pytest.fixture
def database(postgres: str) -> str:
    """The address of an empty database."""
    return fresh_database(postgres)


@contextmanager
def led(url: str, me: Leader) -> Iterator[SqlStore]:
    """A store that leads, as soon as nobody else does."""
    store = wait_until(lambda: _lead_if_free(url, me), 10, 0.01, "the lock is free")
    try:
        yield store
    finally:
        store.close()


def _lead_if_free(url: str, me: Leader) -> SqlStore | None:
    try:
        return lead_store(url, me)
    except NotLeader:
        return None


def end_sessions(url: str, where: str = "TRUE") -> None:
    """What a restart of the server, or a network that is cut, does to connections; waits until they are gone."""
    server, _, name = url.rpartition("/")
    mine = f"datname = '{name}' AND pid <> pg_backend_pid() AND {where}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        pids = admin.execute(f"SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}").fetchall()
        for pid, _ in pids:
            gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)"
            wait_until(lambda gone=gone, pid=pid: admin.execute(gone, (pid,)).fetchone()[0], 10, 0.002)


def end_leader(url: str) -> None:
    """End the session that holds the lock, and no other."""
    end_sessions(url, f"pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {KEY})")


def recorded(url: str) -> list[str]:
    """Names of all recorded jobs, by number."""
    store = open_store(url)
    names = [job.name for job in reversed(store.jobs(JobFilter()))]
    store.close()
    return names


def a_record(number: int, name: str = "job") -> Entries:
    return Entries(jobs=(a_job(number, name=name),))


# --- who leads -----------------------------------------------------------------------------------


def test_the_second_is_told_who_leads(database: str) -> None:
    with led(database, HEAD1), pytest.raises(NotLeader, match=r"Another Rota leads \(host head1, process 101\)"):
        lead_store(database, HEAD2)


def test_who_closes_its_record_gives_the_lead_away_at_once(database: str) -> None:
    with led(database, HEAD1) as first:
        first.record(a_record(1))
        first.close()
        began = time.monotonic()
        with led(database, HEAD2) as second:
            assert time.monotonic() - began < 1
            assert [job.id for job in second.jobs(JobFilter())] == [1]


def test_rotas_in_two_databases_do_not_meet(database: str, postgres: str) -> None:
    with led(database, HEAD1), led(fresh_database(postgres), HEAD2):
        pass


def test_two_that_begin_on_an_empty_database_make_its_tables_once(database: str) -> None:
    """Neither fails because the other is just making them."""
    found: list[SqlStore | RotaError] = []

    def begin(me: Leader) -> None:
        try:
            found.append(lead_store(database, me))
        except RotaError as failed:
            found.append(failed)

    both = [threading.Thread(target=begin, args=(me,)) for me in (HEAD1, HEAD2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(type(one).__name__ for one in found) == ["NotLeader", "SqlStore"]
    for one in found:
        if isinstance(one, SqlStore):
            one.record(a_record(1))
            one.close()


def test_a_standby_of_a_newer_version_leaves_the_leaders_tables_alone(database: str) -> None:
    with led(database, HEAD1) as first:
        first.record(a_record(1))
        engine = connect(database)
        with engine.begin() as connection:  # as the version before left them, but for the lock
            connection.execute(text("DROP TABLE leader"))
            connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))
        with pytest.raises(NotLeader, match=r"Another Rota leads\."):
            lead_store(database, HEAD2)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0002"
    with led(database, HEAD2) as second:  # and brings them up to date once it leads
        second.assure_leading()
        assert [job.id for job in second.jobs(JobFilter())] == [1]
    engine.dispose()


def test_sqlite_has_nobody_to_lead_before(tmp_path: Path) -> None:
    store = lead_store(sqlite_url(tmp_path), HEAD1)
    store.assure_leading()
    assert store.surely_leads()
    assert not store.may_lose_lead
    store.close()


def test_a_connection_pooler_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind one, the session that holds the lock is not the one that writes. It shows by a number of its own."""
    monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", 1)
    with pytest.raises(BadSettings, match="connection pooler"):
        lead_store(database, HEAD1)


# --- a session that is lost ----------------------------------------------------------------------


def test_a_leader_that_lost_its_session_goes_on_where_nobody_came_between(database: str) -> None:
    with led(database, HEAD1) as store:
        store.record(a_record(1))
        end_sessions(database)
        with pytest.raises(StoreUnavailable, match="nothing was recorded"):
            store.record(a_record(2))
        store.record(a_record(3))
        with pytest.raises(NotLeader):  # it holds the lock again
            lead_store(database, HEAD2)
        assert [job.id for job in store.jobs(JobFilter())] == [3, 1]


def test_who_was_overtaken_writes_nothing_and_says_by_whom(database: str) -> None:
    with led(database, HEAD1) as first:
        first.record(a_record(1, "first"))
        end_sessions(database)
        with led(database, HEAD2) as second:
            second.record(a_record(2, "second"))
            with pytest.raises(StoreUnavailable):
                first.record(a_record(3, "first"))
            for _ in range(2):
                with pytest.raises(NotLeader, match=r"taken over \(host head2, process 202\)"):
                    first.record(a_record(3, "first"))
            with pytest.raises(NotLeader):
                first.assure_leading()
            with pytest.raises(NotLeader):
                first.jobs(JobFilter())
            second.record(a_record(4, "second"))
    assert recorded(database) == ["first", "second", "second"]


def test_who_was_overtaken_never_leads_again_though_the_other_has_gone(database: str) -> None:
    """The lock is free, but what it knows is no longer what is recorded."""
    with led(database, HEAD1) as first:
        end_sessions(database)
        with led(database, HEAD2) as second:
            second.record(a_record(1, "second"))
        with pytest.raises(StoreUnavailable):
            first.assure_leading()
        with pytest.raises(NotLeader):
            first.record(a_record(1, "first"))
        with led(database, HEAD2):  # nor does it keep the lock from others
            pass
    assert recorded(database) == ["second"]


def test_an_earlier_session_of_ones_own_is_waited_for_and_is_no_other_leader(database: str) -> None:
    """A connection that broke in between: the server still believes in it."""
    with led(database, HEAD1) as store, ExitStack() as half_dead:
        assert store._connection is not None
        half_dead.callback(store._connection.close)
        store._connection = None
        with pytest.raises(StoreUnavailable, match="earlier connection of this Rota"):
            store.record(a_record(1))
        half_dead.close()
        wait_until(lambda: _records(store, 2), 10)
        assert [job.id for job in store.jobs(JobFilter())] == [2]


def _records(store: SqlStore, number: int) -> bool:
    try:
        store.record(a_record(number))
    except StoreUnavailable:
        return False
    return True


def test_a_frozen_leader_loses_its_session_to_the_databases_own_clock(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorter = str(leading._SET_LEASE).replace(f"{leading.LEASE_S}s", "500ms")
    monkeypatch.setattr(leading, "_SET_LEASE", text(shorter))
    with led(database, HEAD1) as frozen, led(database, HEAD2) as second:
        second.record(a_record(1))
        with pytest.raises(StoreUnavailable, match="timeout"):
            frozen.record(a_record(2))
        with pytest.raises(NotLeader):
            frozen.record(a_record(2))


def test_a_leader_frozen_in_the_midst_of_a_record_leaves_nothing_of_it(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorter = str(leading._SET_LEASE).replace(f"{leading.LEASE_S}s", "1500ms")
    with ExitStack() as held:
        with (
            monkeypatch.context() as shortened
        ):  # for this session alone: the other one is not frozen, however busy we are
            shortened.setattr(leading, "_SET_LEASE", text(shorter))
            frozen = held.enter_context(led(database, HEAD1))
        with pytest.raises(StoreUnavailable), frozen._transaction() as connection:  # half of a record
            connection.execute(text("INSERT INTO projects VALUES ('half', '{}')"))
            with led(database, HEAD2) as second:
                second.record(a_record(1))
            connection.execute(text("INSERT INTO projects VALUES ('whole', '{}')"))
        with pytest.raises(NotLeader):
            frozen.assure_leading()
    assert recorded(database) == ["job"]
    assert open_store(database).remember().projects == ()


def test_a_leader_is_sure_of_it_for_seconds_after_it_heard_from_its_database(database: str) -> None:
    """Soon enough to hold back what it would tell its engine, before anybody else can come to lead."""
    now = 100.0
    with led(database, HEAD1) as store:
        assert store._lead is not None
        store._lead._monotonic = lambda: now
        store.assure_leading()
        now += SURE_S - 0.1
        assert store.surely_leads()
        now += 0.2
        assert not store.surely_leads()  # a freeze, or a database that is away
        store.record(a_record(1))
        assert store.surely_leads()
        end_sessions(database)
        now += SURE_S
        with pytest.raises(StoreUnavailable):
            store.assure_leading()
        assert not store.surely_leads()
        with led(database, HEAD2):
            with pytest.raises(NotLeader):
                store.assure_leading()
            assert not store.surely_leads()


# --- how a standby looks -------------------------------------------------------------------------


def test_a_standby_sees_who_leads_and_when_nobody_does(database: str) -> None:
    async def look() -> None:
        watch = Watch(database)
        assert await watch.look() == (False, None)
        with led(database, HEAD1) as store:
            assert await watch.look() == (True, HEAD1)
            end_leader(database)
            assert await watch.look() == (False, HEAD1)
            with pytest.raises(StoreUnavailable):
                store.assure_leading()
            store.assure_leading()
            assert await watch.look() == (True, HEAD1)
        end_sessions(database)
        with pytest.raises(StoreUnavailable, match="does not answer"):
            await watch.look()
        assert await watch.look() == (False, HEAD1)
        await watch.close()

    asyncio.run(look())


# --- whatever happens ----------------------------------------------------------------------------

AUDIT = """
CREATE TABLE audit (seq serial, writer text, epoch integer);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit (writer, epoch) SELECT NEW.member, epoch FROM leader; RETURN NEW;
END $$;
CREATE TRIGGER noted AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION note();
"""


def audited(postgres: str) -> str:
    """A database that notes who wrote each job, and under which leader."""
    url = fresh_database(postgres)
    open_store(url).close()
    with psycopg.connect(url) as connection:
        connection.execute(AUDIT)
    return url


def check_audit(url: str, acknowledged: list[int], *, exactly: bool) -> None:
    """Each epoch had one writer, epochs never went back, and what was acknowledged is there."""
    with psycopg.connect(url) as connection:
        noted = connection.execute("SELECT writer, epoch FROM audit ORDER BY seq").fetchall()
        there = {row[0] for row in connection.execute("SELECT id FROM jobs").fetchall()}
    writers = defaultdict(set)
    for writer, epoch in noted:
        writers[epoch].add(writer)
    assert all(len(of_epoch) == 1 for of_epoch in writers.values()), writers
    epochs = [epoch for _, epoch in noted]
    assert epochs == sorted(epochs)
    assert set(acknowledged) <= there
    if exactly:
        assert set(acknowledged) == there


class Daemon:
    """One that begins again when another leads, as rota.standby does."""

    def __init__(self, url: str, number: int) -> None:
        self.url, self.me = url, Leader(f"head{number}", number, 0.0)
        self.store: SqlStore | None = None

    def record(self, job: int) -> bool:
        """Whether it was acknowledged."""
        try:
            if self.store is None:
                self.store = lead_store(self.url, self.me)
            self.store.record(Entries(jobs=(a_job(job, member=self.me.host),)))
        except NotLeader:
            self.close()
            return False
        except StoreUnavailable:
            return False
        return True

    def close(self) -> None:
        if self.store is not None:
            self.store.close()
            self.store = None


@pytest.fixture(scope="module")
def audited_database(postgres: str) -> str:
    return audited(postgres)


_STEPS = st.lists(
    st.tuples(st.sampled_from(["record", "record", "record", "end the leader", "end all", "close"]), st.integers(0, 1)),
    max_size=30,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_whatever_sessions_end_no_two_write_under_one_lead(audited_database: str, steps: list[tuple[str, int]]) -> None:
    with psycopg.connect(audited_database) as connection:
        connection.execute("TRUNCATE jobs, audit")
    daemons = [Daemon(audited_database, number) for number in range(2)]
    acknowledged = []
    for job, (what, who) in enumerate(steps, start=1):
        if what == "record" and daemons[who].record(job):
            acknowledged.append(job)
        elif what == "end the leader":
            end_leader(audited_database)
        elif what == "end all":
            end_sessions(audited_database)
        elif what == "close":
            daemons[who].close()
    for daemon in daemons:
        daemon.close()
    check_audit(audited_database, acknowledged, exactly=True)
    with led(audited_database, HEAD1) as last:  # and nobody has taken the lock along
        last.record(a_record(1000))


def test_three_at_once_with_sessions_ending_at_any_moment_never_write_under_one_lead(postgres: str) -> None:
    url, until = audited(postgres), time.monotonic() + 4
    acknowledged: list[int] = []
    leaders = set()

    def write(number: int) -> None:
        daemon, job = Daemon(url, number), number * 1_000_000
        while time.monotonic() < until:
            job += 1
            if daemon.record(job):
                acknowledged.append(job)
                leaders.add(number)
            else:
                time.sleep(0.002)
        daemon.close()

    writers = [threading.Thread(target=write, args=(number,)) for number in (1, 2, 3)]
    for one in writers:
        one.start()
    chance = random.Random(5)
    while time.monotonic() < until:
        time.sleep(chance.uniform(0.0, 0.1))  # not for a condition: sessions end at moments that nobody chose
        end_leader(url)
    for one in writers:
        one.join()
    check_audit(url, acknowledged, exactly=False)
    assert len(leaders) > 1
    assert len(acknowledged) > 50

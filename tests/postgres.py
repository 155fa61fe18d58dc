"""A real PostgreSQL server for tests: started once per test process, a fresh database for each test."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.missing import is_missing
from tests.waiting import wait_until


def _programs() -> Path | None:
    """The newest folder with initdb and postgres."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


class Server:
    """A PostgreSQL server of our own on a free port of loopback; everybody may come in."""

    def __init__(self, programs: Path, folder: Path, also_at: str) -> None:
        self._programs, self._folder, self._also_at = programs, folder, also_at
        account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None  # initdb refuses to run as root
        self._identity = {"user": account.pw_uid, "group": account.pw_gid} if account else {}
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.address = f"postgresql://rota@127.0.0.1:{self._port}"
        made = [
            str(programs / "initdb"), "-D", str(folder / "data"), "--no-sync",
            "-A", "trust", "-U", "rota", "-E", "UTF8",
        ]  # fmt: skip
        subprocess.run(made, check=True, capture_output=True, cwd="/", **self._identity)
        if also_at:
            with (folder / "data" / "pg_hba.conf").open("a") as doors:
                doors.write(f"host all all {also_at}/30 trust\n")

    def start(self) -> None:
        listen = ",".join(filter(None, ("127.0.0.1", self._also_at)))
        options = [f"-p{self._port}", "-c", f"listen_addresses={listen}", "-k", str(self._folder)]
        run = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), *options]
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(run, stdout=log, stderr=log, cwd="/", **self._identity)
        wait_until(lambda: _answers(self.address), 30, what="PostgreSQL answers")

    def stop(self) -> None:
        """At once: waiting for clients and a checkpoint would serve nobody."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)


@contextmanager
def own_postgres(also_at: str = "") -> Iterator[Server]:
    """A server that runs, if need be at one more address. Absent: a failure in CI, a skip with the reason elsewhere."""
    programs = _programs()
    if programs is None:
        why = "no PostgreSQL here: apt install postgresql"
        is_missing(why)
    folder = Path(tempfile.mkdtemp(prefix="rota-pg-"))
    server = Server(programs, folder, also_at)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a server without a database name."""
    with own_postgres() as server:
        yield server.address


def fresh_database(address: str) -> str:
    """The address of a new, empty database."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # the name is our own
    return f"{address}/{name}"


def _answers(address: str) -> bool:
    try:
        with psycopg.connect(f"{address}/postgres", connect_timeout=1):
            return True
    except psycopg.Error:
        return False

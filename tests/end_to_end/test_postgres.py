"""The same Rota over PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.end_to_end.session import Rota
from tests.postgres import fresh_database, postgres_server


@pytest.mark.postgres
def test_turns_rotate_over_postgresql_and_survive_a_killed_daemon(make_rota: Callable[..., Rota]) -> None:
    with postgres_server() as address:
        url = fresh_database(address)
        rota = make_rota(fleet="h100:1", quantum="1s").up("--store", url)
        jobs = [rota.count(name, 60, pace="0.1") for name in ("a", "b")]
        rota.wait_for(jobs[0], "running")
        rota.kill_daemon()
        rota.up("--store", url)
        turns = [rota.wait_for(job, "finished", timeout_s=60)["job"]["turns"] for job in jobs]
        assert sum(turns) >= 3
        for name in ("a", "b"):
            assert json.loads((rota.state / f"{name}.json").read_text())["numbers"] == list(range(1, 61))
        assert not (rota.state / "rota.db").exists()
        rota.down()

"""Two head nodes over one PostgreSQL: whatever becomes of the one that leads, the other goes on with all it had."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rota.store.leading import LEASE_S
from tests.end_to_end.far_host import far_host
from tests.end_to_end.heads import Heads, answers, two_heads
from tests.end_to_end.session import Rota
from tests.postgres import Server, fresh_database, own_postgres
from tests.waiting import wait_until

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with own_postgres() as server:
        yield server


def counted(rota: Rota, name: str) -> list[int]:
    """What a counting job has written."""
    numbers: list[int] = json.loads((rota.state / f"{name}.json").read_text())["numbers"]
    return numbers


@pytest.fixture
def heads(make_rota: Callable[..., Rota], postgres: Server) -> Iterator[Heads]:
    """Neither of them is up."""
    with two_heads(make_rota, postgres) as made:
        yield made


@pytest.fixture
def pair(heads: Heads) -> Heads:
    """The first leads, the second stands by."""
    heads.begin_both()
    return heads


def test_a_standby_says_who_leads_and_what_to_type(pair: Heads) -> None:
    said = pair.second.run("list")
    assert (said.code, said.out) == (3, "")
    assert pair.second.run("list", "--json").json["error"] == "standby"
    assert said.err == f"rota: This Rota stands by; {socket.gethostname()} leads. Type it there.\n"
    assert pair.first.daemon is not None
    waits = f"Another Rota leads (host {socket.gethostname()}, process {pair.first.daemon.pid}); this one waits"
    wait_until(lambda: pair.second.words().count(waits) == 1, 5)
    submitted = pair.second.run("run", "--", "true")
    assert submitted.code == 3
    assert "Type it there." in submitted.err
    seen = pair.second.run("doctor")
    assert f"daemon     This Rota stands by; {socket.gethostname()} leads." in seen.out
    assert "PostgreSQL, leads, serves" in pair.first.run("doctor").out
    assert pair.first.jobs() == []


def test_a_head_node_that_is_lost_is_replaced_with_its_list_its_turns_and_its_projects(pair: Heads) -> None:
    lost, next_one = pair.first, pair.second
    lost("project", "add", "vision")
    running = lost.count("bert", 100, "--project", "vision", pace="0.1")
    waiting = [lost.count(f"w{n}", 20, "--project", "vision") for n in range(3)]
    held = lost.submit("--project", "vision", "--", "true")
    lost("hold", str(held))
    lost.wait_for(running, "running")
    before = {job["job"]: job["name"] for job in lost.jobs()}
    lost.kill_daemon()
    assert pair.await_lead(next_one) < 5  # it looks every second; the rest is a busy machine
    assert {job["job"]: job["name"] for job in next_one.jobs()} == before
    assert [project["name"] for project in json.loads(next_one("project", "list", "--json"))["projects"]] == ["vision"]
    assert next_one.state_of(held) == "held"
    for job in (running, *waiting):
        next_one.wait_for(job, "finished", timeout_s=60)
    for name, target in (("bert", 100), *((f"w{n}", 20) for n in range(3))):
        assert counted(lost, name) == list(range(1, target + 1))
    turns = json.loads(next_one("show", "--json", str(running)))["turns"]
    assert {turn["outcome"] for turn in turns} <= {"finished", "saved"}  # none was lost with its head node
    assert next_one.submit("--project", "vision", "--", "true") == held + 1


@pytest.mark.long
def test_a_leader_that_was_frozen_while_another_took_over_does_nothing_more(pair: Heads) -> None:
    """It goes to and fro, and each time the old leader is frozen somewhere in the midst of its work.

    The two jobs rotate: there is always something about to be told to the engine. A turn that was begun twice would
    show in what they count.
    """
    jobs = [pair.first.count(name, 100_000, pace="0.05") for name in ("a", "b")]
    leader, other = pair.first, pair.second
    for _ in range(3):
        wait_until(lambda: pair.turns_beyond(leader, jobs), 30, 0.05, "turns go on")  # noqa: B023  (called at once)
        assert leader.daemon is not None
        os.kill(leader.daemon.pid, signal.SIGSTOP)
        pair.end_leader()
        pair.await_lead(other)
        wait_until(lambda: pair.turns_beyond(other, jobs), 30, 0.05, "turns go on")  # noqa: B023
        os.kill(leader.daemon.pid, signal.SIGCONT)
        pair.await_standby(leader)  # the same process: it needs nobody to start it again
        assert "Another Rota has taken over" in leader.words()
        leader, other = other, leader
    leader("cancel", *map(str, jobs))
    for job in jobs:
        turns = leader.wait_for(job, "cancelled")["turns"]
        assert [turn["number"] for turn in turns] == list(range(1, len(turns) + 1))
        assert {turn["outcome"] for turn in turns} <= {"saved", "cancelled"}
    for name in ("a", "b"):
        numbers = counted(pair.first, name)
        assert numbers == list(range(1, len(numbers) + 1))


def test_a_leader_that_is_stopped_hands_over_at_once(pair: Heads) -> None:
    job = pair.first.submit("--", "sleep", "1000")
    assert pair.first.daemon is not None
    began = time.monotonic()
    pair.first.daemon.send_signal(signal.SIGTERM)
    pair.await_lead(pair.second)
    assert time.monotonic() - began < 5
    assert pair.first.daemon.wait(10) == 0
    assert pair.second.state_of(job) == "running"


@pytest.mark.long
def test_a_database_that_is_restarted_keeps_its_leader(pair: Heads) -> None:
    job = pair.first.submit("--", "sleep", "1000")
    epoch = pair.epoch()
    pair.postgres.stop()
    away = pair.first.run("run", "--", "true")
    assert away.code == 1
    assert "nothing was recorded" in away.err
    wait_until(lambda: "cannot see which one leads" in pair.second.run("list").err, 20, 0.1)
    pair.postgres.start()
    pair.await_lead(pair.first)
    pair.await_standby(pair.second)
    wait_until(lambda: "leads. Type" in pair.second.run("list").err, 20, 0.1)
    assert pair.first.submit("--", "true") == job + 1
    assert pair.epoch() == epoch
    pair.first.kill_daemon()  # and the standby has not forgotten what it waits for
    pair.await_lead(pair.second)


@pytest.mark.long
@pytest.mark.root
def test_a_head_node_without_power_is_replaced_and_stands_by_when_it_is_back(make_rota: Callable[..., Rota]) -> None:
    """Its connections are never closed: nothing of it answers any more, and both sides have to notice by themselves."""
    with far_host() as host, own_postgres(host.address_here) as postgres, two_heads(make_rota, postgres) as heads:
        heads.begin_far(heads.first, host)
        heads.await_lead(heads.first)
        heads.begin(heads.second)
        heads.await_standby(heads.second)
        job = heads.first.submit("--", "sleep", "1000")
        host.cut()
        assert heads.await_lead(heads.second, 60) < 25
        assert heads.second.state_of(job) == "running"
        refused = heads.first.run("run", "--", "true")  # its own members are not let down either: they are told
        assert refused.code == 1
        assert "nothing was recorded" in refused.err
        host.mend()
        heads.await_standby(heads.first)
        assert [listed["job"] for listed in heads.second.jobs()] == [job]


@pytest.mark.long
def test_a_head_node_that_hangs_is_replaced_within_the_lease(pair: Heads) -> None:
    """Its kernel answers for it, so the database's own clock has to end it."""
    assert pair.first.daemon is not None
    os.kill(pair.first.daemon.pid, signal.SIGSTOP)
    assert pair.await_lead(pair.second, 60) < LEASE_S + 10
    os.kill(pair.first.daemon.pid, signal.SIGCONT)
    pair.await_standby(pair.first)


def test_of_several_that_begin_at_the_same_moment_exactly_one_leads(
    make_rota: Callable[..., Rota], postgres: Server
) -> None:
    url = fresh_database(postgres.address)
    rotas = [make_rota() for _ in range(3)]

    def begin(rota: Rota) -> None:
        rota.daemon = rota.spawn_daemon("--store", url)

    together = [threading.Thread(target=begin, args=(rota,)) for rota in rotas]
    for one in together:
        one.start()
    for one in together:
        one.join()
    wait_until(lambda: all(answers(rota) for rota in rotas), 60)
    leaders = [rota for rota in rotas if answers(rota) == "leads"]
    assert len(leaders) == 1
    leaders[0].kill_daemon()
    others = [rota for rota in rotas if rota is not leaders[0]]
    wait_until(lambda: sorted(answers(rota) for rota in others) == ["leads", "stands by"], 30)


def test_the_page_of_a_standby_says_so_and_is_the_board_when_it_leads(heads: Heads) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    heads.begin(heads.first)
    heads.await_lead(heads.first)
    heads.begin(heads.second, "--web", f"127.0.0.1:{port}")
    heads.await_standby(heads.second)

    def page() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    assert page()[0] == 503
    assert f"{socket.gethostname()} leads" in page()[1]
    heads.first.kill_daemon()
    heads.await_lead(heads.second)
    assert page()[0] == 200
    assert json.loads(heads.second("web", "--json"))["url"].startswith(f"http://127.0.0.1:{port}/")


def test_a_standby_ends_quickly_and_is_not_ended_by_a_reload(pair: Heads) -> None:
    assert pair.second.daemon is not None
    pair.second.daemon.send_signal(signal.SIGHUP)
    assert answers(pair.second) == "stands by"
    began = time.monotonic()
    pair.second.daemon.send_signal(signal.SIGTERM)
    assert pair.second.daemon.wait(10) == 0
    assert time.monotonic() - began < 2
    assert answers(pair.second) == ""
    assert not (pair.second.state / "rota.sock").exists()


def test_settings_that_changed_while_it_stood_by_are_taken_and_a_mistake_in_them_keeps_nobody_from_leading(
    pair: Heads,
) -> None:
    settings = pair.second.state / "rota.toml"
    settings.write_text(settings.read_text().replace('quantum = "1s"', 'quantum = "7min"'))
    pair.first.kill_daemon()
    pair.await_lead(pair.second)
    assert "7min" in pair.second("policy", "explain")
    pair.begin(pair.first)
    pair.await_standby(pair.first)
    (pair.first.state / "rota.toml").write_text("quantum is what\n")
    pair.second.kill_daemon()
    pair.await_lead(pair.first)
    assert "settings not taken" in pair.first.words()


def test_one_state_folder_still_has_one_daemon(pair: Heads) -> None:
    again = pair.second.spawn_daemon("--store", pair.url)
    assert again.wait(20) == 1
    assert "serves" in pair.second.words()
    assert answers(pair.second) == "stands by"


def test_a_record_that_cannot_be_opened_is_said_at_once(heads: Heads) -> None:
    command = subprocess.run(
        ["rota", "up", "--state", str(heads.first.state), "--simulate", "h100:1", "--store", f"{heads.url}_none"],
        capture_output=True, text=True, timeout=30, check=False,
        env={**os.environ, "PATH": f"{Path(os.sys.executable).parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert command.returncode == 1
    assert "createdb" in command.stderr

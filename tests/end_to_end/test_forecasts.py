"""When is my turn: told at once, remembered, and held against what came; beside the daemon and never in its way."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.end_to_end.session import Rota
from tests.waiting import wait_until

WORKER = "rota.daemon.forecasting.worker"


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("rota")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def ask(rota: Rota, path: str, body: object = None) -> Any:
    """What the API answers."""
    connection = _Unix(rota.state / "rota.sock")
    wire, headers = (json.dumps(body), {"content-type": "application/json"}) if body else (None, {})
    connection.request("POST" if body else "GET", f"/api/v1{path}", wire, headers)
    answer = connection.getresponse()
    read = json.loads(answer.read())
    connection.close()
    assert answer.status == 200, read
    return read


def forecast(rota: Rota, job: int, wait_s: float = 10) -> Any:
    return ask(rota, f"/jobs/{job}/forecast?wait_s={wait_s:g}")


def workers(rota: Rota) -> list[int]:
    """The forecasting processes of this daemon."""
    assert rota.daemon is not None
    return [pid for pid in _children(rota.daemon.pid) if WORKER.encode() in _read(f"/proc/{pid}/cmdline")]


def _children(pid: int) -> list[int]:
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _read(task / "children").split()]


def _read(file: str | Path) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError:
        return b""


def is_alive(pid: int) -> bool:
    return WORKER.encode() in _read(f"/proc/{pid}/cmdline")


def busy(make_rota: Callable[..., Rota]) -> tuple[Rota, int]:
    """One GPU, a job that has it for a while, and one that waits."""
    rota = make_rota(fleet="h100:1", quantum="3s").up()
    rota.count("long", 100_000)
    return rota, rota.count("waits", 100_000)


def test_a_waiting_job_is_told_when_its_turn_comes_and_that_is_held_against_what_came(
    make_rota: Callable[..., Rota],
) -> None:
    rota, job = busy(make_rota)
    told = forecast(rota, job)
    assert (told["job"], told["turn"], told["tier"]) == (job, 1, "h100")
    begin, finish = told["begin"], told["finish"]
    assert begin["early"] <= begin["likely"] <= begin["late"] <= finish["late"]
    assert "has begun in the last 90 days; 1 turn still to come will count." in rota("forecast", "score")
    rota.wait_for(job, "running")
    wait_until(lambda: ask(rota, "/forecast/score")["forecasts"] >= 1, what="the turn is counted")
    assert forecast(rota, job)["of"] >= 1
    score = json.loads(rota("forecast", "score", "--json", "--days", "7"))
    (lead,) = score["by_lead"]
    (tier,) = score["by_tier"]
    assert (lead["kind"], tier["kind"]) == ("hour", "h100")
    assert lead["forecasts"] == tier["forecasts"] == score["forecasts"]
    assert "within the hour" in rota("forecast", "score")


def test_an_empty_laboratory_has_no_score_and_says_what_will_make_one(rota: Rota) -> None:
    said = rota("forecast", "score")
    assert said == (
        "No turn that was forecast has begun in the last 90 days. "
        "Every job that waits is forecast when it is submitted.\n"
    )
    assert workers(rota) == []  # nobody needs one yet


def test_promises_survive_the_daemon(make_rota: Callable[..., Rota]) -> None:
    rota, job = busy(make_rota)
    forecast(rota, job)
    rota.kill_daemon()
    rota.up()
    wait_until(lambda: ask(rota, "/forecast/score")["forecasts"] >= 1, what="the turn is counted")
    rota.kill_daemon()
    rota.up()
    assert ask(rota, "/forecast/score")["forecasts"] >= 1


def test_a_forecasting_process_that_is_killed_comes_back_and_turns_go_on(make_rota: Callable[..., Rota]) -> None:
    rota, job = busy(make_rota)
    forecast(rota, job)
    wait_until(lambda: len(workers(rota)) == 2, what="both processes are there")
    killed = workers(rota)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    another = rota.count("another", 100_000)
    rota.wait_for(another, "running")
    wait_until(lambda: len(set(workers(rota)) - set(killed)) == 2, what="both have come back")
    last = rota.count("last", 100_000)
    assert forecast(rota, last)["begin"] is not None
    wait_until(lambda: ask(rota, "/health")["trouble"] == [], what="all is well again")


def test_no_forecasting_process_outlives_the_daemon(make_rota: Callable[..., Rota]) -> None:
    rota, job = busy(make_rota)
    forecast(rota, job)
    wait_until(lambda: len(workers(rota)) == 2, what="both processes are there")
    left = workers(rota)
    rota.kill_daemon()
    wait_until(lambda: not any(map(is_alive, left)), 10, what="they are gone")
    rota.up()
    wait_until(lambda: len(workers(rota)) >= 1, what="there are forecasts again")
    left = workers(rota)
    rota.down()
    assert not any(map(is_alive, left))


def test_a_refresh_gives_way_to_the_laboratorys_jobs(make_rota: Callable[..., Rota]) -> None:
    rota, job = busy(make_rota)
    forecast(rota, job)
    wait_until(lambda: sorted(map(_niceness, workers(rota))) == [0, 10], what="one is nice, one answers quickly")


def _niceness(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


def test_another_way_to_ask_is_compared_without_a_submit(make_rota: Callable[..., Rota]) -> None:
    rota, job = busy(make_rota)
    variants = [{"gpus": 1, "time_s": 60}, {"gpus": 1, "tiers": ["h100"]}, {"gpus": 2}]
    answer = ask(rota, "/forecast/compare", {"variants": variants, "checkpoint": True})
    one, other, impossible = answer["variants"]
    assert one["begin"]["likely"] >= answer["at"] - 5
    assert other["tiers"] == ["h100"]
    assert impossible["begin"] is None
    assert "--gpus 1" in impossible["refused"]
    assert len(rota.jobs()) == job


def test_without_forecasts_everything_else_works(make_rota: Callable[..., Rota]) -> None:
    rota = make_rota(fleet="h100:1")
    settings = rota.state / "rota.toml"
    settings.write_text(settings.read_text() + "\n[forecast]\nenabled = false\n")
    rota.up()
    rota.count("long", 100_000)
    job = rota.count("waits", 100_000)
    assert forecast(rota, job, wait_s=10)["begin"] is None
    assert "[forecast] enabled = true" in rota("forecast", "score")
    assert workers(rota) == []

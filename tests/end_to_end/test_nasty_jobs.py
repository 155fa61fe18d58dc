"""Jobs that behave badly: the turn ends in time, their member is told, the others are not disturbed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.session import Rota, processes_with
from tests.waiting import wait_until

IGNORES = "import signal,time\nfor s in (10,12,15): signal.signal(s, signal.SIG_IGN)\nwhile True: time.sleep(1)"


@pytest.fixture
def fast(make_rota: Callable[..., Rota]) -> Rota:
    """One GPU, a quantum of a second, a grace of a second."""
    return make_rota(fleet="h100:1", quantum="1s", grace="1s").up()


def python(code: str) -> tuple[str, ...]:
    return ("--", sys.executable, "-c", code)


def test_a_job_that_ignores_everything_still_gives_its_gpu_to_the_next(fast: Rota, tmp_path: Path) -> None:
    stubborn = fast.submit("--checkpoint", str(tmp_path / "never"), *python(IGNORES))
    fast.wait_for(stubborn, "running")
    polite = fast.submit("--", "echo", "thank you")
    fast.wait_for(polite, "finished", timeout_s=20)
    told = fast.job(stubborn)["job"]["told"]
    assert "nothing was saved" in told
    assert "of work are lost" in told


def test_a_checkpoint_that_never_changes_is_not_taken_for_a_save(fast: Rota, tmp_path: Path) -> None:
    old = tmp_path / "old.pt"
    old.write_text("from last week")
    number = fast.submit("--checkpoint", str(old), *python("import time; time.sleep(600)"))
    fast.wait_for(number, "running")
    fast.wait_for(fast.submit("--", "true"), "finished")
    turn = next(turn for turn in fast.job(number)["turns"] if turn["outcome"])
    assert turn["outcome"] == "unsaved"
    assert turn["lost_s"] > 1


def test_daemons_of_a_job_do_not_outlive_its_turn(fast: Rota, tmp_path: Path) -> None:
    mark = f"rota-mark-{time.time_ns()}"
    code = f"setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' {mark} & (sleep 1000 {mark} &) ; echo started"
    number = fast.submit("--", "bash", "-c", code.replace(f"1000 {mark}", "1000"), mark)
    fast.wait_for(number, "finished", timeout_s=20)
    assert [
        pid for pid in processes_with(mark) if str(fast.state).encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    ] == []


def test_a_gigabyte_of_output_disturbs_nobody(make_rota: Callable[..., Rota]) -> None:
    rota = make_rota(fleet="h100:2").up()
    loud = rota.submit(*python("import sys\nfor _ in range(1000): sys.stdout.write(('x' * 1023 + chr(10)) * 1024)"))
    quiet = rota.submit("--", "echo", "quiet")
    rota.wait_for(quiet, "finished", timeout_s=10)
    rota.wait_for(loud, "finished", timeout_s=60)
    log = rota.state / "turns" / f"{loud}.1" / "log"
    wait_until(lambda: log.stat().st_blocks * 512 < 200 * 2**20, 10, what="the middle of the log is let go")
    assert log.stat().st_size >= 1000 * 2**20
    assert rota("logs", "--tail", "2", str(loud)).count("\n") == 2


def test_a_killed_keeper_loses_its_turn_and_the_job_goes_on(fast: Rota) -> None:
    number = fast.count("killed", 60, pace="0.05")
    fast.wait_for(number, "running")
    turn = fast.state / "turns" / f"{number}.1"
    wait_until((turn / "begun.json").exists, 10)
    import json
    import os
    import signal

    os.kill(json.loads((turn / "begun.json").read_text())["keeper_pid"], signal.SIGKILL)
    shown = fast.wait_for(number, "finished")
    assert shown["turns"][0]["outcome"] == "lost"
    assert json.loads((fast.state / "killed.json").read_text())["numbers"] == list(range(1, 61))

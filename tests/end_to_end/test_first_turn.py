"""A newcomer's first minutes."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.end_to_end.session import Rota
from tests.waiting import wait_until


def test_a_job_runs_and_its_output_can_be_read(rota: Rota) -> None:
    said = rota("run", "--", "echo", "my first turn")
    number = said.split()[0]
    assert number == "1"
    rota.wait_for(1, "finished")
    assert rota("logs", "1") == "my first turn\n"
    assert "Finished." in rota("show", "1")


def test_a_job_sees_what_design_promises_in_its_environment(rota: Rota, tmp_path: Path) -> None:
    checkpoint = tmp_path / "c"
    rota("run", "--project", "vision", "--gpus", "2", "--checkpoint", str(checkpoint), "--", "env")
    rota.wait_for(1, "finished")
    seen = dict(line.split("=", 1) for line in rota("logs", "1").splitlines() if "=" in line)
    assert (seen["ROTA_JOB_ID"], seen["ROTA_TURN"], seen["ROTA_PROJECT"]) == ("1", "1", "vision")
    assert seen["ROTA_CHECKPOINT"] == str(checkpoint)
    assert seen["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert seen["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert seen["PYTHONUNBUFFERED"] == "1"  # or its output would be read minutes late
    granted_at = rota.job(1)["turns"][0]["granted_at"]
    assert float(seen["ROTA_TURN_ENDS"]) > granted_at + 3 * 3600
    assert not Path(seen["ROTA_NOTICE"]).exists()


def test_a_script_can_import_rota_turn_with_nothing_installed(rota: Rota) -> None:
    rota("run", "--", "python3", "-c", "import rota_turn; print(rota_turn.ending())")
    rota.wait_for(1, "finished")
    assert rota("logs", "1") == "False\n"


def test_logs_f_follows_a_job_to_its_end(rota: Rota) -> None:
    rota("run", "--", sys.executable, "-uc", "import time\nfor i in range(5): print(i); time.sleep(0.2)")
    assert rota("logs", "-f", "1") == "0\n1\n2\n3\n4\n"
    assert rota.state_of(1) == "finished"


def test_a_job_that_fails_says_so_and_is_tried_again_when_asked(rota: Rota) -> None:
    rota("run", "--retries", "2", "--", "sh", "-c", "echo oh; exit 3")
    shown = rota.wait_for(1, "failed")
    assert [turn["exit_code"] for turn in shown["turns"]] == [3, 3, 3]
    assert shown["job"]["exit_code"] == 3


def test_exit_85_asks_for_another_turn(rota: Rota, tmp_path: Path) -> None:
    rota("run", "--", "sh", "-c", f'echo x >> {tmp_path}/n; test "$ROTA_TURN" = 3 || exit 85')
    shown = rota.wait_for(1, "finished")
    assert shown["job"]["turns"] == 3


def test_jobs_wait_for_what_they_follow_and_arrays_run_every_task(rota: Rota, tmp_path: Path) -> None:
    rota("run", "--", "sh", "-c", f"sleep 0.3; touch {tmp_path}/first")
    rota("run", "--after", "1", "--", "test", "-e", f"{tmp_path}/first")
    rota("run", "--param", "lr=0.1,0.2", "--array", "1-2", "--", "sh", "-c", "echo {lr} $ROTA_ARRAY_TASK")
    rota.wait_for(2, "finished")
    wait_until(lambda: not rota.jobs(), 30, what="all ended")
    outputs = sorted(rota("logs", str(number)).strip() for number in range(3, 7))
    assert [line.split()[0] for line in outputs] == ["0.1", "0.1", "0.2", "0.2"]


def test_a_job_whose_predecessor_failed_never_starts_and_says_why(rota: Rota) -> None:
    rota("run", "--", "sh", "-c", "sleep 0.5; exit 1")
    rota("run", "--after", "1", "--", "true")
    rota("run", "--after", "any:1", "--", "true")
    shown = rota.wait_for(2, "failed")
    assert shown["turns"] == []
    assert "Job 1, which it follows, is failed." in [step["reason"] for step in shown["history"]]
    rota.wait_for(3, "finished")


def test_dry_run_changes_nothing(rota: Rota) -> None:
    assert "nothing was changed" in rota("run", "--dry-run", "--", "true")
    assert rota.jobs("--all") == []


def test_hold_release_and_give_back(rota: Rota) -> None:
    number = rota.count("long", 100_000)
    rota.wait_for(number, "running")
    rota("give-back", str(number))
    wait_until(lambda: rota.job(number)["job"]["turns"] >= 2, 20, what="its second turn")
    rota("hold", str(number))
    shown = rota.wait_for(number, "held")
    assert {turn["outcome"] for turn in shown["turns"]} == {"saved"}
    rota("release", str(number))
    rota.wait_for(number, "running")
    rota("cancel", str(number))
    assert rota.wait_for(number, "cancelled")["turns"][-1]["outcome"] == "cancelled"


def test_a_drained_gpu_gets_no_turn_until_it_is_back(rota: Rota) -> None:
    rota("fleet", "drain", "h100-1")
    number = rota.submit("--", "true")
    assert rota.state_of(number) == "waiting"
    assert "No node in service" in rota("why", str(number))
    rota("fleet", "resume", "h100-1")
    rota.wait_for(number, "finished")

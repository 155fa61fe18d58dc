"""`rota export`: a laboratory's own history in two files, and how `rota replay` reads it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rota.cli.export import JOB_COLUMNS, TURN_COLUMNS
from rota.simulate.replay.traces import read_trace
from tests.end_to_end.session import Rota
from tests.end_to_end.test_members import AS_ROOT, as_nobody
from tests.waiting import wait_until


def rows(file: Path) -> list[dict[str, str]]:
    """A CSV by column name."""
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def with_a_past(rota: Rota) -> Rota:
    """Jobs of two members that have ended, well or not, and one that runs."""
    for number, options in enumerate((("--time", "2h", "--tier", "h100"), ("--gpus", "2"), ())):
        rota.count(f'실험, "{number}"', 5, *options, "--project", "vision", member=("kim", "lee")[number % 2])
    failing = rota.submit("--name", "=1+1", "--", "sh", "-c", "exit 3")
    for number in (1, 2, 3, failing):
        rota.wait_for(number, "finished", "failed")
    rota.wait_for(rota.count("long", 100_000, member="lee"), "running")
    return rota


def test_what_was_exported_is_replayed(rota: Rota, tmp_path: Path) -> None:
    with_a_past(rota)
    folder = tmp_path / "lab-2026"
    assert rota("export", str(folder)) == f"5 jobs and 5 turns written to {folder}.\n"
    assert sorted(file.name for file in folder.iterdir()) == ["jobs.csv", "turns.csv"]
    jobs, turns = rows(folder / "jobs.csv"), rows(folder / "turns.csv")
    assert tuple(jobs[0]) == JOB_COLUMNS
    assert tuple(turns[0]) == TURN_COLUMNS
    assert [job["state"] for job in jobs] == ["finished", "finished", "finished", "failed", "running"]
    assert [job["name"] for job in jobs[2:]] == ['실험, "2"', "=1+1", "long"]
    assert (jobs[3]["exit_code"], turns[3]["outcome"], turns[3]["exit_code"]) == ("3", "failed", "3")
    assert turns[1]["gpu_uuids"].count("|") == 1
    assert turns[4]["ended_at"] == ""

    trace = read_trace(folder)
    assert trace.left_out == ("1 job without an ended turn",)
    assert [job.id for job in trace.jobs] == [1, 2, 3, 4]
    for job in trace.jobs:
        shown = rota.job(job.id)
        assert (job.gpus, job.member, job.project) == tuple(shown["job"][key] for key in ("gpus", "member", "project"))
        assert job.submit_s + (trace.began_at or 0) == pytest.approx(shown["job"]["submitted_at"], abs=1e-5)
        assert job.duration_s * job.gpus == pytest.approx(shown["job"]["attained_gpu_s"], abs=1e-3)
        assert job.time_s == shown["request"]["time_s"]
        assert list(job.tiers) == shown["request"]["tiers"]
        assert job.is_resumable == (shown["request"]["checkpoint"] is not None)


def test_a_folder_that_is_not_empty_is_left_alone_unless_told_otherwise(rota: Rota, tmp_path: Path) -> None:
    rota.wait_for(rota.count("short", 3), "finished")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "jobs.csv").write_text("old")
    refused = rota.run("export", str(tmp_path))
    assert refused.code == 2
    assert refused.err == (
        f"rota: The folder {tmp_path} is not empty, and nothing of it was changed.\n"
        f"Name another, or replace its jobs.csv and turns.csv: rota export --force {tmp_path}\n"
    )
    assert (tmp_path / "jobs.csv").read_text() == "old"
    done = json.loads(rota("export", "--force", "--json", str(tmp_path)))
    assert done == {"folder": str(tmp_path), "jobs": 1, "turns": 1}
    assert {file.name for file in tmp_path.iterdir()} == {"jobs.csv", "notes.txt", "turns.csv"}
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert len(read_trace(tmp_path).jobs) == 1


def test_where_nothing_can_be_written_is_said_in_a_sentence(rota: Rota, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    said = rota.run("export", str(file))
    assert (said.code, said.err) == (2, f"rota: {file} is a file. Name a folder that is empty or not there yet.\n")
    for folder in (tmp_path / "not" / "there", Path("/proc/rota")):
        said = rota.run("export", str(folder))
        assert said.code == 1
        assert said.err.startswith(
            f"rota: {folder} cannot be written: No such file or directory. Nothing was exported."
        )
        assert not folder.exists()
    assert rota.run("export").code == 2
    nobody = rota.run("export", str(tmp_path / "new"), "--state", str(tmp_path))
    assert nobody.code == 3
    assert not (tmp_path / "new").exists()


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for less than an export."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "none", str(disk)], check=False).returncode:
        pytest.skip("this container may not mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_leaves_nothing_half_written(rota: Rota, full_disk: Path) -> None:
    for _ in range(3):
        rota.submit("--name", "x" * 200, "--array", "1-20", "--", "true")
    for folder in (full_disk, full_disk / "new"):
        said = rota.run("export", str(folder))
        assert said.code == 1
        assert "No space left on device. Nothing was exported." in said.err
        assert list(full_disk.iterdir()) == []


def test_who_breaks_off_leaves_nothing_half_written(rota: Rota, tmp_path: Path) -> None:
    rota.submit("--array", "1-400", "--", "true")
    folder = tmp_path / "new"
    command = [sys.executable, "-m", "rota.cli.main", "export", str(folder)]
    export = subprocess.Popen(command, env={**os.environ, "ROTA_STATE": str(rota.state)}, stderr=subprocess.PIPE)
    wait_until(lambda: export.poll() is not None or folder.exists(), 20, 0.001)
    export.send_signal(signal.SIGINT)
    _, said = export.communicate(timeout=30)
    assert b"Traceback" not in said
    assert (export.returncode, folder.exists()) in ((130, False), (0, True))
    if folder.exists():
        assert len(list(folder.iterdir())) == 2


@AS_ROOT
def test_a_member_gets_their_own_jobs_only(rota: Rota) -> None:
    rota.wait_for(rota.count("roots", 3), "finished")
    assert as_nobody(rota, "run", "--", "true").code == 0
    rota.wait_for(2, "finished")
    folder = rota.state.parent / f"{rota.state.name}-export"
    try:
        said = as_nobody(rota, "export", str(folder))
        assert said.out == f"1 job and 1 turn written to {folder}.\n", said
        assert [job["member"] for job in rows(folder / "jobs.csv")] == ["nobody"]
        assert [turn["job"] for turn in rows(folder / "turns.csv")] == ["2"]
        closed = as_nobody(rota, "export", str(rota.state / "turns" / "mine"))
        assert closed.code == 1
        assert "Permission denied. Nothing was exported." in closed.err
    finally:
        for file in folder.glob("*"):
            file.unlink()
        folder.rmdir()

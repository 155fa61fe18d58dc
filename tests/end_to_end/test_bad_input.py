"""Bad input gets a clear error with the fix, the exit code of the design, and changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.session import Rota, Said

CASES = {
    "unknown tier": (("run", "--tier", "h200", "--", "true"), 2, "h100"),
    "more GPUs than any node has": (("run", "--gpus", "16", "--", "true"), 2, "the largest has 2"),
    "zero GPUs": (("run", "--gpus", "0", "--", "true"), 2, "--gpus"),
    "negative GPUs": (("run", "--gpus", "-1", "--", "true"), 2, "--gpus"),
    "no command": (("run", "--gpus", "1"), 2, "command"),
    "a command that is not there": (("run", "--", "no-such-command-anywhere"), 2, "no-such-command-anywhere"),
    "a job that is not there": (("show", "999"), 5, "rota list"),
    "a job that is not there, to cancel": (("cancel", "999"), 5, "999"),
    "no number": (("why", "twelve"), 2, "twelve"),
    "too much memory": (("run", "--gpu-memory", "900G", "--", "true"), 2, "80G"),
    "a size that is none": (("run", "--mem", "lots", "--", "true"), 2, "40G"),
    "a time that is none": (("run", "--time", "soon", "--", "true"), 2, "4h"),
    "follows nothing": (("run", "--after", "77", "--", "true"), 5, "77"),
    "an unknown option": (("run", "--gpu", "1", "--", "true"), 2, "--gpu"),
    "a GPU that is not there": (("fleet", "drain", "nowhere:7"), 5, "rota fleet"),
}


def check(rota: Rota, said: Said, code: int, hint: str) -> None:
    """One to three lines on stderr, with the fix, and nothing changed."""
    assert said.code == code, said
    assert hint in said.err, said
    assert "Traceback" not in said.err
    lines = [line for line in said.err.strip().splitlines() if not line.startswith(("Usage:", "Try "))]
    assert 1 <= len([line for line in lines if line.strip()]) <= 3, said.err
    assert rota.jobs("--all") == []


@pytest.mark.parametrize("case", CASES)
def test_bad_input(rota: Rota, case: str) -> None:
    words, code, hint = CASES[case]
    check(rota, rota.run(*words), code, hint)


def test_two_megabytes_of_command_line(rota: Rota) -> None:
    words = ["word" * 25_000] * 19  # each below the kernel's own limit of 128 KiB for one argument
    said = rota.run("run", "--", "echo", *words)
    check(rota, said, 2, "bytes")


def test_arguments_that_are_no_utf8(rota: Rota) -> None:
    command = [sys.executable, "-m", "rota.cli.main", "run", "--", "echo", b"caf\xe9"]
    done = subprocess.run(command, env={**os.environ, "ROTA_STATE": str(rota.state)}, capture_output=True, check=False)
    check(rota, Said(done.returncode, "", done.stderr.decode()), 2, "UTF-8")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become an account that may not enter a folder")
def test_a_working_directory_that_cannot_be_read(rota: Rota, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"cd {gone} && rmdir {gone} && exec {sys.executable} -m rota.cli.main run -- true"
    environment = {**os.environ, "ROTA_STATE": str(rota.state)}
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)
    check(rota, Said(done.returncode, "", done.stderr), 2, "directory")


def test_without_a_daemon_every_command_says_how_to_start_one(tmp_path: Path) -> None:
    rota = Rota(tmp_path / "state")
    for words in (("list",), ("run", "--", "true"), ("cancel", "1")):
        said = rota.run(*words)
        assert said.code == 3
        assert "rota up" in said.err


def test_malformed_settings_are_named_by_line_and_nothing_starts(tmp_path: Path) -> None:
    rota = Rota(tmp_path / "state")
    (rota.state / "rota.toml").write_text('[turns]\nquantum = "4x"\n')
    said = rota.run("up", "--simulate", "h100:1")
    assert said.code == 2
    assert "quantum" in said.err
    assert "4h" in said.err
    (rota.state / "rota.toml").write_text("[turns\n")
    said = rota.run("up", "--simulate", "h100:1")
    assert said.code == 2
    assert "line 1" in said.err


def test_a_second_daemon_refuses_and_names_the_first(rota: Rota) -> None:
    said = rota.run("up", "--simulate", "h100:2")
    assert said.code == 1
    assert rota.daemon is not None
    assert str(rota.daemon.pid) in said.err


def test_without_gpus_rota_up_offers_the_simulated_fleet(tmp_path: Path) -> None:
    if Path("/dev/nvidiactl").exists():
        pytest.skip("this machine has NVIDIA GPUs")
    said = Rota(tmp_path / "state").run("up")
    assert said.code == 1
    assert "--simulate" in said.err

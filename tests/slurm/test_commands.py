"""Slurm's commands when Slurm is well, away, hanging, of another version, or says no."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from rota.slurm.commands import Run, SlurmRefused, SlurmUnavailable, commands

#: As Slurm 22.05 to 24.11 print them.
AWAY = (
    "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
    "slurm_load_jobs error: Socket timed out on send/recv operation",
    "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
    "slurm_load_jobs error: Incompatible versions of client and server code",
    "slurm_load_jobs error: Zero Bytes were transmitted or received",
    "slurm_load_jobs error: Protocol authentication error",
    "slurm_load_jobs error: Slurm backup controller in standby mode",
)
REFUSED = (
    "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
    "sbatch: error: Batch job submission failed: Requested node configuration is not available",
    "slurm_load_partitions error: Invalid partition name specified",
)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands where squeue would be found."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "squeue"


def does(program: Path, script: str, timeout_s: float = 5.0) -> Run:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return commands(timeout_s)


def test_what_it_prints_is_the_answer_and_what_is_given_is_its_input(program: Path) -> None:
    assert does(program, 'read line; echo "$1 $line"')(["squeue", "--me"], "given\n") == "--me given\n"


@pytest.mark.parametrize("said", AWAY)
def test_a_slurm_that_is_away_may_answer_later(program: Path, said: str) -> None:
    with pytest.raises(SlurmUnavailable, match="Slurm does not answer squeue") as told:
        does(program, f"echo '{said}' >&2; exit 1")(["squeue"], "")
    assert not told.value.is_for_good


@pytest.mark.parametrize("said", REFUSED)
def test_what_slurm_refuses_it_will_refuse_again(program: Path, said: str) -> None:
    with pytest.raises(SlurmRefused) as refused:
        does(program, f"echo '{said}' >&2; exit 1")(["squeue"], "")
    assert refused.value.said == said
    assert said.rpartition(": ")[2] in str(refused.value)


def test_a_command_that_hangs_is_ended(program: Path) -> None:
    with pytest.raises(SlurmUnavailable, match="took longer than"):
        does(program, "exec sleep 100", timeout_s=0.3)(["squeue"], "")


def test_a_command_that_is_missing_is_named_with_what_to_install() -> None:
    with pytest.raises(SlurmUnavailable, match="apt install slurm-client") as told:
        commands()(["squeue-of-nowhere"], "")
    assert told.value.is_for_good


def test_slurm_gets_nothing_of_the_daemons_environment_but_what_is_slurms(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROTA_DATABASE_PASSWORD", "secret")
    monkeypatch.setenv("SLURM_CONF", "/here/slurm.conf")
    found = does(program, "env")(["squeue"], "")
    assert "secret" not in found
    assert "SLURM_CONF=/here/slurm.conf" in found

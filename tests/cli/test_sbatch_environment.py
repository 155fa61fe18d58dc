"""What --export keeps of the environment, and what a shell script finds of Slurm's variables."""

from __future__ import annotations

import pwd
import shutil
import subprocess

import pytest

from rota.cli.scripts.environment import exported_file, job_environment, login_environment
from rota.cli.scripts.resources import Resources
from rota.cli.scripts.script import argv_of, script_of
from rota.cli.scripts.shell import first_line
from rota.errors import BadRequest

ROOT = pwd.getpwuid(0).pw_name
NOW = {"A": "outer", "PATH": "/opt/bin", "LANG": "C.UTF-8", "SLURM_JOB_ID": "7", "SBATCH_QOS": "x", "SLURM_CONF": "/c"}


@pytest.mark.parametrize("export", [None, "ALL"])
def test_all_is_kept_but_what_another_job_of_slurms_has_set(export: str | None) -> None:
    kept, is_login = job_environment(NOW, export, ROOT)
    assert kept == {"A": "outer", "PATH": "/opt/bin", "LANG": "C.UTF-8", "SLURM_CONF": "/c"}
    assert not is_login


def test_variables_beside_all_are_added_and_may_hold_commas_in_quotes() -> None:
    kept, is_login = job_environment(NOW, "ALL,A=inner,B='x,y',UNSET", ROOT)
    assert (kept["A"], kept["B"], kept["PATH"]) == ("inner", "x,y", "/opt/bin")
    assert "UNSET" not in kept
    assert not is_login


@pytest.mark.parametrize("export", ["NONE", "NIL"])
def test_none_begins_as_a_login_does(export: str) -> None:
    kept, is_login = job_environment(NOW, export, ROOT)
    assert is_login
    assert kept == login_environment(ROOT, NOW)
    assert "A" not in kept
    assert (kept["USER"], kept["HOME"]) == (ROOT, pwd.getpwnam(ROOT).pw_dir)


def test_named_variables_alone_come_on_top_of_a_login() -> None:
    kept, is_login = job_environment(NOW, "A,C=5", ROOT)
    assert is_login
    assert (kept["A"], kept["C"], kept["USER"]) == ("outer", "5", ROOT)
    assert kept["PATH"] != "/opt/bin"


def test_what_is_no_variable_is_refused() -> None:
    with pytest.raises(BadRequest, match="ALL,LR"):
        job_environment(NOW, "ALL,a b=1", ROOT)


def test_a_file_of_definitions_is_separated_by_null_characters() -> None:
    assert exported_file("A=1\0B=two words\n and lines\0junk\0") == {"A": "1", "B": "two words\n and lines"}


RESOURCES = Resources(gpus=4, nodes=1, tasks=4, cpus_per_task=2)
TURN = {"ROTA_JOB_ID": "12", "ROTA_JOB_NAME": "bert", "ROTA_ARRAY_JOB": "10", "ROTA_ARRAY_TASK": "3"}


def run(interpreter: str, text: str, environment: dict[str, str], array: tuple[int, ...] = ()) -> str:
    """What a script prints under Rota."""
    script = script_of("job.sh", f"#!{interpreter}\n{text}\n")
    argv = argv_of(script, ["one", "two words"], first_line(RESOURCES, "/home/a user's", array))
    done = subprocess.run(
        argv, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("interpreter", ["/bin/sh", "/bin/bash", "/bin/bash -eu", "/usr/bin/env bash"])
def test_a_shell_script_finds_slurms_variables_and_its_programs_do_not(interpreter: str) -> None:
    said = run(
        interpreter,
        'echo "$SLURM_JOB_ID $SLURM_JOB_NAME $SLURM_NTASKS $SLURM_CPUS_PER_TASK $SLURM_SUBMIT_DIR"\n'
        'echo "$0 $# $2"\nenv | grep SLURM || echo nothing',
        TURN,
    )
    assert said.splitlines() == ["12 bert 4 2 /home/a user's", "job.sh 2 two words", "nothing"]


def test_only_the_tasks_of_an_array_are_seen_by_programs() -> None:
    said = run("/bin/bash", "echo $SLURM_ARRAY_JOB_ID; env | grep SLURM | sort", TURN, (1, 3, 5))
    assert said.splitlines() == [
        "10", "SLURM_ARRAY_TASK_COUNT=3", "SLURM_ARRAY_TASK_ID=3", "SLURM_ARRAY_TASK_MAX=5", "SLURM_ARRAY_TASK_MIN=1",
        "SLURM_ARRAY_TASK_STEP=2",
    ]  # fmt: skip


def test_in_a_real_job_of_slurms_its_own_variables_stay() -> None:
    real = {"SLURM_JOB_ID": "4711", "SLURM_NTASKS": "8"}
    said = run("/bin/bash", 'echo "$SLURM_JOB_ID $SLURM_NTASKS"; env | grep SLURM | sort', {**TURN, **real})
    assert said.splitlines() == ["4711 8", "SLURM_JOB_ID=4711", "SLURM_NTASKS=8"]


def test_errors_still_name_the_scripts_own_lines() -> None:
    assert "line 3" in run("/bin/bash", "true\nno-such-command-here", TURN)


def test_a_login_shell_is_asked_for_once() -> None:
    script = script_of("job.sh", "#!/bin/bash -l\ntrue\n")
    assert argv_of(script, (), is_login=True).count("-l") == 1
    assert "-l" in argv_of(script_of("job.sh", "#!/bin/sh\ntrue\n"), (), is_login=True)


def test_a_python_script_runs_where_it_stands_or_from_its_text() -> None:
    python = shutil.which("python3")
    text = f"#!{python}\nimport sys; print(sys.argv[1:])\n"
    assert argv_of(script_of("/x/job.py", text), ["a"]) == [python, "/x/job.py", "a"]
    argv = argv_of(script_of("job.py", text, has_file=False), ["a"])
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == "['a']\n"
    with pytest.raises(BadRequest, match="only its text"):
        argv_of(script_of("job.pl", "#!/usr/bin/perl\n1;\n", has_file=False), ())

"""`rota sbatch`, typed as people type sbatch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.session import Rota
from tests.waiting import wait_until


def script(folder: Path, text: str, *lines: str, name: str = "train.sh") -> str:
    """A script with these #SBATCH lines; its path."""
    file = folder / name
    file.write_text("#!/bin/bash\n" + "".join(f"#SBATCH {line}\n" for line in lines) + text + "\n")
    return str(file)


def test_the_answer_is_sbatchs_and_the_output_lies_where_sbatch_puts_it(rota: Rota, tmp_path: Path) -> None:
    file = script(tmp_path, 'echo "$SLURM_JOB_ID $SLURM_JOB_NAME $2"', "-J bert --gres=gpu:1 --partition=gpu -t 10")
    said = rota.run("sbatch", file, "one", "two words", cwd=tmp_path)
    assert (said.code, said.out) == (0, "Submitted batch job 1\n")
    assert "sbatch: ignored --partition=gpu" in said.err
    shown = rota.wait_for(1, "finished")
    assert (shown["job"]["name"], shown["job"]["command"]) == ("bert", f"/bin/bash {file} one 'two words'")
    assert (tmp_path / "slurm-1.out").read_text() == "1 bert two words\n"
    assert rota("logs", "1") == "1 bert two words\n"


def test_an_array_is_known_to_its_tasks_as_in_slurm_and_can_be_followed(rota: Rota, tmp_path: Path) -> None:
    line = "python3 -c \"import os; print(os.environ['SLURM_ARRAY_TASK_ID'], os.getenv('SLURM_JOB_ID'))\"; echo %s"
    file = script(tmp_path, line % "$SLURM_ARRAY_JOB_ID $SLURM_ARRAY_TASK_MAX", "--array=2-6:2%1 -G1 -o %A-%a.txt")
    first = int(rota("sbatch", "--parsable", file, cwd=tmp_path))
    after = rota("sbatch", "--parsable", f"--dependency=afterok:{first}", "-G1", "--wrap", "true", cwd=tmp_path)
    rota.wait_for(int(after), "finished")
    texts = [(tmp_path / f"{first}-{task}.txt").read_text() for task in (2, 4, 6)]
    assert texts == [f"{task} None\n{first} 6\n" for task in (2, 4, 6)]
    followed = rota.job(int(after))["request"]["after"]
    assert [wanted["job"] for wanted in followed] == [first, first + 1, first + 2]


def test_wait_waits_and_gives_the_jobs_exit_code(rota: Rota, tmp_path: Path) -> None:
    said = rota.run("sbatch", "--wait", "--gpus=1", "--wrap", "exit 3", cwd=tmp_path)
    assert (said.code, said.out) == (3, "Submitted batch job 1\n")
    assert rota.run("sbatch", "-W", "-Q", "-G1", "--wrap", "true", cwd=tmp_path).code == 0


def test_a_script_may_come_from_standard_input(rota: Rota, tmp_path: Path) -> None:
    said = rota.run("sbatch", "-G1", "-o", "out.txt", cwd=tmp_path, input=b"#!/bin/sh\necho from $SLURM_JOB_NAME\n")
    assert said.out == "Submitted batch job 1\n"
    rota.wait_for(1, "finished")
    assert (tmp_path / "out.txt").read_text() == "from sbatch\n"


def test_the_environment_is_kept_as_export_says(rota: Rota, tmp_path: Path) -> None:
    words = ("sbatch", "-G1", "--parsable", "--wrap", "echo $A-$B-$HOME")
    rota(*words, "-o", "all", cwd=tmp_path, env={"A": "1", "B": "2"})
    rota(*words, "-o", "some", "--export=B,A=x", cwd=tmp_path, env={"A": "1", "B": "2"})
    rota(*words, "-o", "none", "--export=NONE", cwd=tmp_path, env={"A": "1", "B": "2"})
    rota(*words, "-o", "env", cwd=tmp_path, env={"SBATCH_EXPORT": "ALL,A=5", "B": "2"})
    for job in range(1, 5):
        rota.wait_for(job, "finished")
    home = os.path.expanduser("~")  # noqa: PTH111
    assert [(tmp_path / name).read_text().strip() for name in ("all", "some", "none", "env")] == [
        f"1-2-{os.environ['HOME']}", f"x-2-{home}", f"--{home}", f"5-2-{os.environ['HOME']}",
    ]  # fmt: skip


def test_typed_options_override_variables_and_these_the_scripts_lines(rota: Rota, tmp_path: Path) -> None:
    file = script(tmp_path, "true", "--time=10 --gpus=1 --job-name=line --mem=1G")
    env = {"SBATCH_TIMELIMIT": "20", "SBATCH_JOB_NAME": "variable"}
    said = rota.run("sbatch", "--json", "-J", "typed", file, cwd=tmp_path, env=env)
    shown = rota.job(said.json["job"])
    assert (shown["job"]["name"], shown["request"]["time_s"]) == ("typed", 1200.0)
    assert shown["request"]["memory_bytes"] == 2**30


def test_a_script_that_can_be_continued_needs_only_to_say_what_it_saves(rota: Rota, tmp_path: Path) -> None:
    text = "trap 'echo 1 > saved; exit 85' USR1\nwhile true; do sleep 0.05; done"
    file = script(tmp_path, text, "-G1 --signal=B:USR1@60 --requeue")
    said = rota.run("sbatch", file, cwd=tmp_path)
    assert "#ROTA --checkpoint PATH" in said.err
    assert rota("cancel", "1")
    said = rota.run("sbatch", "--checkpoint", "saved", file, cwd=tmp_path)
    assert "--checkpoint PATH" not in said.err
    assert rota.job(2)["request"]["checkpoint"] == str(tmp_path / "saved")
    rota.wait_for(2, "running")
    rota("give-back", "2")
    wait_until(lambda: rota.job(2)["job"]["turns"] >= 2, 20, what="it has its next turn")
    assert rota.job(2)["turns"][0]["outcome"] in ("saved", "again")


def test_holding_and_dry_runs(rota: Rota, tmp_path: Path) -> None:
    assert rota("sbatch", "--hold", "-G1", "--wrap", "true", cwd=tmp_path) == "Submitted batch job 1\n"
    assert rota.state_of(1) == "held"
    said = rota.run("sbatch", "--test-only", "-G1", "--wrap", "true", cwd=tmp_path)
    assert (said.code, said.out) == (0, "")
    assert "could be submitted" in said.err
    rota("release", "1")
    rota.wait_for(1, "finished")
    assert len(rota.jobs("--all")) == 1


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--nosuch", "x.sh"), "no option --nosuch"),
        (("--job-nam", "x", "nowhere.sh"), "Unable to open file nowhere.sh"),
        (("--dependency=singleton", "--wrap", "true"), "singleton"),
        (("--gres=gpu:h200:1", "--wrap", "true"), "no tier 'h200'"),
        (("--gpus=64", "--wrap", "true"), "No node has 64 GPUs"),
        (("-o", "nowhere/x", "--wrap", "true"), "mkdir -p"),
        (("--chdir=/nowhere", "--wrap", "true"), "mkdir -p"),
        (("--wrap", "true", "x.sh"), "--wrap makes the script"),
        (("x.sh", ":", "y.sh"), "several parts"),
        (("--dependency=afterok:99", "--wrap", "true"), "no job 99"),
        (("--checkpoint", "nowhere/x", "--wrap", "true"), "mkdir -p"),
        (("--retries", "many", "--wrap", "true"), "retries"),
    ],
)
def test_mistakes_exit_with_1_and_change_nothing(rota: Rota, tmp_path: Path, words: tuple[str, ...], hint: str) -> None:
    said = rota.run("sbatch", *words, cwd=tmp_path)
    assert (said.code, said.out) == (1, ""), said
    assert hint in said.err
    assert "Traceback" not in said.err
    assert rota.jobs("--all") == []


def test_a_mistake_with_json_is_an_object(rota: Rota, tmp_path: Path) -> None:
    said = rota.run("sbatch", "--json", "--gres=gpu:h200:1", "--wrap", "true", cwd=tmp_path)
    assert said.code == 1
    assert json.loads(said.out)["error"] == "bad_request"


def test_without_a_daemon_it_fails_as_sbatch_fails_without_its_controller(tmp_path: Path) -> None:
    said = Rota(tmp_path / "state").run("sbatch", "--wrap", "true", cwd=tmp_path)
    assert said.code == 1
    assert "rota up" in said.err


def test_help_is_also_what_h_and_usage_show(tmp_path: Path) -> None:
    for word in ("-h", "--help", "--usage"):
        done = subprocess.run(
            [sys.executable, "-m", "rota.cli.main", "sbatch", word], capture_output=True, text=True, check=True
        )
        assert "alias sbatch='rota sbatch'" in done.stdout

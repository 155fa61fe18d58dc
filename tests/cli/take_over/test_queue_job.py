"""One of Slurm's waiting jobs as a submit of Rota's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rota.cli.take_over.queue_job import Submit, submit_of
from rota.errors import BadRequest
from rota.slurm.queue import Queued
from tests.cli.names import FixedNames

TEXT = """\
#!/bin/bash
#SBATCH --array=1-9 --gres=gpu:a100:1 --time=5 --dependency=singleton
#ROTA --checkpoint run-*.pt
python train.py
"""
JOB = Queued(
    29, "root", "sweep", "PENDING", "Resources", cluster="lab", partition="gpu", account="vision", folder="/tmp",
    command="/hall/root/train.sh --lr 0.1", per_node="gres:gpu:h100:2", limit_s=86400.0, cpus=4,
    memory_per_node_bytes=2**32,
)  # fmt: skip


def submit(text: str = TEXT, names: FixedNames | None = None, is_saved: bool = False, **changes: object) -> Submit:
    job = replace(JOB, **changes)  # type: ignore[arg-type]  # names are checked at run time
    environment = {"A": "1", "PATH": "/usr/bin:/bin", "SLURM_JOB_ID": "7"}
    return submit_of(job, text, names or FixedNames(), environment, me="root", is_saved=is_saved)


def test_what_slurm_has_recorded_counts_more_than_the_scripts_lines() -> None:
    body = submit(is_saved=True).body
    assert (body["gpus"], body["tiers"], body["time_s"], body["name"]) == (2, ["h100"], 86400.0, "sweep")
    assert (body["cpus"], body["memory_bytes"], body["cwd"], body["project"]) == (4, 2**32, "/tmp", "vision")
    assert (body["after"], body["origin"], body["output"]) == ([], "Slurm job 29 of lab", "/tmp/slurm-%j.out")
    assert body["checkpoint"] == "/tmp/run-*.pt"
    assert body["argv"][-2:] == ["--lr", "0.1"]
    assert body["environment"]["A"] == "1"
    assert "SLURM_JOB_ID" not in body["environment"]


def test_the_rest_of_an_array_knows_the_whole_of_it() -> None:
    body = submit(tasks=(7, 8, 9), is_saved=True).body
    assert [task["SLURM_ARRAY_TASK_ID"] for task in body["tasks"]] == ["7", "8", "9"]
    assert (body["environment"]["SLURM_ARRAY_TASK_MIN"], body["environment"]["SLURM_ARRAY_TASK_COUNT"]) == ("1", "9")
    body = submit(tasks=(20, 21), is_saved=True).body  # --array was typed, not written
    assert body["environment"]["SLURM_ARRAY_TASK_COUNT"] == "2"


@pytest.mark.parametrize(
    ("output", "is_called"),
    [
        ("", "/tmp/slurm-%j.out"),
        ("/tmp/slurm-29.out", "/tmp/slurm-%j.out"),
        ("/tmp/slurm-29_4294967294.out", "/tmp/slurm-%j.out"),
        ("/tmp/run-%x.log", "/tmp/run-%x.log"),
    ],
)
def test_outputs_are_named_by_rotas_number_where_slurm_named_them_by_its_own(output: str, is_called: str) -> None:
    assert submit(output=output).body["output"] == is_called


def test_another_members_job_begins_as_a_login_does_and_is_theirs_whatever_its_script_says(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("KEY=1\0")
    text = TEXT.replace(
        "#ROTA", f"#SBATCH --export-file={secret} --uid=0 --export=ALL,B=2\n#ROTA --as root --since 2026-01-01"
    )
    body = submit(text, user="nobody").body
    assert body["member"] == "nobody"
    assert "waiting_since" not in body
    assert not body["environment"].keys() & {"A", "B", "KEY"}
    assert body["environment"]["USER"] == "nobody"
    assert "-l" in body["argv"]


def test_an_account_that_is_no_project_is_left_to_whoever_imports() -> None:
    assert "project" not in submit(names=FixedNames(known_projects=["nlp"])).body
    job, names = replace(JOB, account="unknown"), FixedNames(known_projects=["nlp"])
    assert submit_of(job, TEXT, names, {}, me="root", project="nlp").body["project"] == "nlp"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("#!/bin/sh\necho caf\ufffd\n", "UTF-8"),
        ("#!/usr/bin/perl\n1;\n", "only its text"),
        ("#!/bin/sh\n#ROTA --gpus many\n", "--gpus"),
        ("#!/bin/sh\n#SBATCH hetjob\n", "jobs of their own"),
    ],
)
def test_what_cannot_come_is_a_sentence(text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        submit(text)

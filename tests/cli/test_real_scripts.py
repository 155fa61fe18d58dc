"""Scripts such as they lie in the folders of people who use Slurm, read unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from rota.cli.scripts.meaning import Wanted
from rota.cli.scripts.options import read_options, remarks_on
from rota.cli.scripts.script import Script, read_script
from rota.slurm.sbatch_options import Given, Reader
from tests.cli.names import FixedNames

SCRIPTS = Path(__file__).with_name("scripts")
GIB = 2**30


def read(name: str, *typed: Given, names: FixedNames | None = None) -> tuple[Script, Wanted]:
    script = read_script(str(SCRIPTS / name))
    return script, read_options(script, typed, Reader(), names or FixedNames())


CASES = {
    "ddp.sbatch": (
        {
            "name": "llm-ddp", "project": "nlp", "tier": "h100", "gpus": 16, "cpus": 64, "mem": 500 * GIB,
            "time_s": 172800.0, "output": "logs/%x-%j.out", "notice_signal": "USR1",
        },
        [
            "--error=logs/%x-%j.err: what goes to stderr stands in the output, in its order",
            "--mail-type=END,FAIL: Rota sends no mail; rota show and rota logs -f tell how a job is",
            "--mail-user=kim@example.org: Rota sends no mail; rota show and rota logs -f tell how a job is",
            "--exclusive: GPUs are never shared between jobs; processors and memory are what is asked for",
            "--nodes=2: 16 GPUs in all, on one node when they fit there",
        ],
    ),
    "array.sbatch": (
        {
            "name": "sweep", "array": "0-9", "gpus": 1, "cpus": 4, "mem": 40 * GIB, "time_s": 28800.0,
            "output": "out/%A_%3a.log",
        },
        ["--array=0-9%3: every task has its turn as its share allows; the number after % is ignored"],
    ),
    "mpi.sbatch": (
        {"gpus": 16, "tier": "a100", "cpus": 16, "mem": 32 * GIB, "time_s": 5400.0, "after": ("7", "8", "any:9")},
        [
            "--ntasks-per-core=1: where processes run inside a node is left to the job",
            "--gpu-bind=closest: where processes run inside a node is left to the job",
            "--constraint=ib&a100: Rota chooses nodes by their GPUs; --tier says which will do",
        ],
    ),
    "conda.sbatch": (
        {"name": "my experiment", "gpus": 2, "tier": "a100"},
        [
            "--comment=for the paper: Rota keeps no comments; --job-name says what a job is",
            "--nodelist=node[01-03]: Rota chooses nodes by their GPUs; --tier says which will do",
            "--qos=high: turns follow from what everybody has received; there is no quality of service to ask for",
        ],
    ),
    "module.sbatch": (
        {"cpus": 8, "chdir": "/tmp", "gpus": 1, "checkpoint": "state/*.mat", "gpu_memory": 40 * GIB},
        [
            "--licenses=matlab: Rota does not count licenses; without one, let the script wait or fail",
            "--hint=nomultithread: where processes run inside a node is left to the job",
            "--reservation=class: reservations are for whole groups, in rota.toml",
            "--ROTA-is-no-option: sbatch's manual has no such option",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_script_asks_for_the_same_and_what_is_ignored_is_said(name: str) -> None:
    _, wanted = read(name)
    options, remarks = CASES[name]
    assert wanted.options == options
    assert wanted.remarks == remarks


def test_a_script_that_saves_when_told_to_is_advised_to_say_what_it_saves() -> None:
    script, wanted = read("ddp.sbatch")
    remarks = remarks_on(script, wanted, wanted.options, lambda command: True)
    assert any("#ROTA --checkpoint PATH" in remark for remark in remarks)
    said = remarks_on(script, wanted, {**wanted.options, "checkpoint": "a.pt"}, lambda command: True)
    assert not any("--checkpoint PATH" in remark for remark in said)


def test_commands_of_slurms_are_named_with_their_line_where_there_is_no_slurm() -> None:
    script, wanted = read("ddp.sbatch")
    remarks = remarks_on(script, wanted, wanted.options, lambda command: False)
    assert [remark for remark in remarks if "there is none here" in remark] == [
        "line 25 calls scontrol, and there is none here: the node's name is in $(uname -n)",
        "line 29 calls srun, and there is none here: without it a command runs once; for several processes: torchrun "
        "or mpirun",
    ]


def test_what_is_typed_overrides_the_scripts_lines() -> None:
    typed = [Given("gres", "gpu:h100:4"), Given("time", "10"), Given("job-name", "mine")]
    _, wanted = read("conda.sbatch", *typed)
    assert (wanted.options["gpus"], wanted.options["tier"]) == (4, "h100")
    assert (wanted.options["time_s"], wanted.options["name"]) == (600.0, "mine")


def test_processors_of_several_nodes_are_counted_on_each_only_where_the_gpus_need_several() -> None:
    _, wanted = read("ddp.sbatch", names=FixedNames(node_gpus=16))
    assert (wanted.options["cpus"], wanted.options["mem"]) == (128, 1000 * GIB)


def test_an_account_counts_where_it_is_a_project() -> None:
    _, wanted = read("ddp.sbatch", names=FixedNames(known_projects=["vision"]))
    assert "project" not in wanted.options
    assert any(remark.startswith("--account=nlp: Rota has no such project") for remark in wanted.remarks)
    _, wanted = read("ddp.sbatch", names=FixedNames(known_projects=["vision", "nlp"]))
    assert wanted.options["project"] == "nlp"


def test_following_an_array_means_all_its_tasks() -> None:
    _, wanted = read("mpi.sbatch", names=FixedNames(arrays={7: (7, 20, 21)}))
    assert wanted.options["after"] == ("7", "20", "21", "8", "any:9")

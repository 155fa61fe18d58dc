"""#ROTA and #SBATCH lines of scripts that members already have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.cli.scripts.lines import read_lines
from rota.cli.scripts.options import read_options
from rota.cli.scripts.script import script_of
from rota.errors import BadRequest
from rota.slurm.sbatch_options import Reader
from tests.cli.names import FixedNames


def options_of(*lines: str) -> dict[str, object]:
    """What a script with these lines asks for."""
    script = script_of("s.sh", "#!/bin/sh\n" + "".join(f"{line}\n" for line in lines))
    return read_options(script, (), Reader(), FixedNames()).options


def test_lines_count_up_to_the_first_command_and_a_hash_ends_them() -> None:
    assert options_of(
        "# a comment", "", "#SBATCH -J bert # not --gpus=3", "##SBATCH -n 9", " #SBATCH -n 9", "echo begins",
        "#SBATCH --gpus=9",
    ) == {"name": "bert"}  # fmt: skip


def test_no_space_is_needed_behind_the_mark_as_with_sbatch() -> None:
    assert options_of("#SBATCH--job-name=glued", "#SBATCH\t-G2", "#SBATCHED -G9") == {"name": "glued", "gpus": 2}


def test_rota_lines_override_sbatch_lines_and_take_every_option_of_rota_run() -> None:
    asked = options_of("#SBATCH --gpus=4 --time=10", "#ROTA --gpus 2 --checkpoint 'a b.pt' --tier h100,a100")
    assert asked == {"gpus": 2, "time_s": 600.0, "checkpoint": "a b.pt", "tier": "h100,a100"}


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("--gpus=4", {"gpus": 4}),
        ("-G h100:4", {"gpus": 4, "tier": "h100"}),
        ("--gres=gpu", {"gpus": 1}),
        ("--gres=gpu:a100", {"gpus": 1, "tier": "a100"}),
        ("--gres=gpu:a100:2,nvme:1", {"gpus": 2, "tier": "a100"}),
        ("--gres=gres:gpu:2", {"gpus": 2}),
        ("--gpus-per-node=2 -N 3", {"gpus": 6}),
        ("--gpus-per-task=h100:2 -n 3", {"gpus": 6, "tier": "h100", "cpus": 3}),
        ("--tres-per-task=cpu:4,gres/gpu:1 --ntasks=2", {"gpus": 2, "cpus": 8}),
        ("--ntasks-per-gpu=2 --gpus=4 --cpus-per-task=3", {"gpus": 4, "cpus": 24}),
        ("--cpus-per-gpu=8 --gpus=4", {"gpus": 4, "cpus": 32}),
        ("--mem-per-gpu=10G --gpus=4", {"gpus": 4, "mem": 40 * 2**30}),
        ("--mem=4096", {"mem": 4 * 2**30}),
        ("--mem=0", {}),
        ("--gpus=1 --gres=gpu:4", {"gpus": 4}),
        ("-t 90", {"time_s": 5400.0}),
        ("-t 30:00", {"time_s": 1800.0}),
        ("--time=8:00:00", {"time_s": 28800.0}),
        ("--time=1-12", {"time_s": 129600.0}),
        ("--time=UNLIMITED", {}),
        ("--time=0", {"time_s": None}),
        ("-Jname", {"name": "name"}),
        ("--signal=15@60", {"notice_signal": "TERM"}),
        ("--signal=R:SIGUSR2@60", {"notice_signal": "USR2"}),
        ("--depend=12", {"after": ("any:12",)}),
        ("-d afterok:12:13,afterany:14", {"after": ("12", "13", "any:14")}),
        ("-p h100,a100", {"tier": "h100,a100"}),
        ("--begin=now", {}),
        ("--hold", {"hold": True}),
        ("--input=/dev/null --no-requeue --verbose", {}),
    ],
)
def test_forms_that_sbatch_takes(line: str, options: dict[str, object]) -> None:
    assert options_of(f"#SBATCH {line}") == options


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("--gpus=many", "h100:2"),
        ("--gpus=h100:1,a100:1", "all of one"),
        ("-c 0", "at least 1"),
        ("-c=3", "at least 1"),  # sbatch takes no `=` behind a letter either
        ("--nodes=some", "2-4"),
        ("--time=tomorrow", "4:00:00"),
        ("--time=1:2:3:4", "4:00:00"),
        ("--mem=lots", "40G"),
        ("-J", "needs a value"),
        ('--job-name="open', "Close the quotes"),
        ("--job-name a word", "quotes"),
        ("--signal=SAVE@60", "USR1@120"),
        ("--begin=16:00", "--hold"),
        ("--begin=now+1hour", "--hold"),
        ("--dependency=singleton", "afterany:JOB"),
        ("--dependency=afternotok:3", "afterany"),
        ("--dependency=after:3+5", "afterok or afterany"),
        ("--dependency=afterok:3?afterok:4", "all jobs"),
        ("--dependency=afterok:x", "number"),
        ("--input=data.txt", "exec < data.txt"),
        ("--container=/images/a", "apptainer"),
        ("--bb=capacity=1TB", "Copy the data"),
        ("--gid=staff", "sg GROUP"),
        ("--wrap=hostname", "command line"),
        ("--ntasks-per=3", "--ntasks-per-node"),
        ("hetjob", "jobs of their own"),
        ("packjob", "jobs of their own"),
        ("--hold=1", "takes no value"),
    ],
)
def test_mistakes_and_what_cannot_be_ignored_name_the_line(line: str, why: str) -> None:
    with pytest.raises(BadRequest, match="Line 2") as refused:
        options_of(f"#SBATCH {line}")
    assert why in str(refused.value)


def test_lines_for_other_batch_systems_are_noticed() -> None:
    assert read_lines("#!/bin/sh\n#PBS -l nodes=1\n").foreign == "#PBS"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("echo hello\n", "interpreter"),
        ("#!/bin/sh\r\necho\r\n", "DOS line ends"),
        ("#!/bin/sh\n\0", "not a text file"),
        ("#!/bin/sh\n" + "x" * 200_000, "bytes"),
    ],
)
def test_what_is_no_script_is_refused_with_the_fix(text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        script_of("train.sh", text)


@given(st.text())
def test_no_script_whatever_breaks_the_reader(text: str) -> None:
    try:
        read_lines(text)
    except BadRequest as refused:
        assert str(refused).startswith("Line ")


@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30), max_size=4))
def test_no_sbatch_line_whatever_breaks_the_reader(lines: list[str]) -> None:
    try:
        options_of(*(f"#SBATCH {line}" for line in lines))
    except BadRequest as refused:
        assert str(refused).startswith("Line ")

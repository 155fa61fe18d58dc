"""#ROTA and #SBATCH lines of scripts that members already have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.cli.batch_lines import read_lines
from rota.errors import BadRequest

USUAL = """\
#!/bin/bash
# a comment
#SBATCH --job-name=bert
#SBATCH --gres=gpu:h100:2
#SBATCH -c 16 --mem=64G
#SBATCH -t 1-12:00:00
#SBATCH --array=1-4%2
#SBATCH -o logs/%A_%a.out
#SBATCH --signal=B:USR1@120
#SBATCH --account=vision
#SBATCH --dependency=afterok:12:13,afterany:14
#SBATCH --partition=gpu
#SBATCH --requeue

#ROTA --checkpoint runs/last.ckpt
echo begins
#SBATCH --gpus=9
"""


def test_a_usual_script_is_understood_and_what_is_ignored_is_said() -> None:
    script = read_lines(USUAL)
    assert script.options == {
        "name": "bert", "gpus": 2, "tier": "h100", "cpus": 16, "mem": 64 * 2**30, "time_s": 129600.0, "array": "1-4%2",
        "output": "logs/%j_%a.out", "notice_signal": "USR1", "project": "vision", "after": ("12", "13", "any:14"),
    }  # fmt: skip
    assert script.rota_words == ["--checkpoint", "runs/last.ckpt"]
    assert [remark.partition(":")[0] for remark in script.ignored] == ["--partition", "--requeue"]


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("--gpus=4", {"gpus": 4}),
        ("-G h100:4", {"gpus": 4, "tier": "h100"}),
        ("--gres=gpu", {"gpus": 1}),
        ("--gres=gpu:a100", {"gpus": 1, "tier": "a100"}),
        ("--gpus-per-node=2", {"gpus": 2}),
        ("-t 90", {"time_s": 5400.0}),
        ("-t 30:00", {"time_s": 1800.0}),
        ("--time=8:00:00", {"time_s": 28800.0}),
        ("-Jname", {"name": "name"}),
        ("--signal=15@60", {"notice_signal": "TERM"}),
    ],
)
def test_forms_that_sbatch_takes(line: str, options: dict[str, object]) -> None:
    assert read_lines(f"#!/bin/sh\n#SBATCH {line}\n").options == options


@pytest.mark.parametrize("line", ["--gpus=many", "-c 0", "--time=tomorrow", "--mem=lots", "-J", '--job-name="open'])
def test_mistakes_name_the_line(line: str) -> None:
    with pytest.raises(BadRequest, match="Line 2"):
        read_lines(f"#!/bin/sh\n#SBATCH {line}\n")


@given(st.text())
def test_no_script_whatever_breaks_the_reader(text: str) -> None:
    try:
        read_lines(text)
    except BadRequest as refused:
        assert str(refused).startswith("Line ")


@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30), max_size=4))
def test_no_sbatch_line_whatever_breaks_the_reader(lines: list[str]) -> None:
    try:
        read_lines("#!/bin/sh\n" + "".join(f"#SBATCH {line}\n" for line in lines))
    except BadRequest as refused:
        assert str(refused).startswith("Line ")

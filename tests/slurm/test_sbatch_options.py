"""sbatch's command line: in whatever order and form, the same is understood."""

from __future__ import annotations

import os
import re
import string
import subprocess

import pytest
from examples.slurm_cluster import Cluster
from hypothesis import given
from hypothesis import strategies as st

from rota.cli.scripts.left_out import IGNORED, REFUSED
from rota.cli.scripts.meaning import READERS
from rota.errors import BadRequest
from rota.slurm.sbatch_options import OPTIONS, Given, Option, Reader, Takes

#: Read by rota.cli.sbatch_resources.
COUNTED = {
    "nodes", "ntasks", "ntasks-per-node", "tasks-per-node", "ntasks-per-gpu", "cpus-per-task", "cpus-per-gpu",
    "mincpus", "gpus", "gpus-per-node", "gpus-per-socket", "gpus-per-task", "gres", "tres-per-task", "mem",
    "mem-per-cpu", "mem-per-gpu",
}  # fmt: skip
#: Ignored without a word: nobody would notice; and what `rota sbatch` itself acts on.
SILENT = {"no-requeue", "verbose", "ignore-pbs", "help", "usage", "version"}


def test_every_option_means_something_or_says_why_it_does_not() -> None:
    ways = [set(READERS), COUNTED, SILENT, set(IGNORED), set(REFUSED)]
    for option in OPTIONS:
        assert sum(option.name in way for way in ways) == 1, option.name
    assert set().union(*ways) == {option.name for option in OPTIONS}


words = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=8)
values = words.filter(lambda word: not word.startswith("-"))


def forms(option: Option, value: str) -> st.SearchStrategy[list[str]]:
    """Every way to write an option with this value."""
    short = option.name[:-1]
    is_clear = [one.name for one in OPTIONS if one.name.startswith(short)] == [option.name]
    long = st.sampled_from([f"--{option.name}", *([f"--{short}"] if is_clear and short else [])])
    if option.takes is Takes.NOTHING:
        return st.sampled_from([[f"--{option.name}"], *([[f"-{option.letter}"]] if option.letter else [])])
    with_sign = long.map(lambda name: [f"{name}={value}"])
    glued = st.just([f"-{option.letter}{value}"]) if option.letter else with_sign
    if option.takes is Takes.PERHAPS:
        return with_sign | glued
    apart = long.map(lambda name: [name, value])
    return with_sign | glued | apart | (st.just([f"-{option.letter}", value]) if option.letter else apart)


@st.composite
def command_lines(draw: st.DrawFn) -> tuple[list[list[str]], list[Given]]:
    """Options, each in one of its forms, and what they are."""
    chosen = draw(st.lists(st.sampled_from(OPTIONS), max_size=6, unique_by=lambda option: option.name))
    written, meant = [], []
    for option in chosen:
        value = "" if option.takes is Takes.NOTHING else draw(values)
        written.append(draw(forms(option, value)))
        meant.append(Given(option.name, value))
    return written, meant


@given(command_lines(), st.randoms(), st.lists(words, max_size=3))
def test_forms_and_order_make_no_difference_and_what_follows_the_script_is_its_own(
    line: tuple[list[list[str]], list[Given]], chance: object, args: list[str]
) -> None:
    written, meant = line
    order = list(range(len(written)))
    chance.shuffle(order)  # type: ignore[attr-defined]  # hypothesis calls it object
    flat = [word for place in order for word in written[place]]
    given, rest = Reader().command_line([*flat, "train.sh", *args])
    assert sorted(given, key=str) == sorted(meant, key=str)
    assert rest == ["train.sh", *args]


@given(st.lists(st.text(max_size=12), max_size=6))
def test_whatever_is_typed_is_read_or_refused_with_a_sentence(line: list[str]) -> None:
    try:
        Reader().command_line(line)
    except BadRequest as refused:
        assert "\n" not in str(refused) or any("\n" in word for word in line)


def test_flags_may_share_a_dash_and_the_last_may_have_a_value() -> None:
    assert Reader().command_line(["-HQn4", "s.sh"]) == (
        [Given("hold"), Given("quiet"), Given("ntasks", "4")],
        ["s.sh"],
    )


def test_two_dashes_end_the_options_and_one_is_no_option() -> None:
    assert Reader().command_line(["-n4", "--", "-odd-name"])[1] == ["-odd-name"]
    assert Reader().command_line(["-", "-n4"])[1] == ["-", "-n4"]


def test_a_mistyped_option_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(BadRequest, match="--job-name"):
        Reader().command_line(["--jobname=x"])


def test_variables_set_options_and_flags_are_set_by_being_there() -> None:
    given = Reader().environment({"SBATCH_TIMELIMIT": "10", "SBATCH_REQUEUE": "", "SBATCH_NOTHING": "1", "HOME": "/"})
    assert sorted(given, key=str) == [
        Given("requeue", "", "SBATCH_REQUEUE"), Given("time", "10", "SBATCH_TIMELIMIT"),
    ]  # fmt: skip


def test_the_real_sbatch_has_no_option_that_we_do_not_know(cluster: Cluster) -> None:
    """It names every option that begins with an abbreviation that may be several."""
    named: set[str] = set()
    for letter in string.ascii_lowercase:
        said = subprocess.run(
            ["sbatch", f"--{letter}"], capture_output=True, text=True, check=False, timeout=20,
            env={**os.environ, **cluster.environment},
        )  # fmt: skip
        named.update(re.findall(r"'--([a-z-]+)'", said.stderr.partition("possibilities:")[2]))
    assert len(named) > 90
    assert named <= {option.name for option in OPTIONS}

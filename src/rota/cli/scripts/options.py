"""What a script asks for in its lines, and what its member should know of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from rota.cli.run_options import OPTIONS
from rota.cli.scripts.meaning import Names, Wanted, meaning
from rota.cli.scripts.script import Script
from rota.errors import BadRequest
from rota.slurm.sbatch_options import Given, Reader

_TRAP = re.compile(r"^\s*trap\s.*\b(?:SIG)?(?:USR1|USR2|TERM)\b", re.MULTILINE)
_CALLED = re.compile(r"^(?:[^#\n]*[;&|(`]|)\s*(?:exec\s+|time\s+)?(srun|scontrol|sbcast)\s", re.MULTILINE)


def read_options(script: Script, typed: Sequence[Given], reader: Reader, names: Names) -> Wanted:
    """What the script's lines ask for, and `typed`, which overrides them. #ROTA lines override #SBATCH lines.

    Raises BadRequest, with the line.
    """
    given: list[Given] = []
    unknown: list[str] = []
    rota_words: list[str] = []
    for line in script.lines.options:
        if line.mark == "#ROTA":
            rota_words += line.words
            continue
        _refuse_parts_of_jobs(line.words, line.number)
        try:
            found, strange = reader.line(line.words, line.where)
        except BadRequest as wrong:
            raise BadRequest(f"Line {line.number}: {wrong}") from None
        given += found
        unknown += strange
    wanted = meaning([*given, *typed], names)
    wanted.remarks += [_unknown(name, reader) for name in unknown]
    weightier = meaning(typed, names).options if rota_words else {}
    own = {name: value for name, value in rota_options(rota_words).items() if name not in weightier}
    wanted.options.update(own)
    return wanted


def _refuse_parts_of_jobs(words: Sequence[str], number: int) -> None:
    if words and words[0] in ("hetjob", "packjob"):
        raise BadRequest(
            f"Line {number}: #SBATCH {words[0]}: a job of Rota's has GPUs of one kind, so it cannot consist of several "
            "parts. Submit the parts as jobs of their own, or one job with all the GPUs."
        )


def _unknown(name: str, reader: Reader) -> str:
    near = reader.near(name)
    return f"{name}: sbatch's manual has no such option{f'; did you mean --{near}' if near else ''}"


def rota_options(words: Sequence[str]) -> dict[str, Any]:
    """Options of `rota run`, through the very parser of its command line. Raises BadRequest."""

    @click.command("#ROTA", add_help_option=False)
    def lines(**_: Any) -> None: ...

    parser = lines
    for option in reversed(OPTIONS):
        parser = option(parser)
    try:
        context = parser.make_context("#ROTA", list(words))
    except click.UsageError as wrong:
        raise BadRequest(f"{wrong.format_message()} For the options: rota run --help") from None
    given = click.core.ParameterSource.COMMANDLINE
    return {name: value for name, value in context.params.items() if context.get_parameter_source(name) is given}


def default_options() -> dict[str, Any]:
    """What `rota run` takes where nothing is said."""

    @click.command("run", add_help_option=False)
    def none(**_: Any) -> None: ...

    parser = none
    for option in OPTIONS:
        parser = option(parser)
    return dict(parser.make_context("run", []).params)


def remarks_on(
    script: Script, wanted: Wanted, options: Mapping[str, Any], has_command: Callable[[str], object] = shutil.which
) -> list[str]:
    """What its member should know of a script that was written for Slurm."""
    said = [f"ignored {remark}" for remark in wanted.remarks]
    if script.lines.foreign:
        said.append(f"{script.lines.foreign} lines are for another batch system and are ignored")
    if "gpus" not in wanted.options and options.get("gpus", 1) == 1:
        said.append("it asks for no GPU and gets one: Rota shares GPUs only")
    if not options.get("checkpoint") and (wanted.hints_at_saving or _TRAP.search(script.text)):
        said.append(
            "it seems to save when it is told to. Say what it saves, and it can have many turns: --checkpoint PATH, "
            "or in the script: #ROTA --checkpoint PATH"
        )
    said += _missing(script, has_command)
    if not script.is_text:
        said.append(f"{script.name} is run where it stands; change it only when the job has ended")
    return said


def _missing(script: Script, has_command: Callable[[str], object]) -> list[str]:
    """Commands of Slurm's that the script calls, where there is no Slurm."""
    found = {called[1]: script.text.count("\n", 0, called.start(1)) + 1 for called in _CALLED.finditer(script.text)}
    instead = {
        "srun": "without it a command runs once; for several processes: torchrun or mpirun",
        "scontrol": "the node's name is in $(uname -n)",
        "sbcast": "cp does the same on one machine",
    }
    return [
        f"line {number} calls {command}, and there is none here: {instead[command]}"
        for command, number in found.items()
        if script.is_shell and not has_command(command)
    ]

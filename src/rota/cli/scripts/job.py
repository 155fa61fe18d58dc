"""A script as a job: its command line and its environment, with what a script for Slurm expects to find."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rota.cli.arrays import array_numbers
from rota.cli.scripts.environment import exported_file, job_environment
from rota.cli.scripts.meaning import Wanted
from rota.cli.scripts.script import Script, argv_of
from rota.cli.scripts.shell import TASK, array_environment, first_line
from rota.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be executed."""

    argv: list[str]
    environment: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)  #: more of those that `submit_body` knows


def prepared(
    script: Script,
    args: Sequence[str],
    wanted: Wanted,
    options: Mapping[str, Any],
    cwd: str,
    environment: Mapping[str, str],
    account: str,
    *,
    is_for_slurm: bool | None = None,
    whole_array: Sequence[int] = (),
) -> Prepared:
    """The job of a script. Raises BadRequest.

    `is_for_slurm`: None: it is when it has #SBATCH lines; one that is not is executed as it is. `whole_array`: the
    numbers of the array that these tasks are the rest of.
    """
    if not (script.is_for_slurm if is_for_slurm is None else is_for_slurm):
        return Prepared(argv_of(script, args), dict(environment))
    own, is_login = job_environment(environment, wanted.export, account)
    own.update(_from_file(wanted.export_file))
    array = list(whole_array) or (array_numbers(options["array"]) if options.get("array") else [])
    if array:
        own.update(array_environment(array))
    argv = argv_of(script, args, first_line(wanted.resources, cwd, array), is_login=is_login)
    return Prepared(argv, own, {"task_variables": (TASK,)} if array else {})


def _from_file(name: str | None) -> dict[str, str]:
    if name is None:
        return {}
    if name.isdigit():
        raise BadRequest(f"--export-file={name}: Rota reads a file, not a descriptor. Give its name.")
    try:
        return exported_file(Path(name).read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError) as failed:
        raise BadRequest(f"--export-file={name} cannot be read: {failed}") from None


def account_name() -> str:
    """Who types."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid{os.geteuid()}"

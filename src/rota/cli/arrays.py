"""Arrays and sweeps: one submit, many jobs.

A task is its extra environment: ROTA_ARRAY_TASK, and Slurm's name for it where a script was written for Slurm
(slurm_shell.py); ROTA_PARAM_<K> for each parameter. When the command names a parameter as {k}, the task brings its own
command line in ROTA_TASK_ARGV, a JSON list, which the daemon takes out again.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence

from rota.errors import BadRequest

MOST_TASKS = 10_000
_RANGE = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def array_numbers(text: str) -> list[int]:
    """The numbers of `1-10`, `1-10:2`, `1,3,5-7`; Slurm's `%4` (how many at once) is passed over.

    >>> array_numbers("1,3,5-9:2%2")
    [1, 3, 5, 7, 9]
    """
    numbers: list[int] = []
    for part in text.partition("%")[0].split(","):
        match = _RANGE.fullmatch(part.strip())
        if not match or len(part) > 40:
            raise BadRequest(f"{text!r} is not an array. Write it like 1-10, 1-10:2 or 1,3,5-7.")
        first, last, stride = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if last < first or not stride:
            raise BadRequest(f"{part.strip()!r} counts nothing. Write it like 1-10.")
        if (last - first) // stride >= MOST_TASKS:
            raise BadRequest(f"An array has at most {MOST_TASKS:,} tasks, and {text!r} has more.")
        numbers.extend(range(first, last + 1, stride))
    return list(dict.fromkeys(numbers))


def parameter(text: str) -> tuple[str, list[str]]:
    """Name and values of `k=v1,v2`.

    >>> parameter("lr=0.1,0.01")
    ('lr', ['0.1', '0.01'])
    """
    name, sign, values = text.partition("=")
    if not sign or not _NAME.fullmatch(name):
        raise BadRequest(f"{text!r} is not a parameter. Write it like --param lr=0.1,0.01")
    return name, values.split(",")


def tasks(
    array: str | None, params: Sequence[str], argv: Sequence[str], more_names: Sequence[str] = ()
) -> list[dict[str, str]]:
    """The extra environment of each task; empty for a single job. Raises BadRequest.

    `more_names`: variables beside ROTA_ARRAY_TASK that hold the task's number.
    """
    named = [parameter(text) for text in params]
    if array is None and not named:
        return []
    numbers = array_numbers(array) if array is not None else None
    combinations = list(itertools.product(*(values for _, values in named)))
    if len(combinations) * len(numbers or (0,)) > MOST_TASKS:
        raise BadRequest(f"That would be {len(combinations) * len(numbers or (0,)):,} jobs; at most {MOST_TASKS:,}.")
    made: list[dict[str, str]] = []
    for chosen in combinations:
        values = dict(zip((name for name, _ in named), chosen, strict=True))
        for number in numbers or [len(made) + 1]:
            made.append({**_task(number, values, argv), **dict.fromkeys(more_names, str(number))})
    return made


def _task(number: int, values: dict[str, str], argv: Sequence[str]) -> dict[str, str]:
    task = {"ROTA_ARRAY_TASK": str(number)}
    task.update({f"ROTA_PARAM_{name.upper()}": value for name, value in values.items()})
    own = [_filled(word, values) for word in argv]
    if own != list(argv):
        task["ROTA_TASK_ARGV"] = json.dumps(own)
    return task


def _filled(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace("{" + name + "}", value)
    return word

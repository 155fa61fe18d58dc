"""`#ROTA` and `#SBATCH` lines of a script, as options of `rota run`. Pure: text in, options and remarks out."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from rota.domain.durations import parse_slurm_duration_s
from rota.domain.sizes import parse_size_bytes
from rota.errors import BadRequest

Options = dict[str, Any]


@dataclass
class Script:
    """What a script's lines ask for."""

    rota_words: list[str] = field(default_factory=list)  #: of #ROTA lines, for the parser of `rota run`
    options: Options = field(default_factory=dict)  #: of #SBATCH lines, by the names of `rota run`
    ignored: list[str] = field(default_factory=list)  #: "--partition: ..." one remark each


def read_lines(text: str) -> Script:
    """The lines before the first command count, as with sbatch (sbatch manual page). Raises BadRequest."""
    script = Script()
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            break
        for mark, take in (("#ROTA", _take_rota), ("#SBATCH", _take_sbatch)):
            if line.startswith(mark) and line[len(mark) : len(mark) + 1].isspace():
                _take(take, line[len(mark) :], number, mark, script)
    return script


def _take(take: Callable[[list[str], Script], None], rest: str, number: int, mark: str, script: Script) -> None:
    try:
        words = shlex.split(rest, comments=True)
    except ValueError as wrong:
        raise BadRequest(f"Line {number}: {mark}{rest}: {wrong}. Close the quotes.") from None
    try:
        take(words, script)
    except BadRequest as wrong:
        raise BadRequest(f"Line {number}: {wrong}") from None


def _take_rota(words: list[str], script: Script) -> None:
    script.rota_words.extend(words)


# --- sbatch --------------------------------------------------------------------------------------

#: Short options of sbatch and their long names.
_SHORT = {
    "-J": "job-name", "-G": "gpus", "-N": "nodes", "-n": "ntasks", "-c": "cpus-per-task", "-t": "time", "-a": "array",
    "-o": "output", "-e": "error", "-A": "account", "-d": "dependency", "-D": "chdir", "-p": "partition",
}  # fmt: skip
_FLAGS = frozenset({"requeue", "no-requeue", "exclusive", "overcommit", "parsable", "wait", "test-only"})


def _take_sbatch(words: list[str], script: Script) -> None:
    rest = iter(words)
    for word in rest:
        name, value = _split(word, rest)
        reader = _READERS.get(name)
        if reader is None:
            script.ignored.append(f"--{name}: {_WHY_IGNORED.get(name, 'Rota has nothing like it')}")
        else:
            reader(value, script)


def _split(word: str, rest: Iterable[str]) -> tuple[str, str]:
    """Name and value of `--name=value`, `--name value`, `-n value` or `-nvalue`."""
    if word.startswith("--"):
        name, sign, value = word[2:].partition("=")
        if sign or name in _FLAGS:
            return name, value
        return name, _next(rest, word)
    short = word[:2]
    if short not in _SHORT:
        return word.lstrip("-"), ""
    return _SHORT[short], word[2:].removeprefix("=") or _next(rest, word)


def _next(rest: Iterable[str], word: str) -> str:
    value = next(iter(rest), None)
    if value is None:
        raise BadRequest(f"#SBATCH {word} needs a value.")
    return value


def _set(name: str) -> Callable[[str, Script], None]:
    def take(value: str, script: Script) -> None:
        script.options[name] = value

    return take


def _number(name: str, option: str) -> Callable[[str, Script], None]:
    def take(value: str, script: Script) -> None:
        script.options[name] = _count(value, option)

    return take


def _count(value: str, option: str) -> int:
    if not value.isdigit() or not 0 < int(value) <= 100_000:
        raise BadRequest(f"#SBATCH --{option}={value} is not a number of at least 1.")
    return int(value)


def _gpus(value: str, script: Script) -> None:
    """`2`, `h100:2`."""
    parts = value.split(":")
    script.options["gpus"] = _count(parts[-1], "gpus")
    if len(parts) > 1:
        script.options["tier"] = parts[0].lower()


def _gres(value: str, script: Script) -> None:
    for part in value.replace("gres/", "").split(","):
        kind, _, wanted = part.partition(":")
        if kind == "gpu":  # gpu, gpu:2, gpu:h100, gpu:h100:2
            is_counted = wanted.rpartition(":")[2].isdigit()
            _gpus(wanted if is_counted else f"{wanted}:1".removeprefix(":"), script)
        else:
            script.ignored.append(f"--gres={part}: Rota shares GPUs only")


def _nodes(value: str, script: Script) -> None:
    if value not in ("1", "1-1"):
        script.ignored.append(f"--nodes={value}: Rota keeps a job on one node when its GPUs fit there")


def _size(name: str) -> Callable[[str, Script], None]:
    def take(value: str, script: Script) -> None:
        script.options[name] = parse_size_bytes(value)

    return take


def _time(value: str, script: Script) -> None:
    script.options["time_s"] = parse_slurm_duration_s(value) or None


def _output(value: str, script: Script) -> None:
    """sbatch's %A is the array's number; ours is in %j."""
    script.options["output"] = value.replace("%A", "%j")


def _error(value: str, script: Script) -> None:
    script.ignored.append("--error: stderr goes where stdout goes")


def _signal(value: str, script: Script) -> None:
    """`[B:]USR1@120`: the signal counts; how long before the end is the grace."""
    name = value.rpartition(":")[2].partition("@")[0]
    names = {"1": "HUP", "2": "INT", "10": "USR1", "12": "USR2", "15": "TERM"}
    script.options["notice_signal"] = names.get(name, name)


def _requeue(value: str, script: Script) -> None:
    script.ignored.append("--requeue: Rota gives further turns to every job with --checkpoint")


def _dependency(value: str, script: Script) -> None:
    wanted = []
    for part in value.split(","):
        kind, _, jobs = part.partition(":")
        if kind not in ("afterok", "afterany") or not jobs:
            script.ignored.append(f"--dependency={part}: Rota knows afterok and afterany")
            continue
        prefix = "any:" if kind == "afterany" else ""
        wanted += [prefix + job.partition("+")[0] for job in jobs.split(":")]
    script.options["after"] = tuple(wanted)


_READERS: dict[str, Callable[[str, Script], None]] = {
    "job-name": _set("name"),
    "account": _set("project"),
    "array": _set("array"),
    "chdir": _set("chdir"),
    "gres": _gres,
    "gpus": _gpus,
    "gpus-per-node": _gpus,
    "gpus-per-task": _gpus,
    "nodes": _nodes,
    "cpus-per-task": _number("cpus", "cpus-per-task"),
    "mem": _size("mem"),
    "time": _time,
    "output": _output,
    "error": _error,
    "signal": _signal,
    "requeue": _requeue,
    "dependency": _dependency,
}
_WHY_IGNORED = {
    "partition": "Rota has one waiting list; say which GPUs will do with --tier",
    "ntasks": "a job starts its own processes, for example with torchrun",
    "ntasks-per-node": "a job starts its own processes, for example with torchrun",
    "mem-per-gpu": "say the whole job's memory with --mem",
    "mem-per-cpu": "say the whole job's memory with --mem",
    "mail-type": "messages are not there yet",
    "mail-user": "messages are not there yet",
    "qos": "the policy decides by what everybody has received",
    "exclusive": "GPUs are never shared between jobs",
    "no-requeue": "without --checkpoint a job has one turn anyway",
}

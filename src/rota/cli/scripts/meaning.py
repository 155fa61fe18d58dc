"""What each option of sbatch means to Rota: an option of `rota run`, a remark, or a refusal where to leave it out would
change what comes of the job."""

from __future__ import annotations

import math
import re
import signal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rota.cli.scripts.left_out import IGNORED, REFUSED
from rota.cli.scripts.resources import Resources, at_line, resources_of
from rota.domain.durations import parse_slurm_duration_s
from rota.errors import BadRequest
from rota.slurm.sbatch_options import Given


class Names(Protocol):
    """What the daemon knows by name."""

    def tiers(self) -> Sequence[str]: ...

    def largest_node(self) -> int:
        """GPUs of the node that has most."""
        ...

    def projects(self) -> Sequence[str]:
        """Empty: jobs may name any."""
        ...

    def tasks_of(self, job: int, task: str) -> Sequence[int]:
        """The jobs of the array that this one began, or of one task of it; the job itself, if it is no array."""
        ...


@dataclass(slots=True)
class Wanted:
    """What sbatch's options ask for, in Rota's words."""

    options: dict[str, Any] = field(default_factory=dict)  #: by the names of `rota run`
    remarks: list[str] = field(default_factory=list)  #: one for each option that is left out: what and why
    resources: Resources = field(default_factory=Resources)
    wrap: str | None = None
    export: str | None = None
    export_file: str | None = None
    is_dry_run: bool = False
    is_parsable: bool = False
    is_quiet: bool = False
    waits: bool = False
    hints_at_saving: bool = False  #: it was written to be stopped and continued

    def remark(self, given: Given, why: str) -> None:
        self.remarks.append(f"--{given.name}{f'={given.value}' if given.value else ''}: {why}")


def meaning(given: Iterable[Given], names: Names) -> Wanted:
    """Options in the order of their weight, the weightiest last. Raises BadRequest, with where it stands."""
    latest: dict[str, Given] = {}
    for one in given:
        latest.pop(one.name, None)
        latest[one.name] = one
    wanted = Wanted(resources=resources_of(latest))
    for one in latest.values():
        if one.name in REFUSED:
            raise at_line(one, f"--{one.name}: {REFUSED[one.name]}")
        if one.name in IGNORED:
            wanted.remark(one, IGNORED[one.name])
        elif one.name in READERS:
            READERS[one.name](one, wanted, names)
    _take_resources(wanted, names)
    return wanted


def _take_resources(wanted: Wanted, names: Names) -> None:
    asked = wanted.resources
    wanted.remarks += asked.remarks
    if asked.gpus:
        wanted.options["gpus"] = asked.gpus
    if asked.kind:
        wanted.options["tier"] = tier_of(asked.kind, names.tiers())
    # Rota counts processors and memory on each of a job's nodes, and has it on one when its GPUs fit there.
    nodes = asked.nodes if asked.nodes > 1 and asked.gpus > names.largest_node() else 1
    for name, value in (("cpus", asked.cpus), ("mem", asked.memory_bytes)):
        if value:
            wanted.options[name] = math.ceil(value / nodes)


def tier_of(kind: str, tiers: Sequence[str]) -> str:
    """The tier behind a GRES type: its name, or one that stands in it; else the type, which the daemon then refuses.

    >>> tier_of("nvidia_a100-sxm4-80gb", ["h100", "a100"]), tier_of("v100", ["h100"])
    ('a100', 'v100')
    """
    parts = re.split(r"[^a-z0-9]+", kind.lower())
    return next((tier for tier in tiers if tier == kind.lower()), None) or next(
        (tier for tier in tiers if tier in parts), kind.lower()
    )


# --- options that mean something -----------------------------------------------------------------


def _set(name: str) -> Callable[[Given, Wanted, Names], None]:
    def take(given: Given, wanted: Wanted, names: Names) -> None:
        wanted.options[name] = given.value

    return take


def _account(given: Given, wanted: Wanted, names: Names) -> None:
    known = names.projects()
    if known and given.value not in known:
        wanted.remark(given, f"Rota has no such project; --project says which pays ({', '.join(known)})")
    else:
        wanted.options["project"] = given.value


def _places(given: Given, wanted: Wanted, names: Names) -> None:
    """Partitions, qualities of service and features count where they are the names of tiers."""
    words = [word for word in re.split(r"[,|&\[\]()*\s]+", given.value.lower()) if word]
    tiers = names.tiers()
    if words and all(word in tiers for word in words):
        wanted.options.setdefault("tier", ",".join(dict.fromkeys(words)))
    else:
        wanted.remark(given, _PLACES[given.name])


_PLACES = {
    "partition": "Rota has one waiting list; --tier says which GPUs will do",
    "qos": "turns follow from what everybody has received; there is no quality of service to ask for",
    "constraint": "Rota chooses nodes by their GPUs; --tier says which will do",
    "prefer": "Rota chooses nodes by their GPUs; --tier names the preferred ones first",
}


def _array(given: Given, wanted: Wanted, names: Names) -> None:
    numbers, sign, _ = given.value.partition("%")
    wanted.options["array"] = numbers
    if sign:
        wanted.remark(given, "every task has its turn as its share allows; the number after % is ignored")


def _time(given: Given, wanted: Wanted, names: Names) -> None:
    if given.value.upper() in ("UNLIMITED", "INFINITE"):
        return
    try:
        wanted.options["time_s"] = parse_slurm_duration_s(given.value) or None
    except BadRequest as wrong:
        raise at_line(given, str(wrong)) from None


def _begin(given: Given, wanted: Wanted, names: Names) -> None:
    if given.value.lower() not in ("now", "now+0", "today"):
        raise at_line(
            given,
            f"--begin={given.value}: Rota begins a job when its turn comes and keeps no hour before which it may not. "
            "Submit it then, or hold it with --hold and release it by hand.",
        )


def _input(given: Given, wanted: Wanted, names: Names) -> None:
    if given.value not in ("/dev/null", "none"):
        raise at_line(given, f"--input: a job has no input. Let the script read it: exec < {given.value}")


def _error(given: Given, wanted: Wanted, names: Names) -> None:
    if given.value != wanted.options.get("output"):
        wanted.remark(given, "what goes to stderr stands in the output, in its order")


def _open_mode(given: Given, wanted: Wanted, names: Names) -> None:
    if given.value != "append":
        wanted.remark(given, "a later turn appends to what an earlier one printed")


def _signal(given: Given, wanted: Wanted, names: Names) -> None:
    """`[B:]USR1@120`: it becomes the notice; how long before the end is the grace's business."""
    name = given.value.partition("@")[0].rpartition(":")[2].upper().removeprefix("SIG")
    if name.isascii() and name.isdigit():
        name = next((known.name for known in signal.Signals if known.value == int(name)), "").removeprefix("SIG")
    if not hasattr(signal, f"SIG{name}") or not name:
        raise at_line(given, f"--signal={given.value} names no signal. Write it like USR1@120, or B:USR1@120.")
    wanted.options["notice_signal"] = name
    wanted.hints_at_saving = True


def _requeue(given: Given, wanted: Wanted, names: Names) -> None:
    wanted.hints_at_saving = True


def _dependency(given: Given, wanted: Wanted, names: Names) -> None:
    if "?" in given.value:
        raise at_line(given, f"--dependency={given.value}: Rota waits for all jobs that one follows, not for any.")
    after: list[str] = []
    for part in given.value.split(",") if given.value else ():
        kind, sign, jobs = part.partition(":")
        if not sign:
            kind, jobs = ("afterany", part) if part[:1].isdigit() else (part, "")
        if kind not in ("afterok", "afterany", "aftercorr"):
            raise at_line(given, f"--dependency={part}: {_UNKNOWN_DEPENDENCIES.get(kind, _UNKNOWN_DEPENDENCIES[''])}")
        if kind == "aftercorr":
            wanted.remark(given, "a task follows all tasks of that array, not only the one of its number")
        prefix = "any:" if kind == "afterany" else ""
        for job in jobs.split(":"):
            after += [f"{prefix}{number}" for number in _followed(job, given, names)]
    wanted.options["after"] = tuple(after)


_UNKNOWN_DEPENDENCIES = {
    "singleton": "Rota runs jobs of one name side by side. Chain them: --dependency=afterany:JOB",
    "after": "Rota starts a job when others have ended, not when they begin. Use afterok or afterany.",
    "afternotok": "Rota cannot start a job because another one failed. Use afterany, and look in the script.",
    "afterburstbuffer": "Rota has no burst buffers. Use afterany.",
    "expand": "Rota does not let one job grow by another.",
    "": "Rota knows afterok and afterany. Write it like afterok:12, or afterany:12:13.",
}


def _followed(text: str, given: Given, names: Names) -> Sequence[int]:
    """`12`, `12_3`; all tasks of an array that is named by its first job."""
    job, _, task = text.partition("_")
    if not all(part.isascii() and part.isdigit() and len(part) < 16 for part in (job, task or "0")) or not int(job):
        raise at_line(given, f"--dependency={given.value}: {text!r} is not a job's number.")
    return names.tasks_of(int(job), task)


def _wrap(given: Given, wanted: Wanted, names: Names) -> None:
    if given.where:
        raise at_line(given, "--wrap belongs on the command line: a script has its commands already.")
    wanted.wrap = given.value


def _flag(attribute: str) -> Callable[[Given, Wanted, Names], None]:
    def take(given: Given, wanted: Wanted, names: Names) -> None:
        setattr(wanted, attribute, given.value or True)

    return take


def _hold(given: Given, wanted: Wanted, names: Names) -> None:
    wanted.options["hold"] = True


READERS: dict[str, Callable[[Given, Wanted, Names], None]] = {
    "job-name": _set("name"),
    "chdir": _set("chdir"),
    "output": _set("output"),
    "uid": _set("member"),
    "account": _account,
    "partition": _places,
    "qos": _places,
    "constraint": _places,
    "prefer": _places,
    "array": _array,
    "time": _time,
    "begin": _begin,
    "input": _input,
    "error": _error,
    "open-mode": _open_mode,
    "signal": _signal,
    "requeue": _requeue,
    "dependency": _dependency,
    "hold": _hold,
    "wrap": _wrap,
    "export": _flag("export"),
    "export-file": _flag("export_file"),
    "test-only": _flag("is_dry_run"),
    "parsable": _flag("is_parsable"),
    "quiet": _flag("is_quiet"),
    "wait": _flag("waits"),
}

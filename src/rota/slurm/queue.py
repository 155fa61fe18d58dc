"""Slurm's waiting jobs in full, from `squeue --json`: what is needed to take one over.

The form has changed with the data parsers (v0.0.38 of 22.05 to v0.0.43 of 25.05): states became lists, numbers became
{"set", "infinite", "number"}. Both are read, and a field that is missing has its default.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from rota.slurm.commands import SlurmUnavailable

#: squeue cuts the tasks of an array off at 64 characters unless it is told not to (squeue(1), SLURM_BITSTR_LEN).
ENVIRONMENT = {"SLURM_BITSTR_LEN": "0"}
WORDS = ("squeue", "--json")
Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Queued:
    """One job, or what is left of one array."""

    id: int  #: the array's own number for an array
    user: str
    name: str
    state: str  #: "PENDING", "RUNNING", ...
    reason: str = ""  #: why it is pending, such as "Resources"
    tasks: tuple[int, ...] = ()  #: of an array; () for a single job
    is_cut: bool = False  #: an array whose tasks cannot be read
    comment: str = ""
    cluster: str = ""
    partition: str = ""
    account: str = ""
    folder: str = ""
    command: str = ""  #: script and arguments, joined by spaces; "" for --wrap and standard input
    output: str = ""  #: "" for Slurm's default
    dependency: str = ""
    is_batch: bool = True  #: false for srun and salloc
    is_part: bool = False  #: of a heterogeneous job
    priority: int = 0
    submitted_at: float = 0.0
    eligible_at: float = 0.0  #: not before; 0: not known yet
    limit_s: float | None = None  #: None: none
    per_job: str = ""  #: GRES, such as "gres:gpu:h100:2"
    per_node: str = ""
    per_task: str = ""
    nodes: int = 1
    processes: int = 1  #: --ntasks
    cpus: int = 1  #: in all, at least
    memory_per_node_bytes: int = 0  #: 0: not asked
    memory_per_cpu_bytes: int = 0

    @property
    def is_pending(self) -> bool:
        return self.state == "PENDING"

    @property
    def is_held(self) -> bool:
        """By its member or an administrator."""
        return "Held" in self.reason or (self.priority == 0 and self.reason != "Dependency")


def parse_queue(text: str) -> list[Queued]:
    """Every job, the pending tasks of an array as one. Raises SlurmUnavailable for an answer that is none."""
    try:
        answer = json.loads(text)
    except ValueError:
        raise SlurmUnavailable(f"squeue --json answers something else than JSON: {text.strip()[:80]!r}") from None
    jobs = answer.get("jobs") if isinstance(answer, dict) else None
    if not isinstance(jobs, list):
        errors = answer.get("errors") if isinstance(answer, dict) else None
        raise SlurmUnavailable(f"squeue --json answers no jobs{f': {str(errors)[:200]}' if errors else '.'}")
    return _joined(_queued(job) for job in jobs if isinstance(job, dict))


def _joined(jobs: Iterable[Queued]) -> list[Queued]:
    """Tasks of one array that wait in the same way become one entry, at the place of the first."""
    found: dict[tuple[object, ...], Queued] = {}
    for job in jobs:
        key: tuple[object, ...] = (job.id, job.state, job.is_held, job.comment) if job.tasks else (job.id, len(found))
        known = found.get(key)
        tasks = tuple(sorted({*known.tasks, *job.tasks})) if known else job.tasks
        found[key] = replace(known or job, tasks=tasks)
    return list(found.values())


def _queued(job: Found) -> Queued:
    array = _whole(job.get("array_job_id"))
    task = _number(job.get("array_task_id"))
    written = str(job.get("array_task_string") or "")
    tasks = tasks_in(written) or ((int(task),) if array and task is not None else ())
    limit = _number(job.get("time_limit"))
    return Queued(
        id=array if array and tasks else _whole(job.get("job_id")),
        user=str(job.get("user_name") or ""),
        name=str(job.get("name") or ""),
        state=_state(job.get("job_state")),
        reason=str(job.get("state_reason") or ""),
        tasks=tasks,
        is_cut=bool(written) and not tasks,
        comment=_text(job.get("comment")),
        cluster=str(job.get("cluster") or ""),
        partition=str(job.get("partition") or ""),
        account=str(job.get("account") or ""),
        folder=str(job.get("current_working_directory") or ""),
        command=str(job.get("command") or ""),
        output=str(job.get("standard_output") or ""),
        dependency=str(job.get("dependency") or ""),
        is_batch=bool(job.get("batch_flag", True)),
        is_part=_whole(job.get("het_job_id")) > 0,
        priority=_whole(job.get("priority")),
        submitted_at=float(_whole(job.get("submit_time"))),
        eligible_at=float(_whole(job.get("eligible_time"))),
        limit_s=limit * 60 if limit else None,
        per_job=str(job.get("tres_per_job") or ""),
        per_node=str(job.get("tres_per_node") or ""),
        per_task=str(job.get("tres_per_task") or ""),
        nodes=max(_whole(job.get("node_count")), 1),
        processes=max(_whole(job.get("tasks")), 1),
        cpus=max(_whole(job.get("cpus")), 1),
        memory_per_node_bytes=_whole(job.get("memory_per_node")) << 20,
        memory_per_cpu_bytes=_whole(job.get("memory_per_cpu")) << 20,
    )


def tasks_in(text: str) -> tuple[int, ...]:
    """The numbers of `1-5%2`, `1,3,7-9:2`; none for what is cut off or no such list.

    >>> tasks_in("1,3,7-11:2%4"), tasks_in("1-5,...")
    ((1, 3, 7, 9, 11), ())
    """
    numbers: list[int] = []
    for part in text.partition("%")[0].split(",") if text else ():
        span, _, step = part.partition(":")
        first, sign, last = span.partition("-")
        words = (first, last if sign else first, step or "1")
        if not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words) or not int(words[2]):
            return ()
        numbers.extend(range(int(words[0]), int(words[1]) + 1, int(words[2])))
    return tuple(numbers)


def _state(value: object) -> str:
    states = [str(state) for state in value] if isinstance(value, list) else [str(value or "")]
    return "PENDING" if "PENDING" in states else next(iter(states), "")


def _text(value: object) -> str:
    """A comment: text, or in some versions an object with the user's and the administrator's."""
    if isinstance(value, dict):
        value = value.get("job") or ""
    return str(value or "")


def _number(value: object) -> float | None:
    """None for what is not set, or infinite."""
    if isinstance(value, dict):
        if value.get("infinite") or not value.get("set", True):
            return None
        value = value.get("number")
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return float(value)
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e15 else None


def _whole(value: object) -> int:
    return int(_number(value) or 0)

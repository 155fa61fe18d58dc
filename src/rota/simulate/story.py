"""A day's happenings as people read them."""

from __future__ import annotations

from collections.abc import Iterator

from rota.domain.counts import say_count
from rota.domain.gpus import Condition
from rota.simulate.day import (
    AddsProject,
    Changes,
    ClockJumps,
    Day,
    Expects,
    Fault,
    LosesTurn,
    Marks,
    Reserves,
    SetsQuantum,
    Strikes,
    Submits,
    What,
)
from rota.simulate.machine import Manner

_MANNERS = {
    Manner.SIGNAL: "saves on the notice",
    Manner.PERIODIC: "saves now and then, never heard of notices",
    Manner.DEAF: "saves only when it is done",
    Manner.AGAIN: "asks for another turn after each stretch",
    Manner.FRAGILE: "fails in its first turn",
}
_MARKED = {
    Condition.FAILED: "fails",
    Condition.DRAINED: "is drained",
    Condition.HEALTHY: "is put into service",
    Condition.TAKEN: "is taken by somebody outside the list",
}
_STRUCK = {
    Fault.CRASH: ("the daemon is killed", "step"),
    Fault.STORE: ("the store fails", "record"),
    Fault.ENGINE: ("the engine does not answer", "call"),
}


def story(day: Day) -> Iterator[str]:
    """A line for the laboratory, and one for each happening."""
    quantum = f"{day.quantum_s:g} s" if day.bounds is None else f"{day.bounds.least_s:g} to {day.bounds.most_s:g} s"
    nodes = []
    for node in day.fleet.nodes:
        gpus = [gpu for gpu in day.fleet.gpus if gpu.node == node.name]
        slices = sum(gpu.slice_of is not None for gpu in gpus)
        whole = len(gpus) - slices
        nodes.append(f"{node.name} with {say_count(whole, 'GPU')}{', one in 2 slices' if slices else ''}")
    yield f"The laboratory of seed {day.seed}: {'; '.join(nodes)}; quantum {quantum}."
    for number, happening in day.happenings.items():
        yield f"{number:>5}  at {happening.at:7.3f} s  {said(happening.what)}"


def said(what: What) -> str:
    """One happening in words."""
    match what:
        case Submits():
            return _submit(what)
        case Changes(verb, submit, task, tiers):
            of = f"task {task + 1} of the job" if task else "the job"
            to = f" to {','.join(tiers) or 'any tier'}" if verb == "move" else ""
            return f"somebody says {verb.value}{to} to {of} of {submit}"
        case Marks(gpu, condition):
            return f"GPU {gpu} {_MARKED[condition]}"
        case AddsProject(project):
            return f"project {project.name} is added, weight {project.weight:g}"
        case Reserves(one):
            of = f" of {' or '.join(one.tiers)}" if one.tiers else ""
            return (
                f"{one.gpus} GPUs{of} are reserved for {', '.join(one.members)}, {one.begins_at:g} to {one.ends_at:g} s"
            )
        case Expects(deadline):
            return f"project {deadline.project} has a deadline at {deadline.at:g} s, early by {deadline.early_s:g} s"
        case SetsQuantum(quantum_s):
            return f"the quantum is set to {quantum_s:g} s"
        case Strikes(fault, passes, times):
            struck, point = _STRUCK[fault]
            often = f", {times} times" if times > 1 else ""
            return f"{struck} at its {passes + 1}. {point} from here{often}"
        case LosesTurn(gpu):
            return f"the turn on {gpu} is lost with its keeper"
        case ClockJumps(by_s):
            return f"the clock is set {'forward' if by_s > 0 else 'back'} by {abs(by_s):g} s"


def _submit(what: Submits) -> str:
    request, script = what.request, what.script
    parts = [
        f"{what.member} submits {'a job' if what.tasks == 1 else f'an array of {what.tasks} jobs'} to {what.project}",
        f"{say_count(request.gpus, 'GPU')} of {' or '.join(request.tiers) or 'any tier'}",
        f"{script.target:g} s of work",
        _MANNERS[script.manner] if request.is_resumable else "no checkpoint",
    ]
    if request.is_resumable and script.manner is not Manner.DEAF:
        parts.append(f"every {script.saves_every_s:g} s")
    if request.time_s:
        parts.append(f"--time {request.time_s:g}s")
    if request.gpu_memory_bytes:
        parts.append(f"{request.gpu_memory_bytes >> 30} GiB on each")
    if request.cpus:
        parts.append(f"{request.cpus} CPUs")
    if script.tells:
        parts.append("tells its progress")
    if what.follows is not None:
        parts.append(f"after the job of {what.follows}")
    return ", ".join(parts)

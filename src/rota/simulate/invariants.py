"""What must hold of the books, the record and the machine, after every step and at the end (design.md: Turns).

What must hold of each record as it is written, and of each plan, is in witness.py and plans.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rota.daemon.books import Books
from rota.daemon.core import Core
from rota.domain.gpus import in_slices
from rota.domain.jobs import JobState
from rota.domain.turns import Turn, TurnState
from rota.simulate.broken import require
from rota.simulate.machine import ONE_TURN, Machine
from rota.store.contract import JobFilter, Store

AGREE = "a job runs exactly while it has a turn"
KNOWN = "nothing runs that the books do not know"
RECORDED = "the books show what is recorded and nothing else"
KEPT = "a job that was acknowledged is never lost"
ENDS = "every job ends when everything works"
DONE = "a finished job did all its work"
CLOCKS = "the record equals the keepers' clocks"


def check_step(core: Core, machine: Machine) -> None:
    """The books against themselves, the machine and the store."""
    _check_gpus(core)
    _check_jobs(core.books)
    for turn_id in machine.holders.values():
        require(turn_id in core.books.turns, KNOWN, f"{turn_id} runs")
    _check_record(core)


def _check_gpus(core: Core) -> None:
    """Whole GPUs and their slices count as one thing: a GPU that is in slices takes no turn as a whole."""
    wholes = in_slices(core.laboratory.fleet.gpus)
    promised: dict[str, str] = {}
    for turn in core.books.turns.values():
        for gpu in turn.gpus:
            require(gpu not in promised, ONE_TURN, f"{gpu} is promised to {promised.get(gpu)} and {turn.id}")
            require(gpu not in wholes, ONE_TURN, f"{gpu} is in slices and promised to {turn.id} as a whole")
            promised[gpu] = turn.id


def _check_jobs(books: Books) -> None:
    for turn in books.turns.values():
        require(turn.state is not TurnState.ENDED, AGREE, f"{turn.id} has ended but is still in the books")
        job = books.jobs.get(turn.job)
        require(job is not None and job.state is JobState.RUNNING, AGREE, f"{turn.id} of job {turn.job}: {job}")
    running = [job.id for job in books.jobs.values() if job.state is JobState.RUNNING]
    of_turns = [turn.job for turn in books.turns.values()]
    require(sorted(running) == sorted(of_turns), AGREE, f"jobs {running} run, and there are turns of {of_turns}")


def _check_record(core: Core) -> None:
    """What a crash right now would leave to the next daemon. Notes, such as when a save was seen, may be lost."""
    books, remembered = core.books, core.laboratory.store.remember()
    open_jobs = {job.id: (job.state, job.turns, job.after_turn) for job in remembered.jobs if not job.state.is_final}
    in_books = {job.id: (job.state, job.turns, job.after_turn) for job in books.jobs.values()}
    require(open_jobs == in_books, RECORDED, f"jobs {_difference(open_jobs, in_books)}")
    open_turns = {turn.id: (turn.state, turn.gpus) for turn in remembered.turns}
    turns = {turn.id: (turn.state, turn.gpus) for turn in books.turns.values()}
    require(open_turns == turns, RECORDED, f"turns {_difference(open_turns, turns)}")
    marks = {mark.gpu: mark.condition for mark in remembered.marks}
    require(marks == books.conditions(), RECORDED, "marks on GPUs differ")


def _difference(recorded: Mapping[Any, object], shown: Mapping[Any, object]) -> str:
    missing = dict(recorded.items() - shown.items())
    return f"recorded {missing}, shown {dict(shown.items() - recorded.items())}"


def check_kept(core: Core, acknowledged: set[int]) -> None:
    """Every acknowledged job is open or has ended. Those that have ended are taken out of the set."""
    gone = acknowledged - core.books.jobs.keys()
    if not gone:
        return
    found = core.laboratory.store.jobs(JobFilter(ids=tuple(sorted(gone)), limit=len(gone)))
    ended = {job.id for job in found if job.state.is_final}
    require(ended == gone, KEPT, f"jobs {sorted(gone - ended)} are neither open nor over")
    acknowledged -= ended


def check_end(store: Store, machine: Machine, acknowledged: set[int]) -> None:
    """Nothing acknowledged is lost, finished jobs did all their work, and the record equals the machine's clocks."""
    jobs = {job.id: job for job in store.jobs(JobFilter(limit=1_000_000))}
    require(acknowledged <= jobs.keys(), KEPT, f"jobs {sorted(acknowledged - jobs.keys())} are gone")
    for job in jobs.values():
        require(job.state.is_final, ENDS, f"job {job.id} is {job.state}")
        work = machine.works.get(job.id)
        if job.state is JobState.FINISHED:
            done, wanted = (work.saved, work.script.target) if work else (0.0, 1.0)
            require(abs(done - wanted) < 1e-6, DONE, f"job {job.id} did {done} of {wanted} s")
    turns = store.turns_of(tuple(jobs))
    recorded = {turn.id for turn in turns}
    require(machine.processes.keys() <= recorded, KNOWN, f"{machine.processes.keys() - recorded} ran unrecorded")
    for turn in turns:
        require(turn.state is TurnState.ENDED, ENDS, f"turn {turn.id} is {turn.state}")
        check_clock(turn, machine)


def check_clock(turn: Turn, machine: Machine) -> None:
    """What an ended turn is charged is what its keeper measured, whatever the wall clock did."""
    process = machine.processes.get(turn.id)
    clock_s = process.ended.clock_s if process and process.ended else 0.0
    said = f"turn {turn.id}: {turn.gpu_s} GPU-seconds recorded, {clock_s} s on {len(turn.gpus)} GPUs measured"
    require(abs(turn.gpu_s - clock_s * len(turn.gpus)) < 1e-6, CLOCKS, said)

"""What must hold after every step, and at the end of the day (design.md: Turns, The policy)."""

from __future__ import annotations

from rota.daemon.core import Core
from rota.domain.jobs import JobState
from rota.domain.turns import Outcome, TurnState
from rota.simulate.machine import Machine
from rota.store.contract import JobFilter, Store


def check_step(core: Core, machine: Machine) -> None:
    """No GPU is promised twice; jobs and turns agree; the machine runs nothing that the books do not know."""
    books = core.books
    promised: dict[str, str] = {}
    for turn in books.turns.values():
        assert turn.state is not TurnState.ENDED, f"{turn.id} has ended but is still in the books"
        for gpu in turn.gpus:
            assert gpu not in promised, f"{gpu} is promised to {promised[gpu]} and {turn.id}"
            promised[gpu] = turn.id
        job = books.jobs.get(turn.job)
        assert job is not None, f"turn {turn.id} belongs to no open job"
        assert job.state is JobState.RUNNING, f"turn {turn.id} runs for job {turn.job}, which is {job.state}"
    running = {job.id for job in books.jobs.values() if job.state is JobState.RUNNING}
    assert running == {turn.job for turn in books.turns.values()}, "a running job has no turn"
    for turn_id in machine.holders.values():
        assert turn_id in books.turns, f"{turn_id} runs on the machine and nobody knows"


def check_end(store: Store, machine: Machine, acknowledged: set[int]) -> None:
    """Nothing acknowledged is lost, finished jobs did all their work, and the record equals the machine's clocks."""
    jobs = {job.id: job for job in store.jobs(JobFilter(limit=1_000_000))}
    missing = acknowledged - jobs.keys()
    assert not missing, f"acknowledged jobs are gone: {missing}"
    for job in jobs.values():
        assert job.state.is_final, f"job {job.id} is {job.state}"
        script = machine.scripts.get(job.id)
        if job.state is JobState.FINISHED:
            assert script is not None, f"job {job.id} finished without a turn"
            assert abs(script.saved - script.target) < 1e-6, f"job {job.id} did {script.saved} of {script.target}"
    turns = store.turns_of(tuple(jobs))
    assert len({turn.id for turn in turns}) == len(turns), "a turn is recorded twice"
    assert {*machine.processes} <= {turn.id for turn in turns}, "the machine ran turns that are not recorded"
    for turn in turns:
        assert turn.state is TurnState.ENDED, f"turn {turn.id} is {turn.state}"
        process = machine.processes.get(turn.id)
        clock_s = process.ended.clock_s if process and process.ended else 0.0
        assert abs(turn.gpu_s - clock_s * len(turn.gpus)) < 1e-6, f"turn {turn.id}: {turn.gpu_s} GPU-seconds recorded"
        if turn.outcome is Outcome.SAVED:
            assert turn.lost_s == 0, f"turn {turn.id} was saved and yet lost {turn.lost_s} s"
    for job in jobs.values():
        attained = sum(turn.gpu_s for turn in turns if turn.job == job.id)
        assert abs(job.attained_gpu_s - attained) < 1e-6, f"job {job.id}: {job.attained_gpu_s} != {attained}"

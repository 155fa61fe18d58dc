"""Jobs that come from another waiting list: their place, their origin, and being held until they may run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rota.daemon.commands import Answer, Release, Submit, Task
from rota.domain.jobs import JobState
from rota.domain.members import Member
from rota.domain.reasons import Asked
from rota.errors import BadRequest, NotAllowed, NotNow
from rota.simulate.machine import Script
from tests.builders import a_launch, a_request
from tests.daemon.live import NOW, ROOT, Live, a_live

KIM = Member("kim", 1001)
DAY_S = 86400.0


def a_submit(member: str = "kim", by: Member = ROOT, tasks: int = 1, **changes: object) -> Submit:
    """A job that would run for ever."""
    launch = a_launch(*Script(1e9, saves_every_s=1e9).to_argv())
    made = tuple(Task("job", launch, "train.py", str(n) if tasks > 1 else "") for n in range(tasks))
    submit = Submit(by, member, "vision", a_request(), made)
    return replace(submit, **changes)  # type: ignore[arg-type]  # names are checked at run time


def first_after_the_present_one(live: Live) -> int:
    """The job that has the GPU next."""
    before = {turn.job for turn in live.core.books.turns.values()}
    for _ in range(400):
        live.run(1.0)
        if new := {turn.job for turn in live.core.books.turns.values()} - before:
            return new.pop()
    raise AssertionError("nobody had a turn")


@pytest.mark.parametrize("waited_s", [0.0, 30 * DAY_S])
def test_who_has_waited_on_another_list_is_before_those_who_came_to_rota_sooner(waited_s: float) -> None:
    live = a_live()
    live.submit(member="park")
    live.run(10.0)
    anna = live.submit(member="anna")
    live.run(10.0)
    zoe = live.ask(a_submit("zoe", waiting_since=live.at - waited_s)).jobs[0]
    assert first_after_the_present_one(live) == (zoe if waited_s else anna)


def test_what_is_told_and_recorded_says_since_when_and_from_where() -> None:
    live = a_live()
    answer = live.ask(a_submit(waiting_since=NOW - DAY_S, origin="Slurm job 29 of lab", is_held=True))
    assert "It counts as waiting since 1970-01-11 13:46 UTC." in answer.message
    job = live.core.books.jobs[answer.jobs[0]]
    assert (job.state, job.waiting_since, job.origin) == (JobState.HELD, NOW - DAY_S, "Slurm job 29 of lab")
    (step,) = live.laboratory.store.transitions_of(job.id)
    assert step.reason == Asked(
        "root", "submit, held, taken over from Slurm job 29 of lab, waiting since 1970-01-11 13:46 UTC"
    )


@pytest.mark.parametrize(
    ("waiting_since", "why"), [(NOW + 1, "in the future"), (NOW - 6 * 366 * DAY_S, "more than five years ago")]
)
def test_nobody_has_waited_since_the_future_or_for_ever(waiting_since: float, why: str) -> None:
    live = a_live()
    with pytest.raises(BadRequest, match=why):
        live.ask(a_submit(waiting_since=waiting_since))
    assert live.core.books.jobs == {}


def test_only_an_administrator_gives_places() -> None:
    live = a_live()
    with pytest.raises(NotAllowed, match="Only an administrator"):
        live.ask(a_submit(by=KIM, waiting_since=NOW - DAY_S))
    held = live.ask(a_submit(by=KIM, is_held=True)).jobs[0]
    with pytest.raises(NotAllowed, match="Only an administrator"):
        live.ask(Release(KIM, held, NOW - DAY_S))
    assert live.core.books.jobs[held].state is JobState.HELD


def test_a_held_job_has_no_turn_until_it_is_released_and_keeps_the_place_that_it_is_given_then() -> None:
    live = a_live()
    job = live.ask(a_submit(is_held=True)).jobs[0]
    live.run(300.0)
    assert live.core.books.turns == {}
    live.ask(Release(ROOT, job, NOW - DAY_S))
    assert live.core.books.jobs[job].waiting_since == NOW - DAY_S
    live.run(1.0)
    assert [turn.job for turn in live.core.books.turns.values()] == [job]


def test_of_one_origin_there_is_one_open_submit() -> None:
    live = a_live()
    answer: Answer = live.ask(a_submit(origin="Slurm job 29 of lab", tasks=3))
    with pytest.raises(NotNow, match=f"job {answer.jobs[0]}"):
        live.ask(a_submit(origin="Slurm job 29 of lab"))
    assert len(live.core.books.jobs) == 3
    live.ask(a_submit("lee", origin="Slurm job 29 of lab"))  # kim's does not keep lee's away


def test_output_names_are_filled_in_for_each_task_and_tasks_know_their_array() -> None:
    live = a_live()
    tasks = tuple(
        replace(task, launch=replace(task.launch, output="/tmp/%A_%2a-%j-%x-%u")) for task in a_submit(tasks=2).tasks
    )
    first, second = live.ask(replace(a_submit(), tasks=tasks)).jobs
    launches = [live.laboratory.store.launch(job) for job in (first, second)]
    assert [launch.output for launch in launches] == [
        f"/tmp/{first}_00-{first}-job-kim", f"/tmp/{first}_01-{second}-job-kim",
    ]  # fmt: skip
    assert [launch.environment["ROTA_ARRAY_JOB"] for launch in launches] == [str(first)] * 2

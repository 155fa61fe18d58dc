"""Every store keeps the contract: what was recorded comes back, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rota.domain.forecasts import Promise
from rota.domain.gpus import Condition
from rota.domain.jobs import Dependency, Job, JobState, Launch, Transition
from rota.domain.members import Project, ProjectKind
from rota.domain.reasons import Asked
from rota.domain.turns import Turn, TurnState
from rota.errors import NoSuchThing
from rota.store.contract import Entries, GpuMark, JobFilter, Session, Store
from tests.builders import a_job, a_launch, a_promise, a_turn
from tests.store import strategies as some

ONE_STORE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ended(job: Job, at: float = 9.0) -> Job:
    return replace(job, state=JobState.FINISHED, ended_at=at)


@ONE_STORE
@given(job=some.jobs(st.integers(1, 2**31 - 1)), launch=some.launches, data=st.data())
def test_what_is_recorded_comes_back_equal(store: Store, job: Job, launch: Launch, data: st.DataObject) -> None:
    turns = data.draw(some.turns(job.id))
    store.record(Entries(jobs=(job,), launches=((job.id, launch),), turns=turns))
    assert store.jobs(JobFilter(ids=(job.id,))) == (job,)
    assert store.launch(job.id) == launch
    recorded = store.turns_of((job.id,))[: len(turns)]
    assert list(recorded) == turns


@ONE_STORE
@given(steps=st.lists(some.transitions, max_size=5))
def test_transitions_come_back_in_order(store: Store, steps: list[Transition]) -> None:
    before = len(store.transitions_of(1))
    store.record(Entries(transitions=steps))
    assert list(store.transitions_of(1))[before:] == steps


def test_transitions_of_a_job_are_its_own_and_its_turns(store: Store) -> None:
    steps = [Transition(subject, id, "", "x", 1.0, Asked("kim", "submit")) for subject, id in
             (("job", "1"), ("turn", "1.1"), ("job", "11"), ("turn", "11.1"), ("turn", "1.2"))]  # fmt: skip
    store.record(Entries(transitions=steps))
    assert [step.id for step in store.transitions_of(1)] == ["1", "1.1", "1.2"]


def test_a_new_value_replaces_the_old_one(store: Store) -> None:
    store.record(Entries(jobs=(a_job(1),), turns=(a_turn(1),)))
    store.record(Entries(jobs=(a_job(1, name="renamed"),), turns=(a_turn(1, gpu_s=5.0),)))
    assert store.jobs(JobFilter())[0].name == "renamed"
    assert [turn.gpu_s for turn in store.turns_of((1,))] == [5.0]


def test_a_daemon_that_comes_back_remembers_what_has_not_ended(store: Store) -> None:
    follower = a_job(3, after=(Dependency(1),))
    over = a_turn(2, state=TurnState.ENDED, ended_at=5.0)
    store.record(Entries(
        jobs=(ended(a_job(1)), ended(a_job(2)), follower, a_job(4)), turns=(over, a_turn(4)),
        marks=(GpuMark("g", Condition.DRAINED, 1.0, "root", "fan"),),
        projects=(Project("vision", ProjectKind.FUNDED, 2.0, ("kim",)),),
    ))  # fmt: skip
    remembered = store.remember()
    assert sorted(job.id for job in remembered.jobs) == [1, 3, 4]  # 1 because 3 follows it
    assert list(remembered.turns) == [a_turn(4)]
    assert list(remembered.marks) == [GpuMark("g", Condition.DRAINED, 1.0, "root", "fan")]
    assert list(remembered.projects) == [Project("vision", ProjectKind.FUNDED, 2.0, ("kim",))]
    assert remembered.last_job == 4


def test_a_healthy_mark_takes_the_mark_away(store: Store) -> None:
    store.record(Entries(marks=(GpuMark("g", Condition.FAILED, 1.0, "root"),)))
    store.record(Entries(marks=(GpuMark("g", Condition.HEALTHY, 2.0, "root"),)))
    assert list(store.remember().marks) == []


def test_numbers_are_never_given_twice_even_when_every_job_has_ended(store: Store) -> None:
    store.record(Entries(jobs=(ended(a_job(7)),)))
    assert store.remember().last_job == 7


def test_the_past_is_listed_newest_first_and_filtered(store: Store) -> None:
    store.record(Entries(jobs=tuple(ended(a_job(n, member="kim" if n % 2 else "lee")) for n in range(1, 8))))
    store.record(Entries(jobs=(a_job(8),)))
    assert [job.id for job in store.jobs(JobFilter(is_final=True, limit=3))] == [7, 6, 5]
    assert [job.id for job in store.jobs(JobFilter(member="lee"))] == [6, 4, 2]
    assert [job.id for job in store.jobs(JobFilter(is_final=False))] == [8]
    assert [job.id for job in store.jobs(JobFilter(ids=(2, 5, 99)))] == [5, 2]


def test_turns_since_a_moment_are_those_that_ran_then_or_later(store: Store) -> None:
    over = replace(a_turn(1), state=TurnState.ENDED, ended_at=10.0)
    late: Turn = replace(a_turn(1, 2), state=TurnState.ENDED, ended_at=30.0)
    store.record(Entries(jobs=(a_job(1),), turns=(over, late, a_turn(1, 3))))
    found = store.turns_since(20.0)
    assert {turn.id for turn, _, _ in found} == {"1.2", "1.3"}
    assert {(project, member) for _, project, member in found} == {("vision", "kim")}


@ONE_STORE
@given(promise=some.promises(7))
def test_a_promise_comes_back_equal_and_a_later_one_of_its_turn_replaces_it(store: Store, promise: Promise) -> None:
    store.record(Entries(promises=(promise,)))
    begun = replace(promise, began_at=5.0, tier="a100")
    store.record(Entries(promises=(begun,)))
    assert [one for one in store.promises_since(0.0, 9) if one.turn == promise.turn] == [begun]


def test_the_latest_promises_come_oldest_first(store: Store) -> None:
    store.record(Entries(promises=[a_promise(job, made_at=float(job)) for job in (5, 1, 4, 2, 3)]))
    assert [one.job for one in store.promises_since(2.0, 9)] == [2, 3, 4, 5]
    assert [one.job for one in store.promises_since(2.0, 2)] == [4, 5]
    assert list(store.promises_since(6.0, 9)) == []


def test_a_job_that_is_not_there_has_no_launch(store: Store) -> None:
    with pytest.raises(NoSuchThing):
        store.launch(5)


def test_sessions_end(store: Store) -> None:
    store.keep_session(Session("hash", "kim", 1001, expires_at=100.0))
    assert store.session("hash", 99.0) == Session("hash", "kim", 1001, 100.0)
    assert store.session("hash", 100.0) is None
    assert store.session("other", 1.0) is None


def test_a_session_that_is_kept_again_is_replaced(store: Store) -> None:
    store.keep_session(Session("hash", "kim", 1001, expires_at=100.0))
    store.keep_session(Session("hash", "lee", 1002, expires_at=200.0))
    assert store.session("hash", 150.0) == Session("hash", "lee", 1002, 200.0)


@pytest.mark.parametrize("number", [2**31, 2**53, 2**70])
def test_a_number_that_no_job_can_have_is_no_such_thing(store: Store, number: int) -> None:
    store.record(Entries(jobs=(a_job(1),), turns=(a_turn(1),)))
    with pytest.raises(NoSuchThing, match="rota list --all"):
        store.launch(number)
    assert [job.id for job in store.jobs(JobFilter(ids=(1, number)))] == [1]
    assert [turn.job for turn in store.turns_of((number, 1))] == [1]
    assert list(store.transitions_of(number)) == []


def test_more_jobs_than_one_query_takes_come_back_in_order(store: Store) -> None:
    numbers = tuple(range(1, 1201))
    store.record(Entries(jobs=tuple(a_job(n) for n in numbers), turns=tuple(a_turn(n) for n in numbers)))
    assert [job.id for job in store.jobs(JobFilter(ids=numbers, limit=1100))] == list(range(1200, 100, -1))
    assert [turn.job for turn in store.turns_of(numbers[::-1])] == list(numbers)


def test_jobs_with_one_environment_all_get_it_back(store: Store) -> None:
    launch = a_launch("true", environment={"PATH": "/bin" * 100})
    store.record(Entries(launches=tuple((n, launch) for n in range(1, 2001))))
    assert store.launch(1) == store.launch(2000) == launch

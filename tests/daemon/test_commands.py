"""What people ask of the daemon, and what they are told."""

from __future__ import annotations

import pytest

from rota.daemon.commands import AddProject, Answer, Cancel, Command, GiveBack, Hold, Mark, Move, Release, Submit, Task
from rota.daemon.core import Core
from rota.daemon.laboratory import Grace, Laboratory
from rota.domain.gpus import Condition
from rota.domain.jobs import Dependency, JobState
from rota.domain.members import Member, Project
from rota.errors import BadRequest, NoSuchThing, NotAllowed, NotNow, RotaError, StoreUnavailable
from rota.policy.values import Rules
from rota.simulate.clock import VirtualClock
from rota.simulate.engine import SimulatedEngine
from rota.simulate.machine import Machine, Script
from rota.store.contract import Entries
from rota.store.memory import MemoryStore
from tests.builders import a_fleet, a_launch, a_request

KIM, LEE, ROOT = Member("kim", 1001), Member("lee", 1002), Member("root", 0, is_admin=True)
NOW = 1000.0


def a_core(gpus: int = 1) -> Core:
    laboratory = Laboratory(a_fleet(lab=("h100", gpus)), MemoryStore(), Rules(quantum_s=10.0), Grace())
    return Core(laboratory, SimulatedEngine(Machine(VirtualClock(wall_offset_s=NOW))))


def a_submit(by: Member = KIM, project: str | None = "vision", count: int = 1, **request: object) -> Submit:
    launch = a_launch(*Script(30.0).to_argv())
    tasks = tuple(Task(f"job-{n}", launch, "count", str(n) if count > 1 else "") for n in range(count))
    return Submit(by, by.name, project, a_request(**request), tasks)


def ask(core: Core, command: Command) -> Answer:
    """The answer; raises the refusal."""
    (answer,) = core.hear([command], NOW)
    if isinstance(answer, RotaError):
        raise answer
    return answer


def test_jobs_are_numbered_from_1_and_an_array_gets_neighbours() -> None:
    core = a_core()
    assert ask(core, a_submit()).jobs == (1,)
    assert ask(core, a_submit(count=3)).jobs == (2, 3, 4)
    assert [core.books.jobs[n].array for n in (2, 3, 4)] == ["2_0", "2_1", "2_2"]


def test_a_job_without_checkpoint_is_told_its_one_turn() -> None:
    assert "One turn of at most 4h" in ask(a_core(), a_submit(checkpoint=None)).message[0]


def test_only_its_member_and_administrators_change_a_job() -> None:
    core = a_core()
    ask(core, a_submit())
    for command in (Cancel(LEE, 1), Hold(LEE, 1), Release(LEE, 1), GiveBack(LEE, 1), Move(LEE, 1, ("h100",))):
        with pytest.raises(NotAllowed, match="kim's"):
            ask(core, command)
    ask(core, Hold(ROOT, 1))
    assert core.books.jobs[1].state is JobState.HELD


def test_one_refused_command_does_not_spoil_the_others_of_its_batch() -> None:
    core = a_core()
    answers = core.hear([a_submit(), Cancel(KIM, 99), a_submit()], NOW)
    assert isinstance(answers[1], NoSuchThing)
    assert sorted(core.books.jobs) == [1, 2]


def test_when_the_record_cannot_be_written_everybody_is_told_and_nothing_has_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    core = a_core()

    def full(self: MemoryStore, entries: Entries) -> None:
        raise StoreUnavailable("The disk is full.")

    monkeypatch.setattr(MemoryStore, "record", full)
    answers = core.hear([a_submit(), a_submit()], NOW)
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert core.books.jobs == {}
    monkeypatch.undo()
    assert ask(core, a_submit()).jobs == (1,)


def test_held_jobs_stay_off_the_list_until_they_are_released() -> None:
    core = a_core()
    ask(core, a_submit())
    ask(core, Hold(KIM, 1))
    core.advance(NOW)
    assert core.books.turns == {}
    ask(core, Release(KIM, 1))
    core.advance(NOW)
    assert list(core.books.turns) == ["1.1"]


def test_a_job_that_cannot_be_resumed_cannot_be_held_or_given_back() -> None:
    core = a_core()
    ask(core, a_submit(checkpoint=None))
    core.advance(NOW)
    for command in (Hold(KIM, 1), GiveBack(KIM, 1)):
        with pytest.raises(NotNow, match="--checkpoint"):
            ask(core, command)


def test_cancel_is_final_and_a_second_one_is_no_error() -> None:
    core = a_core()
    ask(core, a_submit())
    core.advance(NOW)
    ask(core, Cancel(KIM, 1))
    assert "already" in ask(core, Cancel(KIM, 1)).message[0]
    with pytest.raises(NotNow):
        ask(core, Hold(KIM, 1))


def test_following_a_job_that_failed_is_refused_and_one_that_is_not_there_too() -> None:
    core = a_core()
    ask(core, a_submit())
    ask(core, Cancel(KIM, 1))
    with pytest.raises(BadRequest, match="--after any:1"):
        ask(core, a_submit(after=(Dependency(1),)))
    assert ask(core, a_submit(after=(Dependency(1, any_end=True),))).jobs == (2,)
    with pytest.raises(NoSuchThing, match="77"):
        ask(core, a_submit(after=(Dependency(77),)))


def test_projects_are_free_until_the_first_is_named_and_then_never_guessed() -> None:
    core = a_core()
    assert ask(core, a_submit(project=None)).jobs == (1,)
    assert core.books.jobs[1].project == "personal"
    ask(core, AddProject(ROOT, Project("vision")))
    ask(core, AddProject(ROOT, Project("secret", members=("lee",))))
    with pytest.raises(BadRequest, match="vision"):
        ask(core, a_submit(project="vison"))
    with pytest.raises(NotAllowed, match="secret"):
        ask(core, a_submit(project="secret"))
    ask(core, a_submit(project=None))
    assert core.books.jobs[2].project == "vision"
    with pytest.raises(BadRequest, match="Which project pays"):
        ask(core, a_submit(by=LEE, project=None))


def test_only_administrators_drain_gpus_and_add_projects() -> None:
    core = a_core()
    for command in (Mark(KIM, ("gpu-0",), Condition.DRAINED), AddProject(KIM, Project("mine"))):
        with pytest.raises(NotAllowed):
            ask(core, command)


def test_moving_to_a_tier_that_is_not_there_is_refused() -> None:
    core = a_core()
    ask(core, a_submit())
    with pytest.raises(BadRequest):
        ask(core, Move(KIM, 1, ("b300",)))


def test_submitting_for_somebody_else_is_for_administrators() -> None:
    submit = a_submit()
    with pytest.raises(NotAllowed):
        ask(a_core(), Submit(LEE, "kim", "vision", submit.request, submit.tasks))

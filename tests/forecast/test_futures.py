"""The policy run forward: what it says of jobs whose fate is plain, and of those whose fate is open."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from rota.domain.estimates import Estimate, Source
from rota.domain.forecasts import Range
from rota.domain.gpus import Condition
from rota.domain.jobs import AfterTurn, Job, JobState
from rota.domain.turns import Turn, TurnState
from rota.fleet.notation import parse_fleet
from rota.forecast.forecaster import Forecaster
from rota.forecast.future import Fate, Future, Start, Way
from rota.forecast.futures import Habits, forecast_from
from rota.policy.values import Rules, Snapshot
from tests.builders import a_fleet, a_job, a_turn

QUANTUM_S = 900.0
AT_ONCE = Habits(saves_in_s=0.0, resumes_in_s=0.0)


def a_snapshot(*jobs: Job, turns: tuple[Turn, ...] = (), at: float = 0.0, gpus: int = 1, **changes: object) -> Snapshot:
    fleet = a_fleet(lab=("h100", gpus))
    snapshot = Snapshot(
        at=at,
        nodes={node.name: node for node in fleet.nodes},
        gpus=fleet.gpus,
        conditions={},
        tiers=fleet.tiers,
        jobs=jobs,
        turns=turns,
        project_usage_gpu_s={job.project: 0.0 for job in jobs},
        member_usage_gpu_s={(job.project, job.member): 0.0 for job in jobs},
        rules=Rules(quantum_s=QUANTUM_S),
    )
    return replace(snapshot, **changes)  # type: ignore[arg-type]  # names checked at run time


def running(job: Job, *, gpu: int = 0, since: float = 0.0) -> tuple[Job, Turn]:
    turn = a_turn(job.id, gpus=(f"gpu-{gpu}",), granted_at=since, began_at=since, guaranteed_until=since + QUANTUM_S)
    return replace(job, state=JobState.RUNNING, turns=1), turn


def known(total_s: float) -> Estimate:
    return Estimate(total_s, Source.PROGRESS)


def forecast(snapshot: Snapshot, job: int, seed: int = 1) -> tuple[Range, Range]:
    """Begin and finish."""
    forecaster = Forecaster()
    found = forecast_from(snapshot, forecaster.lengths, forecaster.arrivals, seed=seed, futures=20, habits=AT_ONCE)[job]
    assert found.begin is not None
    assert found.finish is not None
    return found.begin, found.finish


def test_a_job_with_a_free_gpu_begins_now() -> None:
    begin, finish = forecast(a_snapshot(a_job(1), at=50.0, estimates={1: known(1000.0)}), 1)
    assert (begin.early, begin.likely, begin.late) == (50, 50, 50)
    assert finish.likely == pytest.approx(1050, rel=0.05)
    assert finish.early < finish.likely < finish.late


def test_a_job_behind_a_guaranteed_turn_begins_when_the_quantum_is_over() -> None:
    first, turn = running(a_job(1, member="ann"))
    snapshot = a_snapshot(first, a_job(2, member="bob"), turns=(turn,), at=100.0, estimates={1: known(1e6)})
    begin, _ = forecast(snapshot, 2)
    assert (begin.early, begin.likely, begin.late) == (QUANTUM_S, QUANTUM_S, QUANTUM_S)


def test_it_begins_sooner_if_the_turn_before_it_may_be_done_sooner() -> None:
    first, turn = running(a_job(1, member="ann"))
    snapshot = a_snapshot(first, a_job(2, member="bob"), turns=(turn,), at=100.0, estimates={1: known(500.0)})
    begin, _ = forecast(snapshot, 2)
    assert 400 < begin.early < begin.likely < begin.late < 700
    assert begin.likely == pytest.approx(500, rel=0.05)


def test_a_running_job_that_must_make_room_is_told_its_next_turn() -> None:
    first, turn = running(a_job(1, member="ann"))
    waits = a_job(2, member="bob")
    snapshot = a_snapshot(first, waits, turns=(turn,), at=100.0, estimates={1: known(1e5), 2: known(600.0)})
    begin, finish = forecast(snapshot, 1)
    assert begin.likely == pytest.approx(QUANTUM_S + 600, rel=0.1)
    assert finish.likely > 1e5


def test_a_running_job_that_nobody_waits_for_needs_no_other_turn() -> None:
    first, turn = running(a_job(1))
    snapshot = a_snapshot(first, turns=(turn,), at=100.0, estimates={1: known(5000.0)})
    found = Forecaster().forecast(snapshot, seed=1)[1]
    assert found.begin is None
    assert found.finish is not None
    assert found.finish.likely == pytest.approx(5000, rel=0.05)


def test_a_job_that_follows_another_begins_when_that_is_done() -> None:
    first, turn = running(a_job(1))
    follower = a_job(2)
    snapshot = a_snapshot(
        first, follower, turns=(turn,), gpus=4, at=100.0, estimates={1: known(5000.0)}, is_blocked_by={2: (1,)}
    )
    begin, _ = forecast(snapshot, 2)
    assert begin.likely == pytest.approx(5000, rel=0.05)


def test_a_follower_begins_no_sooner_however_seldom_the_policy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rota.forecast.future.LOOK_PART_A_JOB", 0.05)
    (first, turn), (other, another) = running(a_job(1), gpu=3), running(a_job(3), gpu=2)
    jobs, turns = (first, a_job(2), other), (turn, another)
    snapshot = a_snapshot(*jobs, turns=turns, gpus=4, at=100.0, is_blocked_by={2: (1,)})
    way = Way(lambda job: 0.0, 0.0, lambda job: Fate(5000.0 if job == 1 else 4990.0, reports=False))
    told = Future(Start(snapshot), way).run((1, 2), wants_finish=True)
    assert told.begins[2] >= told.finishes[1] == 5000.0


@pytest.mark.parametrize(("after_turn", "is_done"), [(AfterTurn.CANCEL, True), (AfterTurn.HOLD, False)])
def test_a_job_that_is_cancelled_or_held_does_not_come_back_before_others(after_turn: AfterTurn, is_done: bool) -> None:
    first, turn = running(a_job(1, member="ann", after_turn=after_turn), since=90.0)
    turn = replace(turn, state=TurnState.ENDING)
    jobs = (first, a_job(2, member="bob"), a_job(3, member="bob"))
    snapshot = a_snapshot(*jobs, turns=(turn,), at=100.0, estimates={job: known(2000.0) for job in (1, 2, 3)})
    found = Forecaster().forecast(snapshot, seed=1, futures=4)
    assert found[1].begin is None
    assert (found[1].finish is not None) == is_done
    assert found[3].finish is not None
    assert found[3].finish.late < 100.0 + 20.0 + 2 * 2000.0 * 1.3


def test_a_job_without_a_checkpoint_is_over_with_its_turn() -> None:
    first, turn = running(a_job(1, checkpoint=None))
    turn = replace(turn, limit_at=100.0, state=TurnState.ENDING)
    found = Forecaster().forecast(a_snapshot(first, turns=(turn,), at=100.0), seed=1, futures=4)[1]
    assert found.begin is None
    assert found.finish is not None
    assert found.finish.late < 100.0 + 60.0


@pytest.mark.parametrize(("gpus", "blocked"), [(2, {}), (1, {100: (7,)})])
def test_nothing_is_said_of_a_job_that_fits_nowhere_or_waits_for_one_that_is_held(
    gpus: int, blocked: dict[int, tuple[int, ...]]
) -> None:
    job = a_job(100, gpus=gpus)
    snapshot = a_snapshot(job, gpus=2, at=20_000.0, conditions={"gpu-0": Condition.FAILED}, is_blocked_by=blocked)
    busy = Forecaster()
    for number in range(20):
        busy.submitted(a_job(number + 1, submitted_at=1000.0 * number, time_s=60.0))
    for forecaster in (Forecaster(), busy):
        found = forecaster.forecast(snapshot, seed=1)[100]
        assert (found.begin, found.finish) == (None, None)


def test_a_slow_tier_takes_longer() -> None:
    fleet = parse_fleet("h100:1,t4:1")
    snapshot = a_snapshot(
        a_job(1, tiers=("t4",)), gpus=0, estimates={1: known(1000.0)}, nodes={n.name: n for n in fleet.nodes}
    )
    snapshot = replace(snapshot, tiers=fleet.tiers, rules=Rules(QUANTUM_S, speeds={"h100": 1.0, "t4": 0.1}))
    _, finish = forecast(replace(snapshot, gpus=fleet.gpus), 1)
    assert finish.likely == pytest.approx(10_000, rel=0.05)


def test_those_who_may_come_are_reckoned_with() -> None:
    first, turn = running(a_job(1000, member="ann"), since=10_000.0)
    mine = a_job(1001, member="bob", submitted_at=10_000.0, waiting_since=10_000.0)
    estimates = {1000: known(1e6), 1001: Estimate(800.0, Source.STATED)}
    snapshot = a_snapshot(first, mine, turns=(turn,), at=10_001.0, estimates=estimates)
    quiet, busy = Forecaster(), Forecaster()
    for number in range(200):
        busy.submitted(a_job(number + 1, member="bob", submitted_at=50.0 * number, time_s=60.0))
    calm, rush = (one.forecast(snapshot, seed=3, futures=24)[1001].finish for one in (quiet, busy))
    assert calm is not None
    assert rush is None or rush.likely > 1.5 * calm.likely - 0.5 * 10_001


def test_the_same_seed_and_past_give_the_same_forecasts_and_another_seed_others() -> None:
    first, turn = running(a_job(1, member="ann"))
    jobs = [a_job(number, member=f"m{number % 3}") for number in range(2, 30)]
    snapshot = a_snapshot(first, *jobs, turns=(turn,), at=100.0)
    forecaster: Forecaster = pickle.loads(pickle.dumps(Forecaster()))
    made = Forecaster().forecast(snapshot, seed=4)
    assert forecaster.forecast(snapshot, seed=4) == made
    assert forecaster.forecast(snapshot, seed=5) != made


def test_to_ask_about_one_job_gives_what_asking_about_all_gives() -> None:
    first, turn = running(a_job(1, member="ann"))
    jobs = [a_job(number, member=f"m{number % 3}") for number in range(2, 12)]
    snapshot = a_snapshot(first, *jobs, turns=(turn,), at=100.0)
    everybody = Forecaster().forecast(snapshot, seed=4, futures=8)
    alone = Forecaster().forecast(snapshot, seed=4, futures=8, only=(7,))
    assert alone == {7: everybody[7]}


def test_looking_less_often_at_what_is_far_ahead_hardly_changes_what_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, jobs = [], []
    for number in range(1, 9):
        job, turn = running(a_job(number, member=f"m{number % 4}"), gpu=number - 1)
        jobs.append(job)
        turns.append(turn)
    jobs += [a_job(number, member=f"m{number % 4}", gpus=1 + number % 3) for number in range(9, 69)]
    snapshot = a_snapshot(*jobs, turns=tuple(turns), gpus=8, at=100.0)
    roughly = Forecaster().forecast(snapshot, seed=2, futures=4)
    monkeypatch.setattr("rota.forecast.future.LOOK_PART_A_JOB", 0.0)
    monkeypatch.setattr("rota.forecast.future.MOST_LOOKS", 100_000)
    exactly = Forecaster().forecast(snapshot, seed=2, futures=4)
    off = [
        abs(rough.begin.likely - exact.begin.likely) / (exact.begin.likely - 100.0)
        for job in range(9, 69)
        if (rough := roughly[job]).begin is not None and (exact := exactly[job]).begin is not None
    ]
    assert len(off) > 50
    assert sorted(off)[len(off) // 2] < 0.1

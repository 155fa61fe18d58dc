"""The live daemon tells the policy everything that a replay tells it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import CapturingLogger

from rota.daemon import core as core_module
from rota.daemon.commands import GiveBack, Move
from rota.daemon.measured import Measured
from rota.domain.estimates import Estimate, Source
from rota.domain.jobs import JobState
from rota.domain.reservations import Reservation
from rota.domain.turns import Outcome, Turn, TurnState
from rota.forecast.forecaster import Forecaster
from rota.ledger.deadlines import Deadline
from rota.policy.quantum import DEFAULT_BOUNDS, LEAST_MEASURED_GPU_S, Bounds
from rota.policy.values import Rules, Snapshot
from rota.store.contract import Entries
from tests.builders import a_fleet, a_job, a_turn
from tests.daemon.live import NOW, ROOT, START_S, Live, a_live


def snapshot_of(live: Live) -> Snapshot:
    assert live.core.snapshot is not None
    return live.core.snapshot


# --- estimates -----------------------------------------------------------------------------------


def test_the_members_own_time_is_an_estimate_until_progress_is_told() -> None:
    live = a_live()
    job = live.submit(time_s=7200.0)
    live.run(61.0)
    assert snapshot_of(live).estimates[job] == Estimate(7200.0, Source.STATED)
    live.tell_progress(job, 100, 1000)
    live.run(10.0)
    estimate = snapshot_of(live).estimates[job]
    assert estimate.source is Source.PROGRESS
    assert estimate.total_s == pytest.approx(610.0, abs=2.0)
    live.run(500.0)  # time alone makes a job no longer
    assert snapshot_of(live).estimates[job] == estimate


def test_a_job_on_a_slow_tier_is_foreseen_to_end_there_when_its_own_pace_says() -> None:
    live = a_live(a_fleet(big=("h100", 1), small=("rtx3090", 1)))
    job = live.submit(tiers=("rtx3090",))
    live.run(100.0)
    live.tell_progress(job, 100, 1000)
    live.run(900.0)
    live.tell_progress(job, 1000, 2000)
    live.run(1.0)
    snapshot = snapshot_of(live)
    finish = Forecaster().forecast(snapshot, seed=1, futures=8)[job].finish
    assert finish is not None
    assert 800.0 < finish.likely - live.at < 1400.0
    left_s = snapshot.estimates[job].total_s - 1000.0  # on an h100
    assert left_s == pytest.approx(0.23 * 1000.0, rel=0.2)


def test_progress_that_is_taken_back_is_believed_no_more() -> None:
    live = a_live()
    job = live.submit(time_s=7200.0)
    live.run(61.0)
    live.tell_progress(job, 900, 1000)
    live.run(10.0)
    assert snapshot_of(live).estimates[job].source is Source.PROGRESS
    live.tell_progress(job, 0, 0)
    live.run(10.0)
    assert snapshot_of(live).estimates[job] == Estimate(7200.0, Source.STATED)
    assert live.core.books.jobs[job].progress is None


def test_an_estimate_from_progress_outlives_the_turn_and_the_daemon() -> None:
    live = a_live()
    job = live.submit()
    live.run(90.0)
    live.tell_progress(job, 100, 1000)
    live.submit(work_s=50.0, member="lee")
    live.run(30.0)
    assert live.core.books.turn_of(job) is None
    told = snapshot_of(live).estimates[job].total_s
    live.restart()
    live.run(0.0)
    again = snapshot_of(live).estimates[job]
    assert (again.source, again.total_s) == (Source.PROGRESS, pytest.approx(told, rel=0.2))


def test_three_finished_jobs_teach_the_daemon_also_those_on_the_list_and_after_a_restart() -> None:
    live = a_live()
    for _ in range(3):
        live.submit(work_s=300.0)
    job = live.submit(tiers=("h100",), command="python train.py --again")
    live.run(1500.0)
    for _ in range(2):
        estimate = snapshot_of(live).estimates[job]
        assert estimate.source is Source.LIKE_JOBS
        assert estimate.total_s == pytest.approx(300.0, rel=0.01)
        live.restart()
        live.run(0.0)


def test_a_job_that_tells_that_it_is_nearly_done_is_not_stopped_before() -> None:
    """Two jobs of one member on one GPU; by service alone the one that has had twice as much would have to make way."""

    def is_done_in_one_turn(tells: bool) -> bool:
        live = a_live()
        live.submit()
        nearly_done = live.submit(work_s=300.0)
        live.run(102.0 + 150.0)
        if tells:
            live.tell_progress(nearly_done, 50, 100)
        live.run(165.0)
        return nearly_done not in live.core.books.jobs

    assert is_done_in_one_turn(tells=True)
    assert not is_done_in_one_turn(tells=False)


def test_reports_every_second_do_not_cost_a_plan_each() -> None:
    live = a_live()
    job = live.submit()
    live.run(1.0)
    planned = []
    for step in range(50):
        live.tell_progress(job, step, 100)
        live.core.advance(live.at)
        planned.append(snapshot_of(live).at)
        live.clock.run_until(live.clock.now + 1.0)
    assert 5 <= len(set(planned)) <= 15
    live.submit(member="lee")  # news is never put off
    live.tell_progress(job, 60, 100)
    live.core.advance(live.at)
    assert snapshot_of(live).at == live.at


# --- what members have had -----------------------------------------------------------------------


def test_when_a_member_was_last_served_is_known_also_after_a_restart() -> None:
    live = a_live()
    live.submit(work_s=20.0)
    live.submit(work_s=20.0, member="lee")
    live.run(60.0)
    expected = {"kim": pytest.approx(NOW + 20.0 + START_S, abs=0.1), "lee": pytest.approx(NOW + 40.2, abs=0.1)}
    live.submit()
    live.run(1.0)
    assert snapshot_of(live).served_until == expected
    live.restart()
    live.run(0.0)
    assert snapshot_of(live).served_until == expected


def test_a_project_that_was_idle_comes_back_with_a_credit_and_no_more() -> None:
    live = a_live(rules=Rules(quantum_s=100.0, credit_s=50.0))
    live.submit()
    live.run(5000.0)
    live.submit(member="lee", project="speech")
    live.run(1.0)
    usage = snapshot_of(live).project_usage_gpu_s
    assert usage["vision"] - usage["speech"] == pytest.approx(50.0 / 2, abs=1.0)
    assert live.core.usage_by_project(live.at)["speech"] == pytest.approx(0.0, abs=1.0)


# --- the quantum ---------------------------------------------------------------------------------


def past_turns(hours: int, notice_s: float) -> list[Turn]:
    """Turns of an hour each, one after the other, every one saved for `notice_s` before its end."""
    return [
        a_turn(
            1, number, granted_at=3600.0 * number, began_at=3600.0 * number, state=TurnState.ENDED,
            ended_at=3600.0 * (number + 1), notice_at=3600.0 * (number + 1) - notice_s, outcome=Outcome.SAVED,
        )
        for number in range(1, hours + 1)
    ]  # fmt: skip


def test_dear_stops_make_the_quantum_longer_and_cheap_ones_shorter() -> None:
    at_first = DEFAULT_BOUNDS.first_s()
    dear, cheap = (Measured.from_history(DEFAULT_BOUNDS, ()) for _ in range(2))
    (change,) = dear.count(past_turns(40, notice_s=300.0))
    assert dear.pace.quantum_s == change.after_s > at_first == change.before_s
    assert change.cost_part > 0.02
    assert change.spent_gpu_s >= LEAST_MEASURED_GPU_S
    cheap.count(past_turns(40, notice_s=1.0))
    assert cheap.pace.quantum_s < at_first


def test_a_fixed_quantum_stays_whatever_is_measured() -> None:
    fixed = Measured.from_history(Bounds(600.0, 600.0), ())
    assert fixed.count(past_turns(200, notice_s=300.0)) == []
    assert fixed.pace.quantum_s == 600.0
    assert fixed.cost_part == pytest.approx((300 + 40) / 3600, rel=0.01)


def test_a_quantum_that_proves_too_dear_is_doubled_and_turns_are_guaranteed_the_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Eleven hours on four GPUs with five minutes of saving in each hour are on record; then the daemon comes up."""
    live = a_live(bounds=Bounds(1000.0, 10_000.0))
    past = [
        replace(turn, gpus=("a", "b", "c", "d"), granted_at=turn.granted_at + NOW - 13 * 3600.0,
                began_at=None, notice_at=None, ended_at=(turn.ended_at or 0.0) + NOW - 13 * 3600.0, lost_s=300.0)
        for turn in past_turns(11, notice_s=0.0)
    ]  # fmt: skip
    live.laboratory.store.record(Entries(jobs=[a_job(1, state=JobState.CANCELLED, ended_at=NOW)], turns=past))
    live.restart()
    at_first = live.core.rules.quantum_s
    assert at_first == 3000.0
    for member in ("kim", "lee"):
        live.submit(member=member)
    log = CapturingLogger()
    monkeypatch.setattr(core_module, "log", log)
    live.run(3 * 3600.0)
    assert live.core.rules.quantum_s == snapshot_of(live).rules.quantum_s == 6000.0
    (said,) = [call.kwargs for call in log.calls if call.args == ("quantum",)]
    assert (said["before_s"], said["after_s"]) == (3000.0, 6000.0)
    (turn,) = live.core.books.turns.values()
    assert turn.guaranteed_until - turn.granted_at == 6000.0


def test_a_restart_measures_the_same_from_the_record() -> None:
    live = a_live(bounds=Bounds(100.0, 1000.0))
    for member in ("kim", "lee", "park"):
        live.submit(member=member)
    live.run(20_000.0)
    before = live.core.measured
    assert before.pace.cost_gpu_s > 0
    live.restart()
    assert live.core.measured == before


# --- reservations and deadlines ------------------------------------------------------------------


def test_reserved_gpus_are_for_those_they_are_reserved_for() -> None:
    course = Reservation("course", 1, NOW + 1000.0, NOW + 2000.0, members=("lee",))
    live = a_live(reservations=(course,))
    kim = live.submit()
    live.run(1100.0)
    assert live.core.books.turn_of(kim) is None
    lee = live.submit(member="lee", project="vision")
    live.run(1.0)
    assert live.core.books.turn_of(lee) is not None
    live.run(1000.0)
    live.core.hear([], live.at)
    assert snapshot_of(live).reservations == ()


def test_a_deadline_lets_a_project_have_its_share_early_and_pay_it_back() -> None:
    """Two projects, two GPUs: half each; more for one before its deadline, as much less afterwards."""
    deadline = Deadline("vision", at=NOW + 12_000.0, early_s=6_000.0)
    live = a_live(
        a_fleet(lab=("h100", 2)), Rules(quantum_s=100.0, half_life_s=1e9, credit_s=200.0), deadlines=(deadline,)
    )
    for project, member in (("vision", "kim"), ("speech", "lee")):
        for _ in range(4):
            live.submit(member=member, project=project)

    def received(seconds: float) -> float:
        """The part of the GPU time that vision has in the next seconds."""
        before = live.core.usage_by_project(live.at).get("vision", 0.0)
        live.run(seconds)
        return (live.core.usage_by_project(live.at)["vision"] - before) / (2 * seconds)

    before, early, late, after = (received(6_000.0) for _ in range(4))
    assert before == pytest.approx(0.5, abs=0.02)
    assert early == pytest.approx(0.75, abs=0.02)  # ahead of the other by its half of the fleet for the time
    assert late == pytest.approx(0.25, abs=0.02)
    assert after == pytest.approx(0.5, abs=0.02)


# --- speeds --------------------------------------------------------------------------------------


def test_the_policy_is_given_the_speeds_of_the_table_and_those_that_are_stated() -> None:
    fleet = a_fleet(big=("h100", 1), small=("rtx3090", 1))
    live = a_live(fleet)
    live.run(0.0)
    assert snapshot_of(live).rules.speeds == {"h100": 1.0, "rtx3090": 0.23}
    live.laboratory.rules = Rules(quantum_s=100.0, speeds={"rtx3090": 0.5})
    live.core.weigh_anew(live.at)
    live.run(0.0)
    assert snapshot_of(live).rules.speeds == {"h100": 1.0, "rtx3090": 0.5}


def test_jobs_that_report_on_two_tiers_correct_the_table() -> None:
    live = a_live(a_fleet(big=("h100", 3), small=("rtx3090", 3)))
    jobs = [live.submit(tiers=("rtx3090",)) for _ in range(3)]
    steps = dict.fromkeys(jobs, 0)

    def work(pace: int) -> None:
        """Ninety seconds in which every job makes so many steps each ten."""
        for _ in range(9):
            live.run(10.0)
            for job in jobs:
                steps[job] += pace
                live.tell_progress(job, steps[job], 10**6)
        live.run(10.0)

    work(pace=50)
    for job in jobs:
        live.ask(Move(ROOT, job, ("h100",)))
        live.ask(GiveBack(ROOT, job))
    live.run(5.0)
    work(pace=100)
    for job in jobs:
        live.ask(GiveBack(ROOT, job))
    live.run(5.0)
    speed = live.core.compared.speeds["rtx3090"]
    assert (speed.origin, speed.jobs) == ("measured", 3)
    assert speed.speed == pytest.approx((0.23 * 0.5) ** 0.5, rel=0.05)
    assert snapshot_of(live).rules.speeds["rtx3090"] == speed.speed

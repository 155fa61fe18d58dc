"""Who gets what, and how soon."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest

from rota.domain.gpus import Condition
from rota.domain.jobs import JobState
from rota.domain.reasons import (
    AheadOfYou,
    Backfilled,
    Because,
    FollowsJobs,
    GangForms,
    GapTooShort,
    NodeIsFull,
    NothingFits,
    PlaceKept,
    SomebodyWaits,
    TimeIsOver,
    TooLongInOnePiece,
    YourTurn,
)
from rota.ledger.credit import Credits
from rota.policy.plan import plan
from rota.policy.values import Rules, Snapshot
from tests.builders import GIB, a_fleet, a_job, a_turn
from tests.policy.laboratory import SAVING_S, PolicyLaboratory

QUANTUM_S = 100.0


def a_laboratory(gpus: int = 1, **nodes: tuple[str, int]) -> PolicyLaboratory:
    return PolicyLaboratory(fleet=a_fleet(**(nodes or {"lab": ("h100", gpus)})))


def test_fifty_equal_jobs_on_four_gpus_all_get_their_first_turn_in_the_first_round() -> None:
    laboratory = a_laboratory(4)
    laboratory.submit(*(a_job(n, member=f"m{n % 7}") for n in range(1, 51)))
    rounds = math.ceil(50 / 4)
    laboratory.run((rounds + 1) * (QUANTUM_S + 2))
    assert len(laboratory.first_begin) == 50


def test_equal_jobs_of_unknown_length_never_differ_by_more_than_a_doubling_of_service() -> None:
    laboratory = a_laboratory(2)
    laboratory.submit(*(a_job(n) for n in range(1, 8)))
    laboratory.run(70 * QUANTUM_S)
    turns = Counter(job for _, job in laboratory.begins)
    assert max(turns.values()) <= 2 * min(turns.values())


def test_a_flood_of_jobs_does_not_delay_somebody_elses_first_turn_by_more_than_a_quantum() -> None:
    laboratory = a_laboratory(4)
    laboratory.submit(*(a_job(n, member="flood") for n in range(1, 1001)))
    laboratory.run(3 * QUANTUM_S + 10)
    laboratory.submit(a_job(2000, member="lee"))
    submitted_at = laboratory.at
    laboratory.run(submitted_at + 2 * QUANTUM_S)
    assert laboratory.first_begin[2000] - submitted_at <= QUANTUM_S + 2


def test_projects_receive_by_weight() -> None:
    laboratory = a_laboratory(4)
    laboratory.rules = replace(laboratory.rules, project_weights={"vision": 3.0, "speech": 1.0})
    for n in range(1, 41):
        laboratory.submit(a_job(n, project="vision" if n % 2 else "speech", member=f"m{n % 2}"))
    laboratory.run(100 * QUANTUM_S)
    received = laboratory.snapshot().project_usage_gpu_s
    assert 2.7 < received["vision"] / received["speech"] < 3.3


def test_a_gang_is_not_starved_by_a_stream_of_small_jobs() -> None:
    laboratory = a_laboratory(4)
    laboratory.submit(*(a_job(n, member=f"m{n}") for n in range(1, 13)))
    laboratory.run(10.0)
    laboratory.submit(a_job(100, gpus=4, member="gang"))
    laboratory.run(4 * QUANTUM_S)
    assert laboratory.first_begin[100] <= 3 * (QUANTUM_S + SAVING_S)


def test_a_gang_is_not_starved_by_its_own_members_running_job() -> None:
    """Its project has its share already, by a job that could as well wait."""
    laboratory = a_laboratory(big=("h100", 2), small=("rtx3090", 1))
    for n, (member, tiers) in enumerate((("kim", ("h100",)), ("lee", ("h100",)), ("choi", ("rtx3090",))), start=1):
        laboratory.submit(a_job(n, member=member, project=member, tiers=tiers))
    laboratory.run(5 * QUANTUM_S)
    laboratory.submit(a_job(9, gpus=2, member="kim", project="kim"))
    submitted_at = laboratory.at
    laboratory.run(60 * QUANTUM_S)
    assert laboratory.first_begin[9] - submitted_at <= 18 * QUANTUM_S


def test_an_overdue_gang_has_its_first_turn_although_its_member_has_had_more_than_others() -> None:
    """Its member's own running job is stopped until the others have caught up."""
    laboratory = a_laboratory(big=("h100", 2))
    laboratory.credits = Credits(laboratory.rules.half_life_s)
    laboratory.rules = replace(laboratory.rules, patience_s=10 * QUANTUM_S, credit_s=20 * QUANTUM_S)
    laboratory.submit(a_job(1, member="kim", project="kim"))
    laboratory.run(100 * QUANTUM_S)
    laboratory.submit(a_job(2, member="lee", project="lee"))
    laboratory.run(200 * QUANTUM_S)
    laboratory.submit(a_job(9, gpus=2, member="kim", project="kim"))
    submitted_at = laboratory.at
    laboratory.run(400 * QUANTUM_S)
    assert laboratory.first_begin[9] - submitted_at <= 35 * QUANTUM_S


def test_a_gang_over_two_nodes_is_not_starved_by_members_whose_jobs_fill_a_node() -> None:
    """There is always somebody with nothing running, its own member with a smaller job among them."""
    laboratory = a_laboratory(one=("h100", 2), two=("h100", 2), three=("h100", 2))
    laboratory.credits = Credits(laboratory.rules.half_life_s)
    laboratory.rules = replace(laboratory.rules, patience_s=10 * QUANTUM_S)
    laboratory.submit(*(a_job(n, gpus=2, member=f"m{n}", project=f"p{n % 3}") for n in range(1, 9)))
    laboratory.submit(*(a_job(20 + n, member="kim", project="p1") for n in range(3)))
    laboratory.submit(a_job(99, gpus=4, member="kim", project="p1"))
    laboratory.run(200 * QUANTUM_S)
    assert laboratory.first_begin.get(99, 1e9) <= 40 * QUANTUM_S


def test_a_project_of_many_members_has_no_more_than_its_share() -> None:
    """Each of them has nothing running now and then; that is no reason to stop who is entitled."""
    laboratory = a_laboratory(8)
    laboratory.rules = replace(laboratory.rules, project_weights={"large": 3.0, "many": 1.0})
    laboratory.submit(*(a_job(n, member="one", project="large") for n in range(1, 9)))
    laboratory.submit(*(a_job(n, member=f"m{n}", project="many") for n in range(11, 17)))
    laboratory.run(100 * QUANTUM_S)
    received = laboratory.snapshot().project_usage_gpu_s
    assert received["many"] / sum(received.values()) == pytest.approx(0.25, abs=0.02)


def test_a_flood_takes_nothing_from_the_share_of_another_project() -> None:
    laboratory = a_laboratory(4)
    laboratory.credits = Credits(laboratory.rules.half_life_s)
    laboratory.rules = replace(laboratory.rules, patience_s=10 * QUANTUM_S)
    laboratory.submit(*(a_job(n, member="kim", project="speech") for n in range(1, 9)))
    laboratory.submit(*(a_job(n, member="flood", project="vision") for n in range(11, 400)))
    laboratory.run(100 * QUANTUM_S)
    laboratory.credits = None
    received = laboratory.snapshot().project_usage_gpu_s
    assert received["speech"] / sum(received.values()) == pytest.approx(0.5, abs=0.02)


def test_what_a_project_is_owed_is_not_forgiven_while_it_waits() -> None:
    """A gang over both nodes puts its project far ahead; the other is served for as long as its weight says."""
    laboratory = a_laboratory(one=("h100", 8), two=("h100", 8))
    laboratory.credits = Credits(laboratory.rules.half_life_s)
    laboratory.rules = replace(laboratory.rules, project_weights={"small": 1.0, "large": 7.0}, credit_s=2 * QUANTUM_S)
    laboratory.submit(*(a_job(n, gpus=16, member="a", project="small") for n in (1, 2)))
    laboratory.submit(*(a_job(n, member="b", project="large") for n in range(11, 31)))
    laboratory.run(200 * QUANTUM_S)
    laboratory.credits = None
    received = laboratory.snapshot().project_usage_gpu_s
    assert received["large"] / sum(received.values()) > 0.8


def test_at_the_end_of_its_quantum_a_turn_goes_on_when_nobody_waits() -> None:
    laboratory = a_laboratory(1)
    laboratory.submit(a_job(1))
    laboratory.run(20 * QUANTUM_S)
    assert [job for _, job in laboratory.begins] == [1]


def test_a_notice_is_given_only_for_somebody_who_really_takes_the_gpus() -> None:
    """A job for another tier ends nobody's turn."""
    laboratory = a_laboratory(big=("h100", 1), small=("rtx3090", 1))
    laboratory.submit(a_job(1, tiers=("h100",)), a_job(2, tiers=("rtx3090",)), a_job(3, tiers=("rtx3090",)))
    laboratory.run(5 * QUANTUM_S)
    assert [job for _, job in laboratory.begins].count(1) == 1


def test_a_job_that_takes_any_leaves_the_short_tier_to_those_who_need_it() -> None:
    laboratory = a_laboratory(big=("h100", 1), small=("rtx3090", 1))
    laboratory.submit(a_job(1), a_job(2, tiers=("h100",), member="lee"))
    laboratory.step()
    tiers = {turn.job: turn.tier for turn in laboratory.turns.values()}
    assert tiers == {1: "rtx3090", 2: "h100"}


def test_a_job_takes_the_first_tier_of_its_list_that_is_free() -> None:
    laboratory = a_laboratory(big=("h100", 1), small=("rtx3090", 1))
    laboratory.submit(a_job(1, tiers=("rtx3090", "h100")), a_job(2, tiers=("rtx3090", "h100"), member="lee"))
    laboratory.step()
    assert {turn.job: turn.tier for turn in laboratory.turns.values()} == {1: "rtx3090", 2: "h100"}


def test_a_small_job_goes_where_it_leaves_the_larger_gap() -> None:
    laboratory = a_laboratory(wide=("h100", 4), narrow=("h100", 1))
    laboratory.submit(a_job(1))
    laboratory.step()
    assert next(iter(laboratory.turns.values())).node == "narrow"


def test_a_gang_wider_than_any_node_takes_whole_nodes() -> None:
    laboratory = a_laboratory(one=("h100", 2), two=("h100", 2), three=("h100", 2))
    laboratory.submit(a_job(1, gpus=5))
    laboratory.step()
    (turn,) = laboratory.turns.values()
    nodes = Counter(gpu.rpartition("-")[0] for gpu in turn.gpus)
    assert sorted(nodes.values()) == [1, 2, 2]


def test_whoever_has_waited_beyond_patience_goes_first() -> None:
    laboratory = a_laboratory(1)
    laboratory.rules = replace(laboratory.rules, patience_s=1000.0)
    laboratory.submit(a_job(1, member="rich", attained_gpu_s=1e6))
    laboratory.at = 1001.0
    laboratory.submit(a_job(2, member="poor"))
    laboratory.step()
    assert laboratory.begins == [(1001.0, 1)]


# --- reasons -------------------------------------------------------------------------------------


def reasons(laboratory: PolicyLaboratory) -> dict[int, object]:
    return {wait.job: wait.reason for wait in laboratory.step().waits}


def test_reasons_name_the_numbers() -> None:
    laboratory = a_laboratory(1)
    laboratory.submit(a_job(1))
    begin = laboratory.step().begins[0]
    assert begin.reason == YourTurn(0.0, 1)
    laboratory.submit(a_job(2), a_job(3, member="lee"))
    told = reasons(laboratory)
    assert told[3] == AheadOfYou(0, 1, QUANTUM_S)
    assert told[2] == AheadOfYou(1, 1, QUANTUM_S, 3, "lee", "vision", Because.IN_TURN.value, 0.0, 0.0)


def test_who_waits_behind_a_gang_that_waited_too_long_is_told_so() -> None:
    """Its member has had more than anybody: not its share, and not that nothing of its runs, lets it go first."""
    laboratory = a_laboratory(one=("h100", 2), two=("h100", 2))
    laboratory.rules = replace(laboratory.rules, patience_s=1000.0)
    laboratory.at = 2000.0
    laboratory.submit(*(a_job(n, member=f"m{n}") for n in range(1, 5)))
    laboratory.receives("kim", gpu_s=500.0)
    laboratory.step()
    laboratory.at = 2050.0
    laboratory.submit(a_job(5, member="lee"))
    laboratory.jobs[9] = a_job(9, member="kim", gpus=4, submitted_at=0.0, waiting_since=0.0)
    told = reasons(laboratory)[5]
    assert told == AheadOfYou(1, 4, 2100.0, 9, "kim", "vision", Because.SEVERAL_NODES.value, 2050.0, 1000.0)


def test_when_the_quantum_is_over_the_next_knows_whose_turn_is_ending_for_it() -> None:
    laboratory = a_laboratory(1)
    laboratory.submit(a_job(1))
    laboratory.step()
    laboratory.submit(a_job(2, member="lee"))
    laboratory.at = QUANTUM_S
    made = laboratory.step()
    assert [(end.turn, end.reason) for end in made.ends] == [("1.1", SomebodyWaits(2, "lee", QUANTUM_S))]
    assert made.waits[0].reason == PlaceKept(("1.1",), "lab")


def test_a_gang_that_forms_keeps_its_node_and_others_fill_only_the_gap() -> None:
    laboratory = a_laboratory(2)
    laboratory.submit(a_job(1))
    laboratory.step()
    laboratory.at = 50.0
    laboratory.submit(a_job(2, gpus=2, member="gang"))
    laboratory.step()
    laboratory.submit(
        a_job(3, member="long"), a_job(4, member="short", checkpoint=None, time_s=30.0),
        a_job(5, member="late", checkpoint=None, time_s=90.0),
    )  # fmt: skip
    made = laboratory.step()
    why = {wait.job: wait.reason for wait in made.waits}
    assert why[2] == GangForms("lab", 2, 1, QUANTUM_S)
    assert why[3] == GapTooShort(2, 50.0, QUANTUM_S)
    assert why[5] == GapTooShort(2, 50.0, 90.0)
    assert [(begin.job, begin.reason) for begin in made.begins] == [(4, Backfilled(2, 50.0))]


def test_a_job_that_follows_others_says_whom() -> None:
    laboratory = a_laboratory(1)
    laboratory.submit(a_job(2))
    snapshot: Snapshot = replace(laboratory.snapshot(), is_blocked_by={2: (1,)})
    assert [wait.reason for wait in plan(snapshot).waits] == [FollowsJobs((1,))]


def test_when_every_gpu_is_out_of_service_it_says_so() -> None:
    laboratory = a_laboratory(1)
    laboratory.conditions["gpu-0"] = Condition.DRAINED
    laboratory.submit(a_job(1))
    assert reasons(laboratory) == {1: NothingFits(1, ("h100",))}


def test_cpus_and_memory_beside_the_gpus_count() -> None:
    laboratory = a_laboratory(2)
    laboratory.submit(a_job(1, cpus=60), a_job(2, cpus=10, member="lee"), a_job(3, cpus=4, member="park"))
    made = laboratory.step()
    assert {begin.job for begin in made.begins} == {1, 3}
    assert [wait.reason for wait in made.waits] == [NodeIsFull("lab", "cpus")]


def test_a_job_without_checkpoint_ends_when_its_time_is_over_and_not_before() -> None:
    laboratory = a_laboratory(1)
    laboratory.submit(a_job(1, checkpoint=None, time_s=250.0))
    laboratory.step()
    laboratory.submit(a_job(2, member="lee"))
    laboratory.at = 249.0
    assert laboratory.step().ends == ()
    laboratory.at = 250.0
    assert [end.reason for end in laboratory.step().ends] == [TimeIsOver(250.0)]


def test_a_job_in_one_piece_does_not_take_the_last_gpu_from_a_first_turn() -> None:
    laboratory = a_laboratory(1)
    laboratory.submit(a_job(1, checkpoint=None, time_s=1000.0), a_job(2, member="lee"))
    made = laboratory.step()
    assert [begin.job for begin in made.begins] == [2]
    assert [wait.reason for wait in made.waits] == [TooLongInOnePiece(1000.0, QUANTUM_S, 1)]


def test_memory_on_each_gpu_counts() -> None:
    laboratory = a_laboratory(1)
    laboratory.submit(a_job(1, gpu_memory_bytes=200 * GIB))
    assert reasons(laboratory) == {1: NothingFits(1, ("h100",))}


def test_a_drained_gpu_lets_its_turn_have_its_quantum() -> None:
    turn = a_turn(1, guaranteed_until=100.0)
    job = replace(a_job(1), state=JobState.RUNNING, turns=1)
    laboratory = a_laboratory(1)
    base = replace(laboratory.snapshot(), jobs=(job,), turns=(turn,), conditions={"gpu-0": Condition.DRAINED})
    assert plan(replace(base, at=99.0)).ends == ()
    assert [end.turn for end in plan(replace(base, at=100.0)).ends] == ["1.1"]
    assert Rules().quantum_s == 4 * 3600

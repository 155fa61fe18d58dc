"""Two books of the same turns: what agrees, what does not, and what nobody can say yet."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.ledger.reconcile import (
    SETTLE_S,
    TOLERANCE_S,
    BookedTurn,
    Comparison,
    Difference,
    Kind,
    Window,
    named_turn,
    reconcile,
)
from rota.slurm.records import SlurmRecord

OURS, THEIRS = "0123456789ab", "ba9876543210"
NOW = 1_000_000.0
WEEK = Window(NOW - 604_800.0, NOW, NOW)
BEGAN, ENDED = NOW - 10_000.0, NOW - 6_400.0


def booked(id: str = "12.3", **changes: Any) -> BookedTurn:
    """An hour on two GPUs of node na, by kim for vision."""
    turn = BookedTurn(id, "kim", "vision", ("na",), 2, BEGAN, ENDED, 7200.0, is_of_slurm=True)
    return replace(turn, **changes)


def recorded(turn: str = "12.3", job: str = "71", **changes: Any) -> SlurmRecord:
    """The same by Slurm, without a comment."""
    record = SlurmRecord(
        job, f"rota.{turn}.bert", "kim", "COMPLETED", BEGAN - 1, BEGAN, ENDED, 3600.0, 2, (), ("na",), 0, 0
    )
    return replace(record, **changes)


def compared(turns: list[BookedTurn], records: list[SlurmRecord], window: Window = WEEK) -> Comparison:
    return reconcile(turns, records, window, OURS)


def kinds(found: Comparison) -> list[tuple[Kind, str, tuple[str, ...]]]:
    return [(finding.kind, finding.turn, finding.jobs) for finding in found.findings]


def test_the_same_in_both_books_agrees() -> None:
    found = compared([booked()], [recorded()])
    assert (found.turns, found.findings) == (1, ())
    [account] = found.accounts
    assert asdict(account) == {
        "project": "vision", "member": "kim", "turns": 1, "jobs": 1, "rota_gpu_s": 7200.0, "slurm_gpu_s": 7200.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "differences"),
    [
        ({"started_at": BEGAN - 5}, []),
        ({"started_at": BEGAN - 6}, [Difference("begin", BEGAN, BEGAN - 6)]),
        ({"ended_at": ENDED + 5}, []),
        ({"ended_at": ENDED + 31}, [Difference("end", ENDED, ENDED + 31)]),
        ({"elapsed_s": 3636.0}, []),  # 1 %
        ({"elapsed_s": 3640.0}, [Difference("gpu_s", 7200.0, 7280.0)]),
        ({"elapsed_s": 0.0}, [Difference("gpu_s", 7200.0, 0.0)]),
        ({"gpus": 4, "elapsed_s": 1800.0}, [Difference("gpus", 2, 4)]),
        ({"nodes": ("nb",)}, [Difference("nodes", "na", "nb")]),
        ({"nodes": ("nb", "na")}, [Difference("nodes", "na", "na,nb")]),
        ({"nodes": ()}, []),  # a record without nodes says nothing about them
        ({"user": "lee"}, [Difference("member", "kim", "lee")]),
        ({"user": ""}, []),
    ],
)
def test_each_difference_is_named_with_both_values(changes: dict[str, Any], differences: list[Difference]) -> None:
    found = compared([booked()], [recorded(**changes)])
    assert [list(finding.differences) for finding in found.findings] == ([differences] if differences else [])
    assert all(finding.kind is Kind.DIFFERS for finding in found.findings)


def test_a_short_turn_may_be_off_by_whole_seconds() -> None:
    short = booked(began_at=ENDED - 3, gpu_s=6.0)
    assert compared([short], [recorded(started_at=ENDED - 4, elapsed_s=4.0)]).findings == ()
    [finding] = compared([short], [recorded(started_at=ENDED - 4, elapsed_s=9.0)]).findings
    assert finding.differences == (Difference("gpu_s", 6.0, 18.0),)


def test_a_gang_is_on_all_of_its_nodes() -> None:
    gang = booked(nodes=("na", "nb"), gpus=4, gpu_s=14_400.0)
    assert compared([gang], [recorded(nodes=("nb", "na"), gpus=4)]).findings == ()


def test_gpus_that_slurm_did_not_record_are_those_of_the_turn_and_counted() -> None:
    found = compared([booked()], [recorded(gpus=None), recorded("9.9", "72", gpus=None)])
    assert kinds(found) == [(Kind.NOT_IN_ROTA, "9.9", ("72",))]
    assert found.unmeasured == 2
    assert [account.slurm_gpu_s for account in found.accounts] == [0.0, 7200.0]


def test_a_turn_without_a_job_and_a_job_without_a_turn_are_shown() -> None:
    found = compared([booked("12.3"), booked("12.4")], [recorded("12.3"), recorded("13.1", "72", account="speech")])
    assert kinds(found) == [(Kind.NOT_IN_SLURM, "12.4", ()), (Kind.NOT_IN_ROTA, "13.1", ("72",))]
    assert [finding.gpu_s for finding in found.findings] == [7200.0, 7200.0]
    assert [(row.project, row.member, row.turns, row.jobs) for row in found.accounts] == [
        ("speech", "kim", 0, 1),
        ("vision", "kim", 2, 1),
    ]


def test_jobs_that_are_no_turns_are_nobodys_business() -> None:
    others = [recorded(name=name) for name in ("train", "rota", "rota.x.y", "rota.12.bert", "my rota.12.3.bert")]
    assert compared([], others) == Comparison(0, (), (), 0, 0, 0, 0, 0)


def test_two_jobs_for_one_turn_are_shown_and_both_counted() -> None:
    twin = recorded(job="72", started_at=BEGAN + 300, elapsed_s=3300.0)
    found = compared([booked()], [twin, recorded()])
    assert kinds(found) == [(Kind.DOUBLE, "12.3", ("72", "71"))]
    assert found.findings[0].differences == (Difference("gpu_s", 7200.0, 13_800.0),)
    assert found.accounts[0].slurm_gpu_s == 13_800.0


def test_a_job_that_slurm_queued_again_ran_twice_for_one_turn() -> None:
    first = recorded(state="REQUEUED", started_at=BEGAN - 200, ended_at=BEGAN - 150, elapsed_s=50.0)
    assert kinds(compared([booked()], [first, recorded()])) == [(Kind.DOUBLE, "12.3", ("71",))]
    waiting = recorded(state="PENDING", started_at=None, ended_at=None, elapsed_s=0.0)
    ran = recorded(state="NODE_FAIL", elapsed_s=100.0)
    again = recorded(state="RUNNING", ended_at=None)
    running = booked(ended_at=None)
    assert kinds(compared([running], [ran, again])) == [(Kind.DOUBLE, "12.3", ("71",))]
    assert kinds(compared([running], [ran, waiting])) == []


def test_a_stranger_who_borrows_the_name_is_not_taken_for_the_turn() -> None:
    stranger = recorded(job="99", user="lee", started_at=BEGAN + 1, ended_at=ENDED - 1, nodes=("nb",))
    [finding] = compared([booked()], [stranger, recorded(started_at=BEGAN + 3)]).findings
    assert (finding.kind, finding.jobs) == (Kind.DOUBLE, ("99", "71"))
    assert finding.differences == (Difference("gpu_s", 7200.0, 14_400.0), Difference("member", "kim", "lee"))


def test_a_cancelled_duplicate_that_never_ran_is_no_double() -> None:
    never = recorded(job="70", state="CANCELLED", started_at=None, elapsed_s=0.0, nodes=(), gpus=None)
    assert compared([booked()], [never, recorded()]).findings == ()


def test_a_turn_that_never_began_is_charged_in_neither_book() -> None:
    never = booked(began_at=None, gpu_s=0.0)
    cancelled = recorded(state="CANCELLED", started_at=None, elapsed_s=0.0, nodes=())
    assert compared([never], []).findings == ()
    assert compared([never], [cancelled]).findings == ()
    [finding] = compared([never], [recorded(elapsed_s=60.0)]).findings
    assert finding.differences == (Difference("gpu_s", 0.0, 120.0),)


def test_the_comment_says_whose_turn_it_is_where_slurm_keeps_it() -> None:
    ours = recorded(name="renamed", comment=f"rota {OURS} 12.3")
    another = recorded("12.3", "72", user="lee", comment=f"rota {THEIRS} 12.3")
    found = compared([booked()], [ours, another])
    assert (found.turns, found.findings, found.others) == (1, (), 1)
    assert kinds(reconcile([booked()], [ours, another], WEEK, None)) == [(Kind.DOUBLE, "12.3", ("71", "72"))]
    assert named_turn(another) == (THEIRS, "12.3")
    assert named_turn(recorded(comment="by hand")) == (None, "12.3")


def test_one_book_still_open_is_shown_with_the_end_of_the_other() -> None:
    [in_slurm] = compared([booked()], [recorded(state="RUNNING", ended_at=None)]).findings
    assert (in_slurm.kind, in_slurm.differences) == (Kind.OPEN_IN_SLURM, (Difference("end", ENDED, None),))
    [in_rota] = compared([booked(ended_at=None, gpu_s=0.0)], [recorded()]).findings
    assert (in_rota.kind, in_rota.differences) == (Kind.OPEN_IN_ROTA, (Difference("end", None, ENDED),))
    assert compared([booked(ended_at=None)], [recorded(ended_at=None)]) == compared([], [])


def test_what_ended_just_now_is_counted_and_not_called_a_difference() -> None:
    just_now = NOW - SETTLE_S + 1
    fresh = booked(ended_at=just_now)
    found = compared([fresh], [])
    assert (found.turns, found.findings, found.fresh) == (0, (), 1)
    assert compared([fresh], [recorded(ended_at=None)]).fresh == 1
    assert compared([booked(ended_at=None)], [recorded(ended_at=just_now)]).fresh == 1
    assert compared([booked(ended_at=NOW - SETTLE_S - 1)], []).fresh == 0
    whole = compared([fresh], [recorded(ended_at=just_now)])
    assert (whole.turns, whole.fresh) == (1, 0)


def test_a_turn_before_slurms_file_begins_or_outside_slurm_is_counted_apart() -> None:
    begins = replace(WEEK, book_begins_at=ENDED + 100)
    found = compared([booked("1.1"), booked("1.2", ended_at=ENDED + 200)], [], begins)
    assert (found.before_book, kinds(found)) == (1, [(Kind.NOT_IN_SLURM, "1.2", ())])
    local = booked("1.3", is_of_slurm=False)
    found = compared([local], [])
    assert (found.turns, found.outside, found.findings) == (0, 1, ())
    assert compared([local], [recorded("1.3")]).turns == 1


def test_only_what_ended_in_the_window_is_compared() -> None:
    before, after = booked("1.1", ended_at=WEEK.since - 1), booked("1.2", ended_at=WEEK.until)
    assert compared([before, after], [recorded("9.9", ended_at=WEEK.since - 1)]).findings == ()
    # Known to Rota, though outside the window: no job without a turn, and an end that differs by days.
    [finding] = compared([before], [recorded("1.1")]).findings
    assert [difference.what for difference in finding.differences] == ["end"]
    assert kinds(compared([], [recorded("9.9", ended_at=None)])) == [(Kind.NOT_IN_ROTA, "9.9", ("71",))]


def test_findings_stand_in_the_order_of_their_ends() -> None:
    turns = [booked("2.1"), booked("1.10"), booked("1.9"), booked("3.1", ended_at=ENDED - 500)]
    assert [finding.turn for finding in compared(turns, []).findings] == ["3.1", "1.9", "1.10", "2.1"]


apart = st.floats(-60, 60)
pairs = st.lists(st.tuples(apart, apart, st.booleans(), st.integers(1, 8)), max_size=12)


@given(pairs)
def test_every_turn_is_counted_once_and_the_sums_are_of_the_books(pairs: list[tuple[float, float, bool, int]]) -> None:
    turns, records = [], []
    for number, (begin, end, is_recorded, gpus) in enumerate(pairs):
        turns.append(booked(f"{number}.1", gpus=gpus, gpu_s=3600.0 * gpus))
        if is_recorded:
            times = {"started_at": BEGAN + begin, "ended_at": ENDED + end, "elapsed_s": 3600.0 + end - begin}
            records.append(recorded(f"{number}.1", str(number), gpus=gpus, **times))
    found = compared(turns, records)
    agree = sum(is_recorded and max(abs(begin), abs(end)) <= TOLERANCE_S for begin, end, is_recorded, _ in pairs)
    assert found.turns == len(turns)
    assert found.turns - len(found.findings) <= agree  # none agrees whose times do not; GPU time may differ still
    assert sum(row.rota_gpu_s for row in found.accounts) == pytest.approx(sum(turn.gpu_s for turn in turns))
    in_slurm = sum(record.elapsed_s * (record.gpus or 0) for record in records)
    assert sum(row.slurm_gpu_s for row in found.accounts) == pytest.approx(in_slurm)


def test_the_process_of_the_command_line_says_the_same_in_json() -> None:
    turn = {
        "turn": "12.3", "member": "kim", "project": "vision", "node": "na", "gpus": ["na:0", "nb:1"],
        "gpu_uuids": ["SLURM-na-0", "SLURM-nb-1"], "began_at": BEGAN, "ended_at": ENDED, "gpu_s": 7200.0,
    }  # fmt: skip
    record = asdict(recorded(gpus_by_type=(("h100", 2),)))
    asked = {"turns": [turn], "records": [record], "window": asdict(WEEK), "site": None}
    command = [sys.executable, "-m", "rota.ledger.two_books"]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    assert (said["turns"], said["tolerance_s"], said["tolerance_part"]) == (1, TOLERANCE_S, 0.01)
    assert said["findings"][0]["kind"] == "differs"
    assert said["findings"][0]["differences"] == [{"what": "nodes", "rota": "na,nb", "slurm": "na"}]

"""What two books say differently is told in sentences."""

from __future__ import annotations

import time
from typing import Any

import pytest

from rota.cli.slurm.words import finding_words, show_comparison, summary

NOW = 1_795_600_000.0
THEN = NOW - 7200.0
CLOCK = time.strftime("%H:%M", time.localtime(THEN))


def a_finding(kind: str, *differences: tuple[str, Any, Any], jobs: tuple[str, ...] = ("71",)) -> dict[str, Any]:
    named = [{"what": what, "rota": rota, "slurm": slurm} for what, rota, slurm in differences]
    return {
        "kind": kind, "turn": "12.3", "jobs": list(jobs), "member": "kim", "project": "vision", "ended_at": THEN,
        "gpu_s": 5400.0, "differences": named,
    }  # fmt: skip


def an_answer(**changes: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("fresh", "before_book", "outside", "others", "unmeasured", "unreadable"), 0)
    return {
        "turns": 312, "findings": [], "accounts": [], **counts, "tolerance_s": 5.0, "tolerance_part": 0.01,
        "read": "sacct (slurmdbd)", "whose": None, "since": THEN, "until": NOW, "now": NOW, **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("finding", "sentence"),
    [
        (a_finding("differs", ("begin", THEN, THEN - 9.0)), "It began 9s earlier in Slurm."),
        (a_finding("differs", ("end", THEN, THEN + 31.0)), "It ended 31s later in Slurm."),
        (
            a_finding("differs", ("gpu_s", 5400.0, 9000.0), ("gpus", 2, 4), ("nodes", "na", "na,nb")),
            "1.50 GPU hours, in Slurm 2.50; 2 GPUs, in Slurm 4; on na, in Slurm on na,nb.",
        ),
        (a_finding("differs", ("gpus", 1, 2), ("member", "kim", "lee")), "1 GPU, in Slurm 2; kim's, in Slurm lee's."),
        (
            a_finding("double", ("gpu_s", 5400.0, 9000.0), jobs=("71", "72")),
            "2 jobs ran for one turn; 1.50 GPU hours, in Slurm 2.50.",
        ),
        (a_finding("double"), "Slurm ran its job several times."),
        (a_finding("not in slurm", jobs=()), "Rota has 1.50 GPU hours for it, Slurm has no job."),
        (a_finding("not in rota"), "Slurm ran it for 1.50 GPU hours, Rota has no such turn."),
        (a_finding("open in slurm", ("end", THEN, None)), f"It ended at {CLOCK}; in Slurm it has not ended."),
        (a_finding("open in rota", ("end", None, THEN)), f"In Slurm it ended at {CLOCK}; in Rota it has not ended."),
    ],
)
def test_each_finding_is_a_sentence(finding: dict[str, Any], sentence: str) -> None:
    assert finding_words(finding, NOW) == sentence


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "312 turns: all agree within 5 s or 1 %."),
        ({"turns": 1}, "1 turn, and it agrees within 5 s or 1 %."),
        ({"turns": 0}, "No turn to compare."),
        ({"findings": ["differs"]}, "312 turns, 311 agree within 5 s or 1 %; 1 differs."),
        (
            {"turns": 2, "findings": ["double", "not in rota"]},
            "2 turns, 1 agrees within 5 s or 1 %; 1 differs; Slurm has 1 turn that Rota's record has not.",
        ),
        ({"turns": 0, "findings": ["not in rota"]}, "No turn to compare; Slurm has 1 turn that Rota's record has not."),
    ],
)
def test_the_summary_is_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    findings = [a_finding(kind) for kind in changes.get("findings", ())]
    assert summary(an_answer(**{**changes, "findings": findings})) == sentence


def test_what_was_not_compared_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    answer = an_answer(whose="kim", fresh=2, before_book=1, outside=3, others=1, unmeasured=4, unreadable=1)
    show_comparison({**answer, "sentence": "So."})
    assert capsys.readouterr().out.splitlines() == [
        "So.",
        f"From {CLOCK} to now, turns of kim; Slurm's record: sacct (slurmdbd).",
        "- 2 turns ended just now and may not be in Slurm's record yet: not compared.",
        "- 1 turn ended before Slurm's file begins: not compared. Add the older file with --from.",
        "- 3 turns ran on GPUs that are not Slurm's: not compared.",
        "- 1 Slurm job of another Rota: left out.",
        "- 4 Slurm jobs without a recorded number of GPUs: counted with those that the turn had in Rota.",
        "- 1 line of Slurm's record cannot be read: left out.",
    ]

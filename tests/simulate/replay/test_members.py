"""Members drawn over an anonymous trace."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from rota.simulate.replay.members import draw_members
from tests.simulate.replay.builders import a_trace

ANONYMOUS = a_trace(*((float(at), 1, 60.0) for at in range(6000)))


def test_the_same_seed_draws_the_same_members_and_another_others() -> None:
    drawn = draw_members(ANONYMOUS, 20, 4, 1.0, 3)
    assert drawn == draw_members(ANONYMOUS, 20, 4, 1.0, 3)
    assert drawn != draw_members(ANONYMOUS, 20, 4, 1.0, 4)


def test_only_members_and_projects_change() -> None:
    drawn = draw_members(ANONYMOUS, 20, 4, 1.0, 3)
    assert tuple(replace(job, member="", project="") for job in drawn.jobs) == ANONYMOUS.jobs


def test_members_submit_as_zipf_says() -> None:
    count = Counter(job.member for job in draw_members(ANONYMOUS, 5, 1, 1.0, 0).jobs)
    whole = sum(1 / place for place in range(1, 6))
    for place in range(1, 6):
        assert count[f"m{place}"] == pytest.approx(6000 / place / whole, rel=0.1)


def test_without_skew_all_submit_alike() -> None:
    count = Counter(job.member for job in draw_members(ANONYMOUS, 6, 1, 0.0, 0).jobs)
    assert all(jobs == pytest.approx(1000, rel=0.1) for jobs in count.values())


def test_each_member_belongs_to_one_project_and_each_project_has_a_busy_one() -> None:
    jobs = draw_members(ANONYMOUS, 8, 4, 1.0, 0).jobs
    assert {(job.member, job.project) for job in jobs} == {
        ("m1", "p1"), ("m2", "p2"), ("m3", "p3"), ("m4", "p4"), ("m5", "p1"), ("m6", "p2"), ("m7", "p3"), ("m8", "p4"),
    }  # fmt: skip

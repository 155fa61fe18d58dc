"""How long jobs run: learnt from what is alike, conditional on how long a job has run."""

from __future__ import annotations

import pickle
from dataclasses import replace
from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.domain.estimates import Estimate, Source
from rota.domain.jobs import Job
from rota.forecast.lengths import Lengths
from tests.builders import a_job

PARTS = [(step + 0.5) / 200 for step in range(200)]


def ended(run_s: float, **changes: object) -> Job:
    job = a_job(**changes)  # type: ignore[arg-type]  # names checked at run time
    return replace(job, attained_gpu_s=run_s * job.request.gpus)


def learnt(*jobs: Job) -> Lengths:
    lengths = Lengths()
    for job in jobs:
        lengths.learn(job)
    return lengths


def drawn(lengths: Lengths, job: Job, ran_s: float = 0.0, estimate: Estimate | None = None) -> list[float]:
    return [lengths.of(job, ran_s, estimate).quantile(part) for part in PARTS]


def test_on_the_first_day_jobs_are_like_those_of_a_published_trace() -> None:
    narrow, wide = drawn(Lengths(), a_job()), drawn(Lengths(), a_job(gpus=8))
    assert 600 < median(narrow) < 1800  # Philly's one-GPU jobs: 1,121 s
    assert median(wide) > 4 * median(narrow)  # and its jobs of 5 to 8: 8,443 s


def test_a_job_is_expected_to_be_like_its_members_runs_of_the_same_script() -> None:
    past = [ended(7200.0 + i, command="python train.py") for i in range(20)]
    past += [ended(60.0 + i, command="python eval.py") for i in range(20)]
    lengths = learnt(*past)
    assert median(drawn(lengths, a_job(command="python train.py --lr 0.1"))) == pytest.approx(7210, abs=15)
    assert median(drawn(lengths, a_job(command="/usr/bin/python3 eval.py"))) == pytest.approx(70, abs=15)


def test_what_the_laboratory_does_counts_for_a_member_who_is_new() -> None:
    lengths = learnt(*(ended(500.0 + i, member=f"m{i}", command=f"python {i}.py") for i in range(40)))
    times = drawn(lengths, a_job(member="new", command="python mine.py"))
    assert 500 < median(times) < 540


def test_the_latest_runs_count_when_a_member_changes_what_a_script_does() -> None:
    lengths = learnt(
        *(ended(100.0, command="a.py") for _ in range(100)), *(ended(900.0, command="a.py") for _ in range(48))
    )
    assert median(drawn(lengths, a_job(command="a.py"))) == 900


@given(ran_s=st.floats(0, 1e8), gpus=st.sampled_from([1, 4, 8]), stated_s=st.none() | st.floats(1, 1e6))
def test_a_job_is_longer_than_it_has_run(ran_s: float, gpus: int, stated_s: float | None) -> None:
    lengths = learnt(*(ended(100.0 * i, command="a.py") for i in range(1, 10)))
    estimate = Estimate(stated_s, Source.STATED) if stated_s else None
    times = drawn(lengths, a_job(gpus=gpus), ran_s, estimate)
    assert all(time >= ran_s for time in times)
    assert times == sorted(times)


def test_of_two_kinds_of_runs_a_job_that_has_outlived_the_short_ones_is_a_long_one() -> None:
    lengths = learnt(*(ended(run_s, command="a.py") for _ in range(20) for run_s in (60.0, 5000.0)))
    job = a_job(command="a.py")
    assert fmean(time > 1000 for time in drawn(lengths, job)) == pytest.approx(0.5, abs=0.05)
    assert fmean(time == 5000 for time in drawn(lengths, job, ran_s=100.0)) > 0.9


def test_stated_times_are_taken_as_their_member_means_them() -> None:
    def stated(member: str, run_s: float) -> Job:
        return ended(run_s, member=member, time_s=3600.0)

    lengths = learnt(*(stated("careful", 900.0) for _ in range(40)), *(stated("bold", 7200.0) for _ in range(40)))
    estimate = Estimate(1000.0, Source.STATED)
    assert median(drawn(lengths, a_job(member="careful", time_s=1000.0), estimate=estimate)) == 250
    assert median(drawn(lengths, a_job(member="bold", time_s=1000.0), estimate=estimate)) == 2000


def test_measured_progress_overrides_the_past() -> None:
    lengths = learnt(*(ended(60.0, command="a.py") for _ in range(40)))
    times = drawn(lengths, a_job(command="a.py"), 1000.0, Estimate(5000.0, Source.PROGRESS))
    assert median(times) == pytest.approx(5000, rel=0.05)
    assert all(3000 < time < 8000 for time in times)


def test_a_job_that_never_ran_teaches_nothing() -> None:
    assert drawn(learnt(ended(0.0)), a_job()) == drawn(Lengths(), a_job())


def test_what_was_learnt_survives_the_way_to_another_process() -> None:
    lengths = learnt(*(ended(100.0 * i, command="a.py") for i in range(1, 9)))
    again: Lengths = pickle.loads(pickle.dumps(lengths))
    assert drawn(again, a_job(command="a.py")) == drawn(lengths, a_job(command="a.py"))

"""What is believed about run times, and whom Rota believes first."""

from __future__ import annotations

import pytest

from rota.domain.estimates import Estimate, Source
from rota.domain.jobs import Job, JobState
from rota.forecast.durations import LikeJobs, from_progress, script_of, stated
from tests.builders import a_job


def finished(run_s: float, project: str = "vision") -> Job:
    """A job of one GPU that has run so long, all turns together."""
    command = "python train.py --lr 0.1"
    return a_job(project=project, state=JobState.FINISHED, command=command, attained_gpu_s=run_s)


def test_progress_tells_the_total_at_the_pace_so_far() -> None:
    assert from_progress((250, 1000), 500.0) == Estimate(2000.0, Source.PROGRESS)
    assert from_progress((1000, 1000), 500.0) == Estimate(500.0, Source.PROGRESS)
    assert from_progress((1200, 1000), 500.0) == Estimate(500.0, Source.PROGRESS)


@pytest.mark.parametrize(
    ("progress", "ran_s"), [(None, 500.0), ((500, 1000), 59.0), ((9, 1000), 500.0), ((0, 0), 99.0)]
)
def test_too_little_progress_says_nothing(progress: tuple[int, int] | None, ran_s: float) -> None:
    assert from_progress(progress, ran_s) is None


def test_time_is_its_members_own_guess() -> None:
    assert stated(a_job(time_s=7200.0)) == Estimate(7200.0, Source.STATED)
    assert stated(a_job()) is None


def test_three_finished_jobs_of_the_same_script_say_how_long_the_next_takes() -> None:
    like_jobs = LikeJobs.of(finished(run_s) for run_s in (100.0, 9000.0))
    job = a_job(9, command="python train.py --lr 0.2")
    assert like_jobs.estimate(job) is None
    like_jobs.add(finished(300.0))
    assert like_jobs.estimate(job) == Estimate(300.0, Source.LIKE_JOBS)


def test_other_scripts_of_the_member_say_a_little_and_other_members_nothing() -> None:
    like_jobs = LikeJobs.of([*(finished(100.0) for _ in range(3))])
    assert like_jobs.estimate(a_job(command="python other.py")) == Estimate(100.0, Source.LIKE_JOBS)
    assert like_jobs.estimate(a_job(command="python train.py", member="lee")) is None
    assert like_jobs.estimate(a_job(command="python train.py", gpus=2)) is None


def test_the_same_script_counts_before_others_of_the_member() -> None:
    like_jobs = LikeJobs.of(
        [*(finished(100.0) for _ in range(3)), *(finished(5000.0, project="speech") for _ in range(5))]
    )
    assert like_jobs.estimate(a_job(command="train.py")) == Estimate(100.0, Source.LIKE_JOBS)


def test_only_jobs_that_finished_tell_how_long_a_job_takes() -> None:
    like_jobs = LikeJobs()
    for _ in range(3):
        assert not like_jobs.add(a_job(state=JobState.FAILED, attained_gpu_s=100.0))
    assert like_jobs.estimate(a_job()) is None


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("python train.py --lr 0.1", "train.py"),
        ("torchrun --nproc-per-node 2 code/train.py", "train.py"),
        ("/usr/bin/python3 -m package.train", "package.train"),
        ("bash run.sh a b", "run.sh"),
        ("./count 5", "count"),
        ("python", "python"),
        ("", ""),
    ],
)
def test_the_script_is_what_a_command_line_is_about(command: str, script: str) -> None:
    assert script_of(command) == script

"""What others tell those who wait."""

from __future__ import annotations

from rota.domain.jobs import Job, JobState
from rota.domain.turns import Turn
from rota.policy.values import Rules, Snapshot
from rota.simulate.forecasts.yardsticks import backfill, mean_walk
from tests.builders import a_fleet, a_job, a_turn


def a_snapshot(*jobs: Job, turns: tuple[Turn, ...] = (), at: float = 0.0, gpus: int = 2) -> Snapshot:
    fleet = a_fleet(lab=("h100", gpus))
    nodes = {node.name: node for node in fleet.nodes}
    return Snapshot(at, nodes, fleet.gpus, {}, fleet.tiers, jobs, turns, {}, {}, Rules())


def running(job: int, *gpus: str) -> tuple[Job, Turn]:
    return a_job(job, gpus=len(gpus), state=JobState.RUNNING, turns=1), a_turn(job, gpus=gpus)


def test_the_mean_walk_lets_everybody_take_the_mean() -> None:
    first, turn = running(1, "gpu-0", "gpu-1")
    snapshot = a_snapshot(first, a_job(2), a_job(3), a_job(4), turns=(turn,), at=400.0)
    assert mean_walk(snapshot, 2, 1000.0) == 1000.0  # 600 s more
    assert mean_walk(snapshot, 4, 1000.0) == 2000.0  # behind two that begin at 1000


def test_in_the_mean_walk_a_gang_waits_for_its_gpus_together() -> None:
    first, turn = running(1, "gpu-0")
    snapshot = a_snapshot(first, a_job(2, gpus=2), turns=(turn,), at=100.0)
    assert mean_walk(snapshot, 2, 500.0) == 500.0


def test_a_job_that_has_run_longer_than_the_mean_is_about_to_end() -> None:
    first, turn = running(1, "gpu-0", "gpu-1")
    assert mean_walk(a_snapshot(first, a_job(2), turns=(turn,), at=5000.0), 2, 1000.0) == 5000.0


def test_backfill_begins_a_small_job_in_the_gap_before_a_gang() -> None:
    first, turn = running(1, "gpu-0")
    snapshot = a_snapshot(first, a_job(2, gpus=2), a_job(3), turns=(turn,), at=0.0)
    assert backfill(snapshot, 2, 1000.0) == 1000.0
    assert backfill(snapshot, 3, 1000.0) == 0.0  # on gpu-1 until the gang can begin
    later = a_snapshot(first, a_job(2, gpus=2), a_job(3), turns=(turn,), at=500.0)
    assert backfill(later, 3, 1000.0) == 2000.0  # its limit would delay the gang


def test_backfill_takes_limits_at_their_word() -> None:
    first, turn = running(1, "gpu-0", "gpu-1")
    assert backfill(a_snapshot(first, a_job(2), turns=(turn,), at=100.0), 2, 86400.0) == 86400.0

"""Rotation loses nothing, also when the daemon is killed again and again."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.end_to_end.counting import check_counts, check_record, check_turns, submit_counters
from tests.end_to_end.session import Rota
from tests.waiting import wait_until


def test_counting_jobs_rotate_and_count_every_number_once(make_rota: Callable[..., Rota]) -> None:
    rota = make_rota(fleet="h100:4", quantum="1s").up()
    submit_counters(rota, jobs=10, target=60, pace="0.1")
    wait_until(lambda: not rota.jobs(), 120, 0.5, "all jobs have ended")
    assert {job["state"] for job in rota.jobs("--all")} == {"finished"}
    check_counts(rota, jobs=10, target=60)
    assert check_turns(rota) >= 30
    check_record(rota)


def test_the_daemon_is_killed_again_and_again_and_nothing_is_lost(make_rota: Callable[..., Rota]) -> None:
    rota = make_rota(fleet="h100:4", quantum="1s").up()
    submit_counters(rota, jobs=8, target=60, pace="0.1")
    kills = kill_until_done(rota, random.Random(1), most=25, longest_s=1.0)
    assert kills >= 8
    check_counts(rota, jobs=8, target=60)
    check_turns(rota)
    check_record(rota)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_fifty_jobs_and_three_hundred_turns(make_rota: Callable[..., Rota]) -> None:
    rota = make_rota(fleet="h100:4", quantum="3s").up()
    submit_counters(rota, jobs=50, target=240, pace="0.1")
    wait_until(lambda: not rota.jobs(), 1500, 2.0, "all jobs have ended")
    check_counts(rota, jobs=50, target=240)
    assert check_turns(rota) >= 300
    check_record(rota)


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_two_hundred_kills(make_rota: Callable[..., Rota]) -> None:
    rota = make_rota(fleet="h100:4", quantum="3s").up()
    submit_counters(rota, jobs=50, target=330, pace="0.1")
    kills = kill_until_done(rota, random.Random(2), most=200, longest_s=2.0)
    assert kills == 200
    check_counts(rota, jobs=50, target=330)
    check_turns(rota)
    check_record(rota)


def kill_until_done(rota: Rota, chance: random.Random, most: int, longest_s: float) -> int:
    """Kill the daemon at random moments until every job has ended (also while it starts). Returns how often."""
    kills = 0
    while kills < most:
        lives_until = chance.uniform(0.05, longest_s)
        try:
            wait_until(lambda: False, lives_until, 0.01)
        except AssertionError:
            rota.kill_daemon()
        kills += 1
        rota.daemon = rota.spawn_daemon()
        if kills % 5 == 0:
            wait_until(rota.is_up, 30, what="the daemon is up again")
            if not rota.jobs():
                return kills
    wait_until(rota.is_up, 30, what="the daemon is up again")
    wait_until(lambda: not rota.jobs(), 1500, 0.5, "all jobs have ended")
    return kills

"""Forecasts on a replayed trace: only the past is visible, and what came is what the replay did."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rota.policy.contract import Rota
from rota.policy.quantum import Pace
from rota.simulate.forecasts.judge import Judge, Judged
from rota.simulate.forecasts.report import report_of
from rota.simulate.replay.compare import Setting, replay_one
from rota.simulate.replay.information import Information
from rota.simulate.replay.values import Trace
from rota.simulate.replay.watch import WatchedReplay
from tests.simulate.replay.builders import a_busy_trace, a_setting, a_trace


def judged(setting: Setting, **changes: int) -> list[Judged]:
    judge = Judge(setting.seed, **{"futures": 2, **changes})
    replay = WatchedReplay(
        setting.trace,
        setting.fleet,
        Rota(),
        setting.information or Information.NOISY,
        setting.rules,
        seed=setting.seed,
        pace=Pace.at_first(setting.bounds),
        keeps_turns=False,
        on_progress=lambda finished: None,
    )
    replay.watched_by(judge).run()
    return judge.judged


def a_lab(trace: Trace | None = None, information: Information = Information.NOISY) -> Setting:
    return a_setting(trace or a_busy_trace(90), "h100:8", information=information)


def test_whoever_looks_on_changes_nothing() -> None:
    setting = a_lab()
    first_turns = {past.job.id: past.first_turn_s for past in replay_one(setting, "rota", keeps_turns=False).jobs}
    made = judged(setting)
    assert len(made) > 20
    assert {one.promise.job: one.promise.began_at for one in made} == {
        one.promise.job: first_turns[one.promise.job] for one in made
    }


def test_only_those_who_have_to_wait_get_a_forecast() -> None:
    made = judged(a_lab(a_trace((0, 8, 1000), (10, 1, 50), (20000, 1, 50))))
    assert [one.promise.job for one in made] == [2]
    assert made[0].promise.told.early <= 900.0 <= made[0].promise.told.late  # when job 1's quantum is over


@pytest.mark.parametrize("information", list(Information))
def test_what_has_not_come_yet_is_not_visible(information: Information) -> None:
    """What is submitted after a moment changes, all of it: forecasts of before stay as they are."""
    setting = a_lab(information=information)
    until_s = setting.trace.jobs[60].submit_s
    changed = replace(
        setting.trace,
        jobs=tuple(
            job if job.submit_s <= until_s else replace(job, duration_s=job.duration_s * 7 + 1, gpus=9 - job.gpus)
            for job in setting.trace.jobs
        ),
    )
    before = {one.promise.job: one for one in judged(setting) if one.promise.made_at <= until_s}
    after = {one.promise.job: one for one in judged(replace(setting, trace=changed))}
    assert len(before) > 10
    for job, one in before.items():
        assert repr(replace(one.promise, began_at=None, tier="")) == repr(
            replace(after[job].promise, began_at=None, tier="")
        )
        assert (one.mean_walk_at, one.backfill_at) == (after[job].mean_walk_at, after[job].backfill_at)


def test_how_long_a_job_will_run_is_not_visible_while_it_runs() -> None:
    """Job 31 may take an hour or six days. Who comes while it runs is told the same."""
    made = []
    for tail_s in (3600.0, 5e5):
        jobs = [*((100.0 * i, 1, 300.0) for i in range(30)), (4000.0, 8, tail_s), (4010.0, 1, 60.0)]
        made.append(judged(a_lab(a_trace(*jobs), Information.NONE))[-1].promise)
    assert made[0].job == made[1].job == 32
    assert repr(made[0]) == repr(made[1])


def test_the_same_seed_gives_the_same_forecasts_to_the_byte() -> None:
    setting = a_lab()
    assert repr(judged(setting)) == repr(judged(setting))


def test_every_so_many_th_is_enough() -> None:
    setting = a_lab()
    everybody, some = judged(setting), judged(setting, every=3)
    assert len(some) == len(everybody) // 3


def test_forecasts_are_sharper_than_what_others_tell() -> None:
    made = judged(a_lab(a_busy_trace(160, seed=11)))
    report = report_of(made, len(made), 0.0)
    assert report is not None
    assert report.forecasts > 50
    assert report.pinball < 0.5 * report.pinball_mean_walk
    assert report.pinball < 0.5 * report.pinball_backfill


def test_the_report_counts_by_size_lead_and_week() -> None:
    made = judged(a_lab())
    report = report_of(made, 99, 1.5)
    assert report is not None
    assert (report.waited, report.forecasts, report.wall_s) == (99, len(made), 1.5)
    assert sum(one.forecasts for one in report.by_size.values()) == len(made)
    assert sum(one.forecasts for one in report.by_lead.values()) == len(made)
    assert report.by_week == {}  # too few to judge a week by
    assert report_of([], 0, 0.0) is None

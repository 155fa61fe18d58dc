"""Whether bounds hold, and how sharp they are: each case replayed, only the past visible at each moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.forecast.laboratory import FLEET, NAME, laboratory_trace
from bench.replay.cases import Case, setting_of
from bench.replay.laws import TRACES
from bench.replay.targets import Target, say_table, say_targets
from bench.replay.workers import in_workers
from rota.fleet.notation import parse_fleet
from rota.fleet.speeds import table_speeds
from rota.policy.values import Rules
from rota.simulate.forecasts.report import LEAST_FORECASTS, Report
from rota.simulate.forecasts.run import judge_forecasts
from rota.simulate.replay.compare import Setting
from rota.simulate.replay.fit import fit
from rota.simulate.replay.information import Information
from rota.simulate.replay.members import draw_members

#: Members drawn over a trace that names none.
MEMBERS, PROJECTS, SKEW = 12, 4, 1.0
HEADS = ("", "forecasts", "by 90 %", "by likely", "by 10 %", "pinball s", "/ mean walk", "/ backfill", "seconds")


@dataclass(frozen=True, slots=True)
class Laboratory:
    """What is replayed: a case, with members drawn over it or not; none: the made-up laboratory."""

    case: Case | None
    has_members: bool = False

    @property
    def name(self) -> str:
        if self.case is None:
            return f"{NAME} on {FLEET}"
        return f"{self.case.name} on {self.case.fleet}{f', {MEMBERS} members' if self.has_members else ''}"


def show_accuracy(cases: Sequence[Case], every: int | None = None) -> None:
    """For each, as soon as it is done, what is worst beside its target; then a table over all."""
    laboratories = [Laboratory(case) for case in cases]
    laboratories += [Laboratory(case, has_members=True) for case in cases if case.name in TRACES]
    laboratories += [Laboratory(None)]
    rows = []
    tasks = [(laboratory, every) for laboratory in laboratories]
    for laboratory, report in zip(laboratories, in_workers(_judge, tasks, "forecasts"), strict=True):
        if report is None:
            rows.append([laboratory.name, "0", *[""] * (len(HEADS) - 2)])
            continue
        rows.append(_row(laboratory, report))
        print(f"{laboratory.name}\n{say_targets(targets_of(report))}\n", flush=True)
    print("First turns of jobs that had to wait for them: how many began by each bound that they were told")
    print(say_table(HEADS, rows))


def targets_of(report: Report) -> list[Target]:
    """What the figures of one laboratory are held against."""
    targets = [
        Target("90 % bound: off 90 %, points", 100 * abs(report.coverage_90 - 0.9), 2.0, "", 1),
        Target("likely moment: off 50 %, points", 100 * abs(report.median_below - 0.5), 5.0, "", 1),
        Target(
            "pinball loss against walking the queue with the mean", _ratio(report, report.pinball_mean_walk), 0.5, "", 3
        ),
        Target(
            "pinball loss against backfill with limits of a day", _ratio(report, report.pinball_backfill), 0.5, "", 3
        ),
    ]
    if report.ends is not None:
        what = f"90 % bound of {report.ends.forecasts:,} ends of jobs: off 90 %, points"
        targets.append(Target(what, 100 * abs(report.ends.coverage_90 - 0.9), 2.0, "", 1))
    for what, worst, count in (
        ("week", report.worst_week, len(report.by_week)),
        ("size", report.worst_size, sum(one.forecasts >= LEAST_FORECASTS for one in report.by_size.values())),
    ):
        if worst is not None:
            said = f"90 % bound: worst {what} of {count} with {LEAST_FORECASTS} forecasts or more"
            targets.append(Target(said, 100 * worst, 85.0, " %", 1, is_at_least=True))
    return targets


def _judge(task: tuple[Laboratory, int | None]) -> Report | None:
    laboratory, every = task
    is_made_up = laboratory.case is None
    return judge_forecasts(_setting(laboratory), every, lambda finished: None, has_ends=is_made_up)


def _setting(laboratory: Laboratory) -> Setting:
    if laboratory.case is None:
        fleet = parse_fleet(FLEET)
        rules = Rules(speeds=table_speeds(fleet))
        setting = setting_of(Case("small-jobs", FLEET), Information.NOISY)
        return replace(setting, trace=fit(laboratory_trace(), fleet), fleet=fleet, fleet_text=FLEET, rules=rules)
    setting = setting_of(laboratory.case, Information.NOISY)
    if not laboratory.has_members:
        return setting
    return replace(setting, trace=draw_members(setting.trace, MEMBERS, PROJECTS, SKEW, seed=0))


def _row(laboratory: Laboratory, report: Report) -> list[str]:
    return [
        laboratory.name,
        f"{report.forecasts:,}",
        *(f"{100 * part:.1f} %" for part in (report.coverage_90, report.median_below, report.early_below)),
        f"{report.pinball:,.0f}",
        f"{_ratio(report, report.pinball_mean_walk):.3f}",
        f"{_ratio(report, report.pinball_backfill):.3f}",
        f"{report.wall_s:,.0f}",
    ]


def _ratio(report: Report, other: float) -> float:
    return report.pinball / max(other, 1e-9)

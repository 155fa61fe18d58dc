"""How soon jobs are done and begun, under Rota and under what a laboratory would otherwise have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.replay.cases import KNOWN, Case, known_of, setting_of
from bench.replay.targets import Target, say_table, say_targets
from bench.replay.workers import in_workers
from rota.simulate.replay.compare import replay_one
from rota.simulate.replay.information import Information
from rota.simulate.replay.report import Report, offered_load, report_of

#: (policy, what it may know; none: what it usually may).
Contestant = tuple[str, Information | None]
FIFO: Contestant = ("fifo", None)
SRTF: Contestant = ("srtf", Information.ORACLE)
NOISY: Contestant = ("rota", Information.NOISY)
ALL: tuple[Contestant, ...] = (
    FIFO,
    ("backfill", None),
    ("multifactor", None),
    ("tiresias", None),
    ("sjf", Information.ORACLE),
    SRTF,
    ("rota", Information.NONE),
    NOISY,
    ("rota", Information.ORACLE),
)
FEW: tuple[Contestant, ...] = (FIFO, SRTF, NOISY)

DAY_S = 86400.0
HEADS = (
    "average JCT and waits in s", "average JCT", "/ srtf", "first wait: mean", "longest", "p999 slowdown", "cost",
    "rho p95",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Replayed:
    """One contestant's figures on one case."""

    case: Case
    contestant: Contestant
    report: Report
    load: float


def show_completion(cases: Sequence[Case], contestants: Sequence[Contestant]) -> None:
    """A table for each case, as soon as it is done, and the mean over all."""
    tasks = [(case, contestant) for case in cases for contestant in contestants]
    ratios: dict[bool, list[float]] = {True: [], False: []}
    found: list[Replayed] = []
    for replayed in in_workers(_replay, tasks, "replays"):
        found.append(replayed)
        if len(found) == len(contestants):
            reports = {say_contestant(one.contestant): one.report for one in found}
            print(_say_case(replayed, reports), flush=True)
            is_real = replayed.case.path is not None
            ratios[is_real].append(reports["rota noisy"].avg_jct_s / reports["srtf oracle"].avg_jct_s)
            found = []
    means = [
        Target(f"noisy: average JCT against srtf, mean of {len(ratios[is_real])} {what}", fmean(ratios[is_real]), 1.10)
        for is_real, what in ((True, "traces"), (False, "made-up laboratories"))
        if ratios[is_real]
    ]
    print(f"All\n{say_targets(means)}\n")


def say_contestant(contestant: Contestant) -> str:
    policy, information = contestant
    return policy if information is None else f"{policy} {information}"


def _replay(task: tuple[Case, Contestant]) -> Replayed:
    case, (policy, information) = task
    setting = setting_of(case, information)
    report = report_of(replay_one(setting, policy, keeps_turns=False))
    return Replayed(case, (policy, information), report, offered_load(setting.trace, setting.fastest_gpus) or 0.0)


def _say_case(replayed: Replayed, reports: dict[str, Report]) -> str:
    case, jobs = replayed.case, replayed.report.jobs
    srtf_s = reports["srtf oracle"].avg_jct_s
    rows = [_row(name, report, srtf_s) for name, report in reports.items()]
    for (what, who), known in KNOWN.get(case.name, {}).items():
        first_wait = f"{known.first_wait_s:,.0f}" if known.first_wait_s is not None else ""
        cells = [f"{known.avg_jct_s:,.0f}", f"{known.avg_jct_s / srtf_s:.2f}", first_wait]
        rows.append([f"{what} ({who})", *cells, *[""] * (len(HEADS) - 4)])
    head = f"{case.name} on {case.fleet}: {jobs:,} jobs, offered load {replayed.load:.2f}"
    return f"{head}\n{say_table(HEADS, rows)}\n{say_targets(targets_of(case.name, reports))}\n"


def _row(name: str, report: Report, srtf_s: float) -> list[str]:
    slowdown = report.p999_slowdown_long
    return [
        name,
        f"{report.avg_jct_s:,.0f}",
        f"{report.avg_jct_s / srtf_s:.2f}",
        f"{report.mean_first_wait_s:,.0f}",
        f"{report.longest_first_wait_s:,.0f}",
        "-" if slowdown is None else f"{slowdown:,.1f}",
        f"{100 * report.cost_part:.2f}%",
        f"{report.rho_p95:.2f}",
    ]


def targets_of(case: str, reports: dict[str, Report]) -> list[Target]:
    """What the figures of one case are held against; only of contestants that took part."""
    return [
        *_none_targets(case, reports.get("rota none")),
        *_noisy_targets(case, reports["rota noisy"], reports["srtf oracle"]),
        *_oracle_targets(reports.get("rota oracle"), reports["srtf oracle"]),
    ]


def _none_targets(case: str, report: Report | None) -> list[Target]:
    sketch = known_of(case, "LAS none")
    if report is None or sketch is None or sketch.first_wait_s is None:
        return []
    return [
        Target("none: average JCT against the LAS sketch", report.avg_jct_s / sketch.avg_jct_s, 1.02),
        Target("none: mean first wait, the sketch's", report.mean_first_wait_s, sketch.first_wait_s, " s", 0),
    ]


def _noisy_targets(case: str, report: Report, srtf: Report) -> list[Target]:
    targets = [Target("noisy: average JCT against this run's srtf", report.avg_jct_s / srtf.avg_jct_s, 1.16)]
    if (known := known_of(case, "srtf oracle")) is not None:
        targets.append(Target("noisy: average JCT against the known srtf", report.avg_jct_s / known.avg_jct_s, 1.16))
    sketch = known_of(case, "noisy")
    if sketch is not None and sketch.first_wait_s is not None:
        targets.append(
            Target("noisy: mean first wait, the sketch's", report.mean_first_wait_s, sketch.first_wait_s, " s", 0)
        )
    if report.p999_slowdown_long is not None:
        targets.append(Target("noisy: p999 slowdown of jobs > 10 min", report.p999_slowdown_long, 60.0, "", 1))
    return [
        *targets,
        Target("noisy: longest first wait", report.longest_first_wait_s / DAY_S, 3.0, " d", 1),
        Target("noisy: stop-and-resume cost", 100 * report.cost_part, 2.0, " %"),
    ]


def _oracle_targets(report: Report | None, srtf: Report) -> list[Target]:
    if report is None:
        return []
    return [Target("oracle: average JCT against this run's srtf (the aim)", report.avg_jct_s / srtf.avg_jct_s, 1.00)]

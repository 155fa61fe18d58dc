"""`rota forecast score --trace`: how good forecasts would have been on past jobs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rota.domain.counts import say_count
from rota.domain.durations import say_duration
from rota.errors import BadRequest
from rota.failures import failures_told
from rota.forecast.score import Score
from rota.simulate.forecasts.report import Report, as_json
from rota.simulate.forecasts.run import judge_forecasts
from rota.simulate.replay.progress import progress
from rota.simulate.replay.setting import Stated, add_stated, setting_of, stated
from rota.simulate.replay.table import say_trace

NOBODY_WAITED = "Nobody had to wait for a first turn, so there was nothing to forecast. Try a smaller --fleet."


@dataclass(frozen=True, slots=True)
class Wanted:
    """The command line, checked."""

    stated: Stated
    every: int | None  #: of the jobs that wait, each so-many-th gets a forecast
    ends: bool  #: forecast the ends of jobs as well
    as_json: bool


def main() -> None:
    """Read the command line, replay, and say how good the forecasts were."""
    wanted = _read_command_line(sys.argv[1:])
    with failures_told(wanted.as_json):
        run(wanted)


def run(wanted: Wanted) -> None:
    """The whole of `rota forecast score --trace`."""
    setting = setting_of(wanted.stated)
    jobs = len(setting.trace.jobs)
    try:
        with progress("forecasts", jobs) as show:
            report = judge_forecasts(setting, wanted.every, show, has_ends=wanted.ends)
    except ValueError as stuck:
        raise BadRequest(f"{stuck}. Choose a --fleet of equal nodes that fits the largest jobs.") from None
    if wanted.as_json:
        print(json.dumps(as_json(report)))
        return
    print(say_trace(setting))
    print(f"\n{say_report(report) if report is not None else NOBODY_WAITED}")


def say_report(report: Report) -> str:
    """The figures, and what they mean."""
    walk, filled = (report.pinball / max(one, 1e-9) for one in (report.pinball_mean_walk, report.pinball_backfill))
    lines = [
        f"{say_count(report.waited, 'job')} had to wait for a first turn; for {report.forecasts:,} it was forecast.",
        f"  began by the 90 % bound             {_percent(report.coverage_90)}",
        f"  began by the likely moment          {_percent(report.median_below)}",
        f"  began by the 10 % bound             {_percent(report.early_below)}",
        f"  pinball loss                        {say_duration(report.pinball)}",
        f"    walking the queue with the mean   {say_duration(report.pinball_mean_walk)}   (Rota: {walk:.3f} of it)",
        f"    backfill with a limit of a day    {say_duration(report.pinball_backfill)}   (Rota: {filled:.3f} of it)",
        "",
        f"{'':<12}{'forecasts':>10}{'by the 90 % bound':>20}{'by the likely moment':>22}{'pinball':>10}",
        *_rows("next ", report.by_lead),
        *_rows("GPUs ", report.by_size),
    ]
    if report.ends is not None:
        ends = report.ends
        lines.append(
            f"Of {say_count(ends.forecasts, 'job')}, done by the 90 % bound: {_percent(ends.coverage_90)}, "
            f"by the likely moment: {_percent(ends.median_below)}"
        )
    if report.worst_week is not None:
        lines.append(f"Of {len(report.by_week)} weeks with many forecasts, the worst: {_percent(report.worst_week)}")
    lines.append(f"Replayed in {say_duration(report.wall_s)}.")
    return "\n".join(lines)


def _rows(what: str, scores: dict[str, Score]) -> list[str]:
    return [
        f"{what + name:<12}{one.forecasts:>10,}{_percent(one.coverage_90):>20}{_percent(one.median_below):>22}"
        f"{say_duration(one.pinball_s):>10}"
        for name, one in scores.items()
    ]


def _percent(part: float) -> str:
    return f"{100 * part:.1f} %"


def _read_command_line(words: Sequence[str]) -> Wanted:
    """What `cli/forecast.py` hands on."""
    parser = argparse.ArgumentParser(prog="rota forecast score")
    add_stated(parser)
    parser.add_argument("--every", type=int)
    parser.add_argument("--ends", action="store_true")
    parser.add_argument("--json", action="store_true", dest="as_json")
    given = vars(parser.parse_args(words))
    return Wanted(stated(given), **given)

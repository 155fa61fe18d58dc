"""Reports as people read them: one column a policy, one line a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rota.domain.counts import say_count
from rota.domain.durations import say_duration
from rota.simulate.replay.compare import Setting
from rota.simulate.replay.report import Report, offered_load


def _part(part: float) -> str:
    return f"{100 * part:.2f}%"


def _wait(seconds: float) -> str:
    return say_duration(seconds) if seconds else "none"


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.1f}" if ratio < 1000 else f"{ratio:,.0f}"


#: Label, and what it says of a report and of the first one.
LINES: tuple[tuple[str, Callable[[Report, Report], str]], ...] = (
    ("known of run times", lambda one, _: one.information),
    ("average JCT", lambda one, _: say_duration(one.avg_jct_s)),
    ("  against {first}", lambda one, first: _ratio(one.avg_jct_s / first.avg_jct_s)),
    ("median JCT", lambda one, _: say_duration(one.median_jct_s)),
    ("99th percentile JCT", lambda one, _: say_duration(one.p99_jct_s)),
    ("mean wait for the first turn", lambda one, _: _wait(one.mean_first_wait_s)),
    ("  99th percentile", lambda one, _: _wait(one.p99_first_wait_s)),
    ("  longest", lambda one, _: _wait(one.longest_first_wait_s)),
    ("largest slowdown", lambda one, _: _ratio(one.max_slowdown)),
    (
        "  99.9th percentile, jobs > 10min",
        lambda one, _: "-" if one.p999_slowdown_long is None else _ratio(one.p999_slowdown_long),
    ),
    ("finish-time fairness, 95th perc.", lambda one, _: _ratio(one.rho_p95)),
    ("preemptions", lambda one, _: f"{one.preemptions:,}"),
    ("stop-and-resume cost", lambda one, _: _part(one.cost_part)),
    ("makespan", lambda one, _: say_duration(one.makespan_s)),
    ("replayed in", lambda one, _: say_duration(one.wall_s)),
)


def say_trace(setting: Setting) -> str:
    """What was replayed on what, and what was left out."""
    trace, gpus = setting.trace, len(setting.fleet.gpus)
    load = offered_load(trace, setting.fastest_gpus)
    submits_s = trace.jobs[-1].submit_s - trace.jobs[0].submit_s
    said = f"{trace.name} on {setting.fleet_text} ({say_count(gpus, 'GPU')}): {say_count(len(trace.jobs), 'job')}"
    if load is not None:
        said += f", submitted over {say_duration(submits_s)}, offered load {load:.2f}"
    return said + "".join(f"\nLeft out: {why}" for why in trace.left_out)


def say_reports(reports: Sequence[Report]) -> str:
    """The table; the first policy is what the others are held against."""
    first = reports[0]
    heads = ["", *(one.policy for one in reports)]
    rows = [[label.format(first=first.policy), *(say(one, first) for one in reports)] for label, say in LINES]
    if len(reports) == 1:
        rows = [row for row in rows if not row[0].startswith("  against")]
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = []
    for label, *cells in [heads, *rows]:
        lines.append(
            f"{label:<{widths[0]}}" + "".join(f"  {cell:>{size}}" for cell, size in zip(cells, widths[1:], strict=True))
        )
    return "\n".join(lines)

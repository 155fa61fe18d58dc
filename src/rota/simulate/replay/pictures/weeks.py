"""Fairness over time: week by week, for jobs by finish time and slowdown, for projects by share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import altair as alt

from rota.simulate.replay.fairness import WEEK_S, finish_time_fairness, weekly_shares
from rota.simulate.replay.pictures.look import INK, WIDTH, log_ticks, said, series, series_colour, series_width, titled
from rota.simulate.replay.report import quantile
from rota.simulate.replay.values import Replayed

#: +20, 0, −20
SIGNED = "datum.value ? format(datum.value, '+d') : '0'"
#: The projects with the most GPU time have a panel each.
MOST_PANELS = 6


def fairness_chart(replays: Sequence[Replayed]) -> Any:
    """Finish-time fairness and slowdown of the jobs submitted in each week."""
    rows = [row for name, one in series(replays) for row in _weekly(name, one)]
    weeks = max(row["week"] for row in rows)
    upper = _panel(rows, "rho", "finish-time fairness rho", _week_axis(weeks, title=None), replays)
    lower = _panel(rows, "slowdown", "slowdown, median", _week_axis(weeks), replays)
    fair = alt.Chart(alt.InlineData(values=[{"rho": 1}])).mark_rule(color=INK, strokeDash=[4, 3]).encode(y="rho:Q")
    return titled(
        alt.vconcat(alt.layer(upper, fair), lower, spacing=26),
        "How fairly jobs were served, week by week",
        f"{said(replays)}, by the week of their submit.",
        "Above: 95th percentile of rho; over 1 (dashed), a job would have been done sooner alone on its equal share.",
    )


def _panel(rows: list[dict[str, Any]], field: str, title: str, x: alt.X, replays: Sequence[Replayed]) -> Any:
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(point={"size": 26, "filled": True}, strokeJoin="round")
        .encode(
            x=x,
            y=alt.Y(f"{field}:Q", title=title)
            .scale(type="log", nice=False, padding=10)
            .axis(values=log_ticks([row[field] for row in rows]), format=",~g"),
            color=series_colour(replays),
            strokeWidth=series_width(replays),
        )
        .properties(width=WIDTH, height=210)
    )


def _with_weight(project: str, weights: Mapping[str, float]) -> str:
    name = project or "no project"
    return f"{name}, weight {weights.get(project, 1.0):g}" if weights else name


def _week_axis(weeks: int, title: str | None = "week") -> alt.X:
    return (
        alt.X("week:Q", title=title)
        .scale(domain=[1, max(weeks, 2)], nice=False, padding=12)
        .axis(format="d", tickMinStep=1, grid=False)
    )


def _weekly(name: str, replayed: Replayed) -> list[dict[str, Any]]:
    rhos, slowdowns = defaultdict[int, list[float]](list), defaultdict[int, list[float]](list)
    for job, rho in zip(replayed.jobs, finish_time_fairness(replayed.jobs, len(replayed.gpus)), strict=True):
        week = int(job.job.submit_s // WEEK_S) + 1
        rhos[week].append(rho)
        slowdowns[week].append(job.slowdown)
    return [
        {
            "series": name,
            "week": week,
            "rho": round(quantile(sorted(rhos[week]), 0.95), 4),
            "slowdown": round(median(slowdowns[week]), 4),
        }
        for week in sorted(rhos)
    ]


def shares_chart(replays: Sequence[Replayed], weights: Mapping[str, float]) -> Any:
    """For each project and week, what it received more or less than it was entitled to."""
    rows: list[dict[str, Any]] = []
    received: dict[str, float] = defaultdict(float)
    for name, replayed in series(replays):
        for share in weekly_shares(replayed, weights):
            received[share.project] += share.received
            points = round(100 * (share.received - share.entitled), 3)
            rows.append({"series": name, "week": share.week, "project": share.project, "points": points})
    shown = sorted(sorted(received, key=lambda project: (-received[project], project))[:MOST_PANELS])
    named = {project: _with_weight(project, weights) for project in shown}
    rows = [{**row, "project": named[row["project"]]} for row in rows if row["project"] in named]
    weeks = max(row["week"] for row in rows)
    just = alt.Chart().mark_rule(color=INK, strokeDash=[4, 3]).encode(y=alt.datum(0))
    lines = (
        alt.Chart()
        .mark_line(strokeJoin="round", point={"size": 20, "filled": True})
        .encode(
            x=_week_axis(weeks),
            y=alt.Y("points:Q", title="points of the fleet").axis(tickCount=4, labelExpr=SIGNED),
            color=series_colour(replays),
            strokeWidth=series_width(replays),
        )
    )
    panels = (
        alt.layer(lines, just, data=alt.InlineData(values=rows))
        .properties(width=(WIDTH - 40) / 2, height=130)
        .facet(
            facet=alt.Facet("project:N", sort=list(named.values()), title=None),
            columns=2,
            spacing={"row": 22, "column": 40},
        )
    )
    more = f" The {MOST_PANELS} with the most GPU time of {len(received)}." if len(received) > len(shown) else ""
    return titled(
        panels,
        "What each project received, against what it was entitled to",
        f"{said(replays)}.{more}",
        "In points of the fleet's GPU time of the week; below 0 (dashed), it received less than it was entitled to.",
    )

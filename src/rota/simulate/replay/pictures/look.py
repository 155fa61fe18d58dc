"""How every picture looks: one palette, one type, one way to write a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from rota.domain.counts import say_count
from rota.simulate.replay.values import Replayed

WIDTH = 720  #: of the plot, in pixels of the SVG; the PNG has twice as many
INK, QUIET, FAINT = "#222222", "#666666", "#e6e6e6"

#: Okabe and Ito's palette (2008), which people with any kind of colour blindness can tell apart.
POLICY_COLOURS = {
    "rota": "#0072b2",
    "fifo": "#d55e00",
    "backfill": "#e69f00",
    "multifactor": "#cc79a7",
    "tiresias": "#009e73",
    "sjf": "#56b4e9",
    "srtf": "#333333",
}
#: The same, for up to seven projects or members; the last is for all others.
CATEGORY_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#b8a72d")
OTHERS_COLOUR = "#a8a8a8"
#: Job sizes from small to large: light to dark, so that they also differ in grey.
SIZE_COLOURS = ("#fde0a3", "#f6b26b", "#e0765a", "#a8417b", "#6b4596")

#: Ticks of a time axis that spans seconds to months.
TIME_TICKS = {
    1: "1 s",
    10: "10 s",
    60: "1 min",
    600: "10 min",
    3600: "1 h",
    6 * 3600: "6 h",
    86400: "1 d",
    7 * 86400: "1 wk",
    30 * 86400: "30 d",
    365 * 86400: "1 yr",
}

CONFIG: dict[str, Any] = {
    "background": "#ffffff",
    "font": "Helvetica, Arial, sans-serif",
    "padding": 16,
    "title": {
        "anchor": "start",
        "frame": "group",
        "fontSize": 17,
        "fontWeight": 600,
        "color": INK,
        "subtitleFontSize": 12,
        "subtitleColor": QUIET,
        "subtitlePadding": 5,
        "offset": 14,
    },
    "axis": {
        "labelColor": QUIET,
        "labelFontSize": 11,
        "titleColor": INK,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 10,
        "gridColor": FAINT,
        "domainColor": "#999999",
        "tickColor": "#999999",
        "tickSize": 4,
    },
    "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
    "legend": {
        "orient": "top",
        "direction": "horizontal",
        "title": None,
        "labelFontSize": 12,
        "labelColor": INK,
        "symbolSize": 180,
        "symbolStrokeWidth": 3,
        "columnPadding": 16,
        "offset": 6,
    },
    "header": {"labelFontSize": 12, "labelColor": INK, "labelFontWeight": 600, "labelAnchor": "start", "title": None},
    "view": {"stroke": None},
}


def series(replays: Sequence[Replayed]) -> list[tuple[str, Replayed]]:
    """Each replay with its name. The first comes last, for what is drawn last lies on top."""
    return list(zip(series_of(replays), replays, strict=True))[::-1]


def series_of(replays: Sequence[Replayed]) -> list[str]:
    """A name for each replay: its policy, and what it knows where they do not all know the same."""
    is_mixed = len({replayed.information for replayed in replays}) > 1
    return [f"{one.policy} ({one.information})" if is_mixed else one.policy for one in replays]


def series_colour(replays: Sequence[Replayed]) -> alt.Color:
    """Each replay in its policy's colour; the first comes first in the legend."""
    colours = [POLICY_COLOURS[replayed.policy] for replayed in replays]
    return alt.Color("series:N").scale(domain=series_of(replays), range=colours).legend(symbolType="stroke")


def series_width(replays: Sequence[Replayed]) -> alt.StrokeWidth:
    """The first one, against which the others are held, is drawn thicker."""
    widths = [3.2, *(2.0 for _ in replays[1:])]
    return alt.StrokeWidth("series:N").scale(domain=series_of(replays), range=widths).legend(None)


def time_axis(title: str, least_s: float, most_s: float) -> alt.X:
    """A logarithmic axis of times that people read: 10 min, 1 h, 1 d."""
    ticks = [tick for tick in TIME_TICKS if least_s <= tick <= most_s]
    named = "; ".join(f"{tick}: '{name}'" for tick, name in TIME_TICKS.items()).replace(";", ",")
    return (
        alt.X("seconds:Q", title=title)
        .scale(type="log", domain=[least_s, most_s], nice=False)
        .axis(values=ticks, labelExpr=f"({{{named}}})[datum.value]", labelFlush=False)
    )


def log_ticks(values: Sequence[float]) -> list[float]:
    """Where a logarithmic axis over these has its lines: at powers of ten, or at 1, 2 and 5 where they span less."""
    least, most = min(values), max(values)
    steps = (1,) if most / least > 100 else (1, 2, 5)
    powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    return [step * 10.0**power for power in powers for step in steps]


def titled(chart: Any, title: str, *subtitle: str) -> Any:
    """With a title, and under it what was replayed."""
    return chart.properties(title=alt.TitleParams(title, subtitle=list(subtitle)))


def said(replays: Sequence[Replayed]) -> str:
    """What all the replays have in common: "philly-b436b2 on 8x h100:8, 7,423 jobs"."""
    first = replays[0]
    return f"{first.trace} on {first.fleet}, {say_count(len(first.jobs), 'job')}"

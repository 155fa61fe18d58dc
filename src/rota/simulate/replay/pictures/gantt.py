"""One day of one replay: a row for each GPU, a bar for each turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from rota.domain.counts import say_count
from rota.simulate.replay.days import DAY_S, Day
from rota.simulate.replay.pictures.look import (
    CATEGORY_COLOURS,
    INK,
    OTHERS_COLOUR,
    QUIET,
    SIZE_COLOURS,
    WIDTH,
    titled,
)
from rota.simulate.replay.values import PastTurn, Replayed, TraceJob

GANTT_WIDTH = WIDTH + 240
ROW_HEIGHT, MOST_HEIGHT = 13.0, 1400.0
OTHERS = "others"
#: Size classes, by the most GPUs of each.
SIZES = ((1, "1 GPU"), (2, "2 GPUs"), (4, "3 to 4 GPUs"), (8, "5 to 8 GPUs"), (10**9, "more than 8 GPUs"))
#: A number fits into a bar so long; seconds.
LABELLED_S = 3600.0
#: Edges of shorter or lower bars would run into each other; seconds, pixels.
EDGED_S, EDGED_HEIGHT = 300.0, 6.0


@dataclass(frozen=True, slots=True)
class Key:
    """What the colours mean."""

    what: str  #: "project"
    names: tuple[str, ...]
    colours: tuple[str, ...]
    name_of: Callable[[TraceJob], str]

    def ink_on(self, job: TraceJob) -> str:
        """The colour of a text on a job's bar: dark on light, light on dark."""
        colour = self.colours[self.names.index(self.name_of(job))]
        red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
        return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 120 else "#ffffff"


def gantt_chart(replayed: Replayed, day: Day) -> Any:
    """Who had which GPU on this day."""
    turns = [turn for turn in replayed.turns if turn.began_s < day.began_s + DAY_S and turn.ended_s > day.began_s]
    jobs = {past.job.id: past.job for past in replayed.jobs}
    finishes = {past.job.id: past.finish_s for past in replayed.jobs}
    shown = {turn.job for turn in turns}
    key = _key(replayed, [jobs[turn.job] for turn in turns])
    row_of = {label: row for row, label in enumerate(replayed.gpus)}
    bars: list[dict[str, Any]] = [
        {
            "from": round(max(turn.began_s - day.began_s, 0.0) / 3600, 4),
            "to": round(min(turn.ended_s - day.began_s, DAY_S) / 3600, 4),
            "top": top,
            "bottom": bottom,
            "name": key.name_of(jobs[turn.job]),
            "job": str(turn.job),
            "ink": key.ink_on(jobs[turn.job]),
            "is_done": turn.ended_s - turn.began_s > EDGED_S
            and finishes[turn.job] <= turn.ended_s <= day.began_s + DAY_S,
        }
        for turn in turns
        for top, bottom in _blocks(turn, row_of)
    ]
    row_height = min(ROW_HEIGHT, MOST_HEIGHT / len(replayed.gpus))
    layers = [*_bars(bars, key, len(replayed.gpus), row_height), *_nodes(replayed.gpus, row_height)]
    busy = sum((bar["bottom"] - bar["top"]) * (bar["to"] - bar["from"]) for bar in bars) / (len(replayed.gpus) * 24)
    stopped = sum(turn.is_preempted and turn.ended_s <= day.began_s + DAY_S for turn in turns)
    return titled(
        alt.layer(*layers).properties(width=GANTT_WIDTH, height=row_height * len(replayed.gpus)),
        f"Who had which GPU on {day.name} under {replayed.policy}",
        f"{replayed.trace} on {replayed.fleet}: {say_count(len(turns), 'turn')} of {say_count(len(shown), 'job')}; "
        f"{say_count(stopped, 'turn')} ended because somebody else's had come; GPUs busy {100 * busy:.0f}% of the day.",
        f"Colour: {key.what}." + (" A dark edge: the job was done." if row_height >= EDGED_HEIGHT else ""),
    )


def _blocks(turn: PastTurn, row_of: dict[str, int]) -> list[tuple[int, int]]:
    """GPUs side by side are one block, so that a gang is seen as one."""
    rows = sorted(row_of[label] for label in turn.gpus)
    blocks: list[tuple[int, int]] = []
    for row in rows:
        if blocks and blocks[-1][1] == row:
            blocks[-1] = (blocks[-1][0], row + 1)
        else:
            blocks.append((row, row + 1))
    return blocks


def _key(replayed: Replayed, shown: Sequence[TraceJob]) -> Key:
    """By project where there are several, else by member, else by the size of the job."""
    for what in ("project", "member"):
        count = Counter(str(getattr(job, what)) or "nobody named" for job in shown)
        if len({getattr(past.job, what) for past in replayed.jobs}) > 1:
            most = sorted(name for name, _ in count.most_common(len(CATEGORY_COLOURS)))
            rest = (OTHERS,) if len(count) > len(most) else ()
            colours = (*CATEGORY_COLOURS[: len(most)], *([OTHERS_COLOUR] if rest else []))
            return Key(what, (*most, *rest), colours, _named(what, frozenset(most)))
    return Key("how many GPUs the job has", tuple(name for _, name in SIZES), SIZE_COLOURS, _size)


def _named(what: str, most: frozenset[str]) -> Callable[[TraceJob], str]:
    def name_of(job: TraceJob) -> str:
        name = str(getattr(job, what)) or "nobody named"
        return name if name in most else OTHERS

    return name_of


def _size(job: TraceJob) -> str:
    return next(name for most, name in SIZES if job.gpus <= most)


def _bars(bars: list[dict[str, Any]], key: Key, rows: int, row_height: float) -> list[alt.Chart]:
    x = (
        alt.X("from:Q", title="hour of the day")
        .scale(domain=[0, 24], nice=False)
        .axis(values=list(range(0, 25, 2)), format="d", gridColor="#f3f3f3")
    )
    y = alt.Y("top:Q", title=None).scale(domain=[0, rows], reverse=True, nice=False).axis(None)
    chart = alt.Chart(alt.InlineData(values=bars))
    gap = alt.condition(f"datum.to - datum.from > {EDGED_S / 3600}", alt.value(min(0.8, row_height / 10)), alt.value(0))
    blocks = chart.mark_rect(stroke="#ffffff").encode(
        strokeWidth=gap,  # white around a bar of a pixel would leave nothing of it
        x=x,
        x2="to:Q",
        y=y,
        y2="bottom:Q",
        color=alt.Color("name:N").scale(domain=list(key.names), range=list(key.colours)).legend(symbolType="square"),
    )
    done = chart.transform_filter("datum.is_done").mark_rule(color=INK, strokeWidth=1.1).encode(
        x="to:Q", y=y, y2="bottom:Q"
    )  # fmt: skip
    layers = [blocks, done] if row_height >= EDGED_HEIGHT else [blocks]
    if row_height >= ROW_HEIGHT:
        layers.append(
            chart.transform_filter(f"datum.to - datum.from > {LABELLED_S / 3600}")
            .transform_calculate(x="(datum.from + datum.to) / 2", y="(datum.top + datum.bottom) / 2")
            .mark_text(fontSize=9)
            .encode(x="x:Q", y=alt.Y("y:Q").axis(None), text="job:N", color=alt.Color("ink:N").scale(None))
        )
    return layers


def _nodes(gpus: Sequence[str], row_height: float) -> list[alt.Chart]:
    """Each node's name beside its rows, and a line between nodes."""
    rows: dict[str, list[int]] = {}
    for row, label in enumerate(gpus):
        rows.setdefault(label.rpartition(":")[0], []).append(row)
    nodes = [{"node": name, "middle": (of[0] + of[-1] + 1) / 2, "top": of[0]} for name, of in rows.items()]
    step = max(1, round(12 / (row_height * len(gpus) / len(nodes))))  # names that would touch are left out
    names = (
        alt.Chart(alt.InlineData(values=nodes[::step]))
        .mark_text(align="right", dx=-8, fontSize=11, color=QUIET)
        .encode(x=alt.datum(0), y=alt.Y("middle:Q").axis(None), text="node:N")
    )
    lines = (
        alt.Chart(alt.InlineData(values=nodes[1:]))
        .mark_rule(color=QUIET, strokeWidth=0.8)
        .encode(y=alt.Y("top:Q").axis(None))
    )
    return [lines, names]

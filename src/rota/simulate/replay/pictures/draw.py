"""All pictures of a comparison, written as SVG and PNG."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from rota.errors import BadRequest
from rota.simulate.replay.compare import Setting
from rota.simulate.replay.days import Day, number_at, numbered_day
from rota.simulate.replay.pictures.gantt import gantt_chart
from rota.simulate.replay.pictures.look import CONFIG
from rota.simulate.replay.pictures.spread import first_wait_chart, jct_chart
from rota.simulate.replay.pictures.weeks import fairness_chart, shares_chart
from rota.simulate.replay.values import Replayed

PNG_SCALE = 2.0


def draw(folder: Path, setting: Setting, replays: Sequence[Replayed], day: Day | None) -> list[Path]:
    """The paths of what was drawn into a folder that is there; the day is a busy one by default. Raises BadRequest."""
    paths = []
    try:
        for name, chart in _charts(setting, replays, day):
            svg, png = render(chart)
            for path, content in ((folder / f"{name}.svg", svg.encode()), (folder / f"{name}.png", png)):
                path.write_bytes(content)
                paths.append(path)
    except OSError as failed:
        raise BadRequest(
            f"Pictures cannot be drawn into {folder}: {failed.strerror}. Choose another folder with --pictures."
        ) from None
    return paths


def render(chart: Any) -> tuple[str, bytes]:
    """As SVG, and as PNG from that very SVG."""
    with alt.data_transformers.enable("default", max_rows=None):
        spec = chart.to_dict()
    svg = vl_convert.vegalite_to_svg({**spec, "config": CONFIG}, allowed_base_urls=[])
    return svg, vl_convert.svg_to_png(svg, scale=PNG_SCALE)


def _charts(setting: Setting, replays: Sequence[Replayed], day: Day | None) -> Iterator[tuple[str, Any]]:
    yield "jct", jct_chart(replays)
    yield "first-waits", first_wait_chart(replays)
    yield "fairness", fairness_chart(replays)
    if len({job.project for job in setting.trace.jobs}) > 1:
        yield "shares", shares_chart(replays, setting.rules.project_weights)
    shown = day or _busy_day(setting, replays[0])
    for replayed in replays:
        yield f"turns-{replayed.policy}", gantt_chart(replayed, shown)


def _busy_day(setting: Setting, replayed: Replayed) -> Day:
    """The day on which more turns began than on three of four others: full, and still to be read."""
    began = Counter(number_at(turn.began_s, setting.trace) for turn in replayed.turns)
    ascending = sorted(began, key=lambda number: (began[number], number))
    return numbered_day(ascending[len(ascending) * 3 // 4], setting.trace)

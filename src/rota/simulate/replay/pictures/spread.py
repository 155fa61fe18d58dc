"""How job completion times and waits are spread: for each time, the part of the jobs that took no longer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import altair as alt

from rota.simulate.replay.pictures.look import WIDTH, said, series, series_colour, series_width, time_axis, titled
from rota.simulate.replay.report import quantile
from rota.simulate.replay.values import PastJob, Replayed

#: A curve is drawn through so many points, whatever the number of jobs.
POINTS = 400
#: The shortest are left of the picture: a job of one second would take up half of a logarithmic axis.
HIDDEN_PART = 0.004
LEAST_S = 1.0  #: what takes less is drawn as this: a logarithm has no zero


def jct_chart(replays: Sequence[Replayed]) -> Any:
    """Submit to finish."""
    chart = _spread(replays, lambda job: job.jct_s, "from submit to finish (logarithmic)")
    return titled(chart, "How long until a job is done", said(replays))


def first_wait_chart(replays: Sequence[Replayed]) -> Any:
    """Submit to the first turn."""
    chart = _spread(replays, lambda job: job.first_wait_s, "from submit to the first turn (logarithmic)")
    at_once = "A curve that begins above 0%: so many jobs began at once"
    return titled(chart, "How long until a job's first turn", f"{said(replays)}. {at_once}.")


def _spread(replays: Sequence[Replayed], time_of: Callable[[PastJob], float], title: str) -> Any:
    rows = []
    least, most = [], [LEAST_S * 60]
    for name, replayed in series(replays):
        ascending = sorted(max(time_of(job), LEAST_S) for job in replayed.jobs)
        curve = [(quantile(ascending, place / POINTS), place / POINTS) for place in range(POINTS + 1)]
        begins = max((place for place, (seconds, _) in enumerate(curve) if seconds == LEAST_S), default=0)
        rows += [{"series": name, "seconds": round(seconds, 3), "part": part} for seconds, part in curve[begins:]]
        least.append(quantile(ascending, HIDDEN_PART))
        most.append(ascending[-1])
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeJoin="round", clip=True)
        .encode(
            x=time_axis(title, min(least), max(most) * 1.1),
            y=alt.Y("part:Q", title="part of the jobs").scale(domain=[0, 1]).axis(format=".0%", tickCount=5),
            color=series_colour(replays),
            strokeWidth=series_width(replays),
        )
        .properties(width=WIDTH, height=340)
    )

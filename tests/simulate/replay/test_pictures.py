"""Pictures: that they are drawn, what is written on them, and that they show what was replayed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rota.simulate.replay.days import DAY_S, Day
from rota.simulate.replay.pictures import gantt
from rota.simulate.replay.pictures.draw import draw, render
from rota.simulate.replay.pictures.look import CATEGORY_COLOURS, POLICY_COLOURS, SIZE_COLOURS
from rota.simulate.replay.pictures.spread import first_wait_chart, jct_chart
from rota.simulate.replay.pictures.weeks import fairness_chart, shares_chart
from rota.simulate.replay.values import PastTurn, Replayed, Trace, TraceJob
from tests.simulate.replay.builders import a_busy_trace, a_past, a_replay, a_setting, a_trace, replayed

BUSY = a_busy_trace(300)
ANONYMOUS = Trace("nameless", tuple([replace(job, member="", project="") for job in BUSY.jobs]))


def texts(svg: str) -> list[str]:
    """What is written on a picture."""
    root = ElementTree.fromstring(svg)
    return [text.strip() for element in root.iter("{http://www.w3.org/2000/svg}text") for text in element.itertext()]


@pytest.fixture(scope="module")
def named() -> list[Replayed]:
    return [replayed(BUSY, policy, "h100:8") for policy in ("rota", "fifo")]


@pytest.fixture(scope="module")
def anonymous() -> list[Replayed]:
    return [replayed(ANONYMOUS, policy, "h100:8") for policy in ("rota", "srtf")]


def test_every_picture_is_written_as_svg_and_png(tmp_path: Path, named: list[Replayed]) -> None:
    paths = draw(tmp_path, a_setting(BUSY, "h100:8"), named, None)
    names = [f"{name}{end}" for name in ("jct", "first-waits", "fairness", "shares") for end in (".svg", ".png")]
    names += ["turns-rota.svg", "turns-rota.png", "turns-fifo.svg", "turns-fifo.png"]
    assert [path.name for path in paths] == names
    for path in paths:
        start = path.read_bytes()[:8]
        assert start == b"\x89PNG\r\n\x1a\n" if path.suffix == ".png" else start.startswith(b"<svg")


def test_without_projects_there_is_no_picture_of_shares(tmp_path: Path, anonymous: list[Replayed]) -> None:
    paths = draw(tmp_path, a_setting(ANONYMOUS, "h100:8"), anonymous, Day(0.0, "day 1"))
    assert not any(path.stem == "shares" for path in paths)


def test_axes_say_what_they_show_in_units_that_people_use(named: list[Replayed]) -> None:
    written = texts(render(jct_chart(named))[0])
    assert "How long until a job is done" in written
    assert "busy on h100:8, 300 jobs" in written
    assert {"rota (noisy)", "fifo (none)", "from submit to finish (logarithmic)", "part of the jobs"} <= set(written)
    assert {"1 h", "1 d", "0%", "100%"} <= set(written)


def test_what_a_policy_knows_is_told_where_they_know_different_things(anonymous: list[Replayed]) -> None:
    assert {"rota (noisy)", "srtf (oracle)"} <= set(texts(render(first_wait_chart(anonymous))[0]))


def test_each_policy_has_its_own_colour_and_the_first_lies_on_top(named: list[Replayed]) -> None:
    svg = render(jct_chart(named))[0]
    lines = [colour for path, colour in re.findall(r'd="([^"]*)"[^>]* stroke="([^"]*)"', svg) if path.count("L") > 50]
    assert lines == [POLICY_COLOURS["fifo"], POLICY_COLOURS["rota"]]
    assert len(set(POLICY_COLOURS.values())) == len(POLICY_COLOURS)


def test_fairness_is_shown_by_week(named: list[Replayed]) -> None:
    written = texts(render(fairness_chart(named))[0])
    assert {"finish-time fairness rho", "slowdown, median", "week"} <= set(written)


def test_shares_have_a_panel_for_each_project_with_its_weight(named: list[Replayed]) -> None:
    written = texts(render(shares_chart(named, {"p1": 2.0}))[0])
    assert {"p0, weight 1", "p1, weight 2"} <= set(written)
    assert {"p0", "p1"} <= set(texts(render(shares_chart(named, {}))[0]))


def test_a_picture_is_the_same_every_time(named: list[Replayed]) -> None:
    first, second = (re.sub(r"clip\d+", "clip", render(jct_chart(named))[0]) for _ in range(2))  # they are counted
    assert first == second


def test_a_trace_of_one_job_can_be_drawn(tmp_path: Path) -> None:
    trace = a_trace((0, 1, 60))
    past = replayed(trace, "fifo", "h100:1")
    assert len(draw(tmp_path, a_setting(trace), [past], None)) == 8


# Who had which GPU


def two_jobs(**who: str) -> Replayed:
    """A job of one GPU has two turns, one of eight GPUs has one between them."""
    small, wide = TraceJob(1, 0.0, 1, 7200.0), replace(TraceJob(2, 0.0, 8, 3600.0), **who)
    gpus = tuple(f"h100-1:{index}" for index in range(8))
    spans = ((1, gpus[:1], 0.0), (2, gpus, 3600.0), (1, gpus[3:4], 7200.0))
    turns = tuple(PastTurn(job, held, began_s, began_s + 3600.0, False) for job, held, began_s in spans)
    return a_replay(a_past(small, 0.0, 10800.0, 2), a_past(wide, 3600.0, 7200.0), turns=turns, gpus=8)


def bars_in(svg: str, colours: Sequence[str]) -> list[int]:
    """How many bars have each of these colours; one more is in the legend."""
    return [svg.count(f'fill="{colour}"') - 1 for colour in colours]


def test_a_days_turns_are_bars_in_the_colour_of_their_project(named: list[Replayed]) -> None:
    written = texts(render(gantt.gantt_chart(named[0], Day(DAY_S, "day 2")))[0])
    assert "Who had which GPU on day 2 under rota" in written
    assert {"p0", "p1", "h100-1", "hour of the day", "24"} <= set(written)
    svg = render(gantt.gantt_chart(two_jobs(project="p2"), Day(0.0, "day 1")))[0]
    assert bars_in(svg, CATEGORY_COLOURS[:2]) == [2, 1]


def test_without_names_the_colour_is_the_size_of_the_job() -> None:
    svg = render(gantt.gantt_chart(two_jobs(), Day(0.0, "day 1")))[0]
    assert {"1 GPU", "5 to 8 GPUs"} <= set(texts(svg))
    assert bars_in(svg, SIZE_COLOURS) == [2, 0, 0, 1, 0]


def test_gpus_side_by_side_are_one_block() -> None:
    rows = {f"h100-1:{index}": index for index in range(8)}
    turn = PastTurn(1, ("h100-1:0", "h100-1:1", "h100-1:5", "h100-1:4", "h100-1:7"), 0.0, 1.0, False)
    assert gantt._blocks(turn, rows) == [(0, 2), (4, 6), (7, 8)]


def test_the_subtitle_counts_what_is_shown() -> None:
    jobs = [TraceJob(1, 0.0, 1, DAY_S), TraceJob(2, 0.0, 1, 10.0)]
    turns = (
        PastTurn(1, ("h100-1:0",), 0.0, DAY_S / 2, True),
        PastTurn(2, ("h100-1:0",), DAY_S / 2, DAY_S / 2 + 10, False),
        PastTurn(1, ("h100-1:1",), DAY_S, 2 * DAY_S, False),
    )
    past = a_replay(a_past(jobs[0], 0.0, 2 * DAY_S, 2), a_past(jobs[1], DAY_S / 2, DAY_S / 2 + 10), turns=turns)
    written = texts(render(gantt.gantt_chart(past, Day(0.0, "day 1")))[0])
    told = "2 turns of 2 jobs; 1 turn ended because somebody else's had come; GPUs busy 25% of the day."
    assert f"small on h100:2: {told}" in written


def test_a_day_of_ten_thousand_turns_on_five_hundred_gpus_can_be_drawn() -> None:
    labels = [f"h100-{node}:{index}" for node in range(63) for index in range(8)]
    turns = tuple(
        PastTurn(number, (labels[number % 504],), (number // 504) * 4000.0, (number // 504) * 4000.0 + 3900, False)
        for number in range(10_000)
    )
    jobs = [a_past(TraceJob(turn.job, 0.0, 1, 3900.0), turn.began_s, turn.ended_s) for turn in turns]
    past = a_replay(*jobs, turns=turns, gpus=1, fleet="63x h100:8")
    svg, png = render(gantt.gantt_chart(replace(past, gpus=tuple(labels)), Day(0.0, "day 1")))
    assert len(svg) < 8_000_000
    assert len(png) < 4_000_000

"""What if I ask for less: which variants are compared, and how they are told."""

from __future__ import annotations

from typing import Any

from rota.cli.compare import HEADS, LIKE_JOBS, LIKELY, SAME_HOURS, Tier, shown, variants

GIB = 2**30
HOUR_S = 3600.0
NOW = 1_795_500_000.0
TIERS = [Tier("h100", 80 * GIB, 1.0), Tier("a100", 40 * GIB, 0.5), Tier("rtx3090", 24 * GIB, 0.25)]


def asking(**changes: Any) -> dict[str, Any]:
    return {"gpus": 1, "tiers": ["h100"], "gpu_memory_bytes": 0, "argv": ["train"], **changes}


def a_row(name: str, begin_h: float, done_h: float, **changes: Any) -> dict[str, Any]:
    begin, finish = (dict.fromkeys(("early", "likely", "late"), NOW + at * HOUR_S) for at in (begin_h, done_h))
    row = {
        "name": name,
        "pace": "",
        "begin": begin,
        "finish": finish,
        "begins_later_s": 0.0,
        "done_later_s": 0.0,
        "refused": "",
    }
    return row | changes


def test_fewer_gpus_are_halves_down_to_one_that_take_the_longer() -> None:
    ways = variants(asking(gpus=5, time_s=8 * HOUR_S), TIERS[:1])
    assert [(way.name, way.gpus, way.time_s) for way in ways] == [
        ("as asked", 5, 8 * HOUR_S),
        ("--time 4h", 5, 4 * HOUR_S),
        ("--gpus 2", 2, 20 * HOUR_S),
        ("--gpus 1", 1, 40 * HOUR_S),
    ]


def test_other_tiers_are_those_that_fit_with_their_speed_against_what_was_asked() -> None:
    ways = variants(asking(gpu_memory_bytes=30 * GIB), TIERS)
    assert [(way.name, way.tiers, way.pace) for way in ways] == [
        ("as asked", ("h100",), ""),
        ("--tier a100", ("a100",), "about 2.0x slower"),
    ]
    ways = variants(asking(tiers=["rtx3090"]), TIERS)
    assert [(way.name, way.pace) for way in ways[1:]] == [
        ("--tier h100", "about 4.0x faster"),
        ("--tier a100", "about 2.0x faster"),
    ]


def test_for_any_tier_each_is_compared() -> None:
    assert [way.tiers for way in variants(asking(tiers=["any"]), TIERS)] == [(), ("h100",), ("a100",), ("rtx3090",)]


def test_the_table_says_what_each_changes() -> None:
    rows = [
        a_row("as asked", 5, 10),
        a_row("--gpus 1", 2, 11, begins_later_s=-3 * HOUR_S, done_later_s=1 * HOUR_S),
        a_row("--time 4h", 5, 10, begins_later_s=-60.0, done_later_s=20.0),
        a_row("--tier rtx3090", 0, 9, begins_later_s=-5 * HOUR_S, done_later_s=-1 * HOUR_S, pace="about 4.0x slower"),
        a_row("--tier a100", 0, 0, refused="No node has 4 GPUs of tier a100.\nAsk for fewer."),
    ]
    lines = shown(rows, asking(gpus=2, time_s=8 * HOUR_S), NOW).splitlines()
    assert lines[0].split("  ")[0] == HEADS[0]
    assert lines[1].startswith("as asked")
    assert lines[2].endswith("begins 3h sooner, done 1h later")
    assert lines[3].endswith("about the same")
    assert lines[4].endswith("begins 5h sooner, done 1h sooner (about 4.0x slower)")
    assert lines[5].endswith("  No node has 4 GPUs of tier a100.")
    assert lines[6:] == [LIKELY, SAME_HOURS]


def test_without_a_stated_time_fewer_gpus_are_not_claimed_to_be_comparable() -> None:
    assert shown([a_row("as asked", 5, 10)], asking(gpus=2), NOW).splitlines()[-1] == LIKE_JOBS


def test_when_nobody_waits_it_says_so() -> None:
    said = shown([a_row("as asked", 0, 3), a_row("--gpus 1", 0, 6)], asking(), NOW)
    assert said.splitlines()[-1] == "All begin at once: nobody waits for these GPUs."

"""Many counting jobs in a rotating laboratory, and what must be true of them afterwards."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.end_to_end.session import Rota

NAME = "counter"


MEMBERS = ("kim", "lee", "park", "choi")


def submit_counters(rota: Rota, jobs: int, target: int, pace: str, *options: str) -> list[int]:
    """Jobs that count to `target`, one number each `pace` seconds; some on two GPUs; of four members or projects."""
    numbers = []
    for n in range(jobs):
        gpus, who = "2" if n % 10 == 9 else "1", MEMBERS[n % len(MEMBERS)]
        whose = ("--as", who) if rota.has_anybody else ("--project", who)
        numbers.append(rota.count(f"{NAME}-{n}", target, "--gpus", gpus, *whose, *options, pace=pace))
    return numbers


def turn_folders(rota: Rota) -> list[Path]:
    """The folders of all turns, and nothing else that is beside them."""
    return [folder.parent for folder in (rota.state / "turns").glob("*/order.json")]


def check_counts(rota: Rota, jobs: int, target: int) -> None:
    """Every job counted to exactly its target: no number twice, none missing."""
    for n in range(jobs):
        checkpoint = json.loads((rota.state / f"{NAME}-{n}.json").read_text())
        assert checkpoint["numbers"] == list(range(1, target + 1)), f"{NAME}-{n} counted {checkpoint['numbers'][-5:]}"


def check_turns(rota: Rota) -> int:
    """No turn ran twice, no two ever held one GPU at once, by the keepers' own files. Returns how many there were."""
    held: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    turns = 0
    for folder in turn_folders(rota):
        order, end = _read(folder)
        turns += 1
        if end["began_at"] is None:
            continue
        for gpu in order["gpus"]:
            held[gpu].append((end["began_at"], end["at"], folder.name))
    for gpu, spans in held.items():
        spans.sort()
        for (_, until, first), (since, _, second) in itertools.pairwise(spans):
            assert since >= until - 0.005, f"{first} and {second} held {gpu} together for {until - since:.3f} s"
    return turns


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was ordered, and how it ended; nothing was executed for a turn that ended before it was given to anybody."""
    order, end = folder / "order.json", folder / "exit.json"
    never: dict[str, Any] = {"began_at": None, "clock_s": 0.0}
    assert end.exists() or not (folder / "begun.json").exists(), f"{folder.name} began, and never ended"
    return json.loads(order.read_text()), json.loads(end.read_text()) if end.exists() else never


def check_record(rota: Rota) -> tuple[float, float]:
    """GPU-seconds in the record equal the keepers' own clocks within 1 %. Returns both."""
    with sqlite3.connect(f"file:{rota.state / 'rota.db'}?mode=ro", uri=True) as database:
        recorded = dict(database.execute("select id, gpu_s from turns").fetchall())
    kept: dict[str, float] = {}
    for folder in turn_folders(rota):
        order, end = _read(folder)
        kept[folder.name] = end["clock_s"] * len(order["gpus"])
    assert kept.keys() <= recorded.keys()
    assert {turn for turn, gpu_s in recorded.items() if gpu_s} <= kept.keys()
    total, by_keepers = sum(recorded.values()), sum(kept.values())
    assert abs(total - by_keepers) <= 0.01 * by_keepers, f"recorded {total:.1f}, keepers say {by_keepers:.1f}"
    return total, by_keepers

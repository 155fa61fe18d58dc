"""Many counting jobs in a rotating laboratory, and what must be true of them afterwards."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections import defaultdict

from tests.end_to_end.session import Rota

NAME = "counter"


def submit_counters(rota: Rota, jobs: int, target: int, pace: str) -> list[int]:
    """Jobs that count to `target`, one number each `pace` seconds; also on two GPUs, and of four members."""
    members = ("kim", "lee", "park", "choi")
    return [
        rota.count(f"{NAME}-{n}", target, "--gpus", "2" if n % 10 == 9 else "1", pace=pace, member=members[n % 4])
        for n in range(jobs)
    ]


def check_counts(rota: Rota, jobs: int, target: int) -> None:
    """Every job counted to exactly its target: no number twice, none missing."""
    for n in range(jobs):
        checkpoint = json.loads((rota.state / f"{NAME}-{n}.json").read_text())
        assert checkpoint["numbers"] == list(range(1, target + 1)), f"{NAME}-{n} counted {checkpoint['numbers'][-5:]}"


def check_turns(rota: Rota) -> int:
    """No turn ran twice, no two ever held one GPU at once, by the keepers' own files. Returns how many there were."""
    held: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    turns = 0
    for folder in (rota.state / "turns").iterdir():
        order, end = json.loads((folder / "order.json").read_text()), json.loads((folder / "exit.json").read_text())
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


def check_record(rota: Rota) -> tuple[float, float]:
    """GPU-seconds in the record equal the keepers' own clocks within 1 %. Returns both."""
    with sqlite3.connect(f"file:{rota.state / 'rota.db'}?mode=ro", uri=True) as database:
        recorded = dict(database.execute("select id, gpu_s from turns").fetchall())
    kept: dict[str, float] = {}
    for folder in (rota.state / "turns").iterdir():
        order, end = json.loads((folder / "order.json").read_text()), json.loads((folder / "exit.json").read_text())
        kept[folder.name] = end["clock_s"] * len(order["gpus"])
    assert recorded.keys() == kept.keys()
    total, by_keepers = sum(recorded.values()), sum(kept.values())
    assert abs(total - by_keepers) <= 0.01 * by_keepers, f"recorded {total:.1f}, keepers say {by_keepers:.1f}"
    return total, by_keepers

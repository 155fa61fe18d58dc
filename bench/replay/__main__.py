"""`python -m bench.replay`: what Rota's policy must show, with targets. Nothing fails when a machine is slow."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.replay.cases import FLEETS, Case, cases_in
from bench.replay.completion import ALL, FEW, show_completion
from bench.replay.growth import SIZES, show_growth
from bench.replay.laws import FLOODS, show_laws
from bench.replay.speed import show_speed

SOURCES = """\
from Microsoft's Philly trace, CC-BY-4.0, github.com/msr-fiddle/philly-traces (Jeon et al., USENIX ATC 2019).
Known figures: Lucid's open simulator (Hu et al., ASPLOS 2023) and our own sketches, run on the same jobs and fleets
with the same cost of a preemption.
"""
PARTS = ("completion", "speed", "growth", "laws")


def main(words: Sequence[str]) -> None:
    """All parts, one after the other; what is measured in time runs alone."""
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description=__doc__)
    parser.add_argument("--traces", metavar="DIR", help=f"folder with any of {', '.join(FLEETS)} as .csv.gz or .csv")
    parser.add_argument("--quick", action="store_true", help="made-up laboratories only, few policies and sizes")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be given several times")
    wanted = parser.parse_args(words)
    folder = wanted.traces or os.environ.get("ROTA_TRACES")
    cases = cases_in(Path(folder) if folder and not wanted.quick else None)
    shows = _quick(cases) if wanted.quick else _whole(cases)
    print(_traces_said(folder, cases, is_quick=wanted.quick), flush=True)
    for part in PARTS:
        if not wanted.only or part in wanted.only:
            shows[part]()


def _whole(cases: Sequence[Case]) -> dict[str, Callable[[], None]]:
    return {
        "completion": lambda: show_completion(cases, ALL),
        "speed": lambda: show_speed(cases),
        "growth": show_growth,
        "laws": lambda: show_laws(cases),
    }


def _quick(cases: Sequence[Case]) -> dict[str, Callable[[], None]]:
    return {
        "completion": lambda: show_completion(cases, FEW),
        "speed": lambda: show_speed(cases, runs=1),
        "growth": lambda: show_growth(SIZES[:3]),
        "laws": lambda: show_laws(cases, FLOODS[1:]),
    }


def _traces_said(folder: str | None, cases: Sequence[Case], *, is_quick: bool) -> str:
    found = [case.name for case in cases if case.path is not None]
    if found:
        return f"Traces: {', '.join(found)}\n{SOURCES}"
    if is_quick:
        return "Made-up laboratories only (--quick).\n"
    where = f"There is none of them in {folder}" if folder else "Say where traces are"
    return f"Made-up laboratories only. {where}: make bench-replay TRACES=DIR with any of {', '.join(FLEETS)} in it.\n"


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)

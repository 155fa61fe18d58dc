"""`python -m bench.forecast`: what forecasts must show, with targets. Nothing fails when a machine is slow."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.forecast.accuracy import show_accuracy
from bench.forecast.cost import show_cost
from bench.replay.cases import FLEETS, cases_in

PARTS = ("cost", "accuracy")
QUICK_EVERY = 40


def main(words: Sequence[str]) -> None:
    """Cost first, as it is measured in time; then each laboratory, two at a time."""
    parser = argparse.ArgumentParser(prog="python -m bench.forecast", description=__doc__)
    parser.add_argument("--traces", metavar="DIR", help=f"folder with any of {', '.join(FLEETS)} as .csv.gz or .csv")
    parser.add_argument("--quick", action="store_true", help="made-up laboratories only, few forecasts")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be given twice")
    wanted = parser.parse_args(words)
    folder = wanted.traces or os.environ.get("ROTA_TRACES")
    cases = [case for case in cases_in(Path(folder) if folder and not wanted.quick else None) if case.path is not None]
    if not wanted.only or "cost" in wanted.only:
        show_cost()
    if not wanted.only or "accuracy" in wanted.only:
        show_accuracy(cases, QUICK_EVERY if wanted.quick else None)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)

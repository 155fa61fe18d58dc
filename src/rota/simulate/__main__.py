"""`python -m rota.simulate --seed N`: run one seed, or many, and show what happened."""

from __future__ import annotations

import argparse
import logging
import sys
import time
import traceback

import structlog

from rota.simulate.run import run, shrink
from rota.simulate.scenario import Scenario


def main() -> int:
    """Exit 0 when every invariant held, 1 with the seed otherwise."""
    parser = argparse.ArgumentParser(prog="python -m rota.simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds from there on")
    parser.add_argument("--jobs", type=int, default=Scenario().jobs, help="submits in the simulated day")
    wanted = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    scenario, began = Scenario(jobs=wanted.jobs), time.monotonic()
    turns = crashes = 0
    for seed in range(wanted.seed, wanted.seed + wanted.seeds):
        try:
            report = run(seed, scenario)
        except AssertionError:
            traceback.print_exc()
            smaller = shrink(seed, scenario)
            print(f"broken; smallest: python -m rota.simulate --seed {seed} --jobs {smaller.jobs}")
            return 1
        turns, crashes = turns + report.turns, crashes + report.crashes
        if sys.stderr.isatty():
            print(f"\r{seed - wanted.seed + 1}/{wanted.seeds}", end="", file=sys.stderr)
    spent_s = time.monotonic() - began
    print(f"{wanted.seeds} seeds: {turns} turns, {crashes} crashes, every invariant held ({spent_s:.1f} s)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

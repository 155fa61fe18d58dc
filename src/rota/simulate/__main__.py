"""`python -m rota.simulate`: run one day or many. A day that fails is made small, told, and replayed by one command."""

from __future__ import annotations

import argparse
import logging
import sys
import time
import traceback

import structlog

from rota.simulate.broken import kind_of
from rota.simulate.day import Day
from rota.simulate.run import Simulation, fails_alike, failure_of
from rota.simulate.scenario import Scenario, draw_day
from rota.simulate.shrink import shrink
from rota.simulate.story import story

SHOWN_FRAMES = 4  # of a defect's traceback


def main() -> int:
    """Exit 0 when every invariant held, 1 when one did not, 2 for a command line that makes no sense."""
    wanted = _read_command_line()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if wanted.only is not None or wanted.trace:
        return _one(wanted)
    began, turns, crashes = time.monotonic(), 0, 0
    for seed in range(wanted.seed, wanted.seed + wanted.seeds):
        day = draw_day(seed, Scenario(jobs=wanted.jobs))
        simulation = Simulation(day)
        try:
            report = simulation.run()
        except Exception as broken:  # an invariant, or a defect in any step: both are told
            _tell_smallest(day, broken, wanted.jobs)
            return 1
        turns, crashes = turns + report.turns, crashes + report.crashes
        if sys.stderr.isatty():
            print(f"\r{seed - wanted.seed + 1}/{wanted.seeds}", end="", file=sys.stderr)
    spent_s = time.monotonic() - began
    print(f"{wanted.seeds} seeds: {turns} turns, {crashes} crashes, every invariant held ({spent_s:.1f} s)")
    return 0


def _read_command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rota.simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds from there on")
    parser.add_argument("--jobs", type=int, default=Scenario().jobs, help="submits in the simulated day")
    parser.add_argument("--only", type=_numbers, metavar="3,17,40", help="of one seed, these happenings alone")
    parser.add_argument("--trace", action="store_true", help="of one seed, print every step")
    wanted = parser.parse_args()
    if wanted.seeds != 1 and (wanted.only is not None or wanted.trace):
        parser.error("--only and --trace are about one day: leave --seeds out.")
    return wanted


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def _one(wanted: argparse.Namespace) -> int:
    """One day, told."""
    day = draw_day(wanted.seed, Scenario(jobs=wanted.jobs))
    if wanted.only is not None:
        unknown = sorted(set(wanted.only) - day.happenings.keys())
        if unknown:
            print(
                f"Seed {wanted.seed} has happenings 1 to {len(day.happenings)}, and no {', '.join(map(str, unknown))}.",
                file=sys.stderr,
            )
            return 2
        day = day.only(wanted.only)
    print("\n".join(story(day)))
    simulation = Simulation(day, tell=print if wanted.trace else None)
    try:
        report = simulation.run()
    except Exception as broken:  # as above
        print(_said(broken))
        return 1
    print(f"{report.jobs} jobs, {report.turns} turns, {report.crashes} crashes, {report.steps} steps")
    print(f"every invariant held; record {report.record}")
    return 0


def _tell_smallest(day: Day, broken: Exception, jobs: int) -> None:
    """The story of the smallest day that fails in the same way, and the command for it."""
    print(f"Seed {day.seed} fails. {_said(broken)}\nMaking it smaller ...", flush=True)
    numbers = shrink(tuple(day.happenings), fails_alike(day, kind_of(broken)))
    smallest = day.only(numbers)
    print(f"\n{len(numbers)} of its {len(day.happenings)} happenings are enough:")
    print("\n".join(story(smallest)))
    print(_said(failure_of(smallest) or broken))
    print(f"\nagain: {command_for(smallest, jobs)}\nevery step: {command_for(smallest, jobs)} --trace")


def command_for(day: Day, jobs: int) -> str:
    """The command line that replays exactly this day."""
    size = "" if jobs == Scenario().jobs else f" --jobs {jobs}"
    return f"python -m rota.simulate --seed {day.seed}{size} --only {','.join(map(str, day.happenings))}"


def _said(broken: Exception) -> str:
    """The invariant and why; of a defect, also where it was raised."""
    if isinstance(broken, AssertionError):
        return f"Broken: {broken}"
    frames = "".join(traceback.format_tb(broken.__traceback__)[-SHOWN_FRAMES:])
    return f"Broken: {type(broken).__name__}: {broken}\n{frames}".rstrip()


if __name__ == "__main__":
    raise SystemExit(main())

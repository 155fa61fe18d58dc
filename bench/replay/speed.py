"""How fast a replay is, and how much memory it takes: processor time, each in a process of its own."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.replay.cases import Case, setting_of
from bench.replay.completion import ALL, Contestant, say_contestant
from bench.replay.synthetic import SMALL
from bench.replay.targets import Target, say_targets
from bench.replay.workers import in_workers
from rota.simulate.replay.compare import replay_one

RUNS = 3
MEASURED: tuple[Contestant, ...] = (ALL[0], ALL[6], ALL[7])
#: Jobs a second that are asked for; the policy of many laboratories and Rota's own.
FIFO_JOBS_A_S, ROTA_JOBS_A_S = 20_000.0, 3_000.0
MOST_MB = 500.0


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one contestant."""

    name: str
    jobs: int
    jobs_a_s: float  #: median
    peak_mb: float  #: resident, the trace and Python included


def show_speed(cases: Sequence[Case], runs: int = RUNS) -> None:
    """On the trace that the targets are about, else on the made-up laboratory with most jobs."""
    case = next((case for case in cases if case.name == "philly-6214e9"), Case(SMALL.name, SMALL.fleet))
    tasks = [(case, contestant, runs) for contestant in MEASURED]
    speeds = list(in_workers(_measure, tasks, "speed", workers=1, is_fresh=True))
    targets = []
    for speed in speeds:
        wanted = FIFO_JOBS_A_S if speed.name == "fifo" else ROTA_JOBS_A_S
        targets.append(Target(f"{speed.name}: jobs per second of CPU time", speed.jobs_a_s, wanted, "", 0, True))
        targets.append(Target(f"{speed.name}: peak memory", speed.peak_mb, MOST_MB, " MB", 0))
    print(f"Replaying {case.name} ({speeds[0].jobs:,} jobs), median of {runs}, one process")
    print(f"{say_targets(targets)}\n", flush=True)


def _measure(task: tuple[Case, Contestant, int]) -> Speed:
    case, contestant, runs = task
    policy, information = contestant
    setting = setting_of(case, information)
    jobs, spent_s, peak_mb = len(setting.trace.jobs), [], 0.0
    for _ in range(runs):
        began = time.process_time()
        replay_one(setting, policy, keeps_turns=False)
        spent_s.append(time.process_time() - began)
        peak_mb = peak_mb or peak_resident_mb()  # of the first: what is left of it is not the second's
    return Speed(say_contestant(contestant), jobs, jobs / median(spent_s), peak_mb)


def peak_resident_mb() -> float:
    """The most that this process has held so far."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says counts what the parent held before exec, too
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20

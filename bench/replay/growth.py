"""How the time of one plan grows with the laboratory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from bench.replay.laboratory import QUANTUM_S, Laboratory
from bench.replay.targets import Target, say_table, say_targets
from bench.replay.workers import clear, tell
from rota.policy.follow import Follower
from rota.policy.plan import plan
from rota.policy.values import Plan


@dataclass(frozen=True, slots=True)
class Size:
    """Of a laboratory, with the target for one step where there is one."""

    gpus: int
    waiting: int
    most_ms: float | None = None


SIZES = (
    Size(24, 1_000),
    Size(104, 2_000),
    Size(496, 10_000, 50.0),
    Size(4_000, 30_000),
    Size(50_000, 100_000, 2_000.0),
)
#: Before anything is measured, steps as long as an eighth of a quantum: then turns are anywhere in theirs.
SETTLING_STEPS = 8
#: One more such step before each round, so that the rounds are a whole quantum together: how long a step takes depends
#: on what waits and what is past its quantum just then. In a round, small steps, of which the first do not count.
ROUNDS, LEFT_OUT, COUNTED = 8, 4, 3
FRESH_RUNS = 3
HEADS = ("GPUs", "waiting", "begins+ends", "a step", "", "slowest", "afresh", "", "with all reasons", "")


@dataclass(frozen=True, slots=True)
class Grown:
    """Median CPU time of one plan, in ms."""

    size: Size
    step_ms: float
    slowest_step_ms: float
    fresh_ms: float  #: of a snapshot that nothing is known of yet, without reasons
    reasons_ms: float  #: the same, with everybody's reason
    changes: float  #: begins and ends of a step, on average


def show_growth(sizes: Sequence[Size] = SIZES) -> None:
    """A line for each size, and beside each figure by how much it grew from the line before."""
    grown = []
    for size in sizes:
        tell(f"growth: {size.gpus:,} GPUs")
        grown.append(measure(size))
    clear()
    targets = [
        Target(f"a step, {one.size.gpus:,} GPUs, {one.size.waiting:,} waiting", one.step_ms, one.size.most_ms, " ms", 1)
        for one in grown
        if one.size.most_ms is not None
    ]
    print("One plan: median CPU time, and its growth from the line before. A step is what the daemon does each time a")
    print(
        "job has arrived, one is done and time has passed, the plan before being carried out; afresh is its first plan."
    )
    print(say_table(HEADS, [_row(one, before) for before, one in zip([None, *grown], grown, strict=False)]))
    print(f"{say_targets(targets)}\n", flush=True)


def _row(one: Grown, before: Grown | None) -> list[str]:
    def factor(of: Callable[[Grown], float]) -> str:
        return f"x {of(one) / of(before):.1f}" if before is not None else ""

    return [
        f"{one.size.gpus:,}",
        f"{one.size.waiting:,}",
        f"{one.changes:.1f}",
        f"{one.step_ms:,.1f} ms",
        factor(lambda grown: grown.step_ms),
        f"{one.slowest_step_ms:,.1f} ms",
        f"{one.fresh_ms:,.0f} ms",
        factor(lambda grown: grown.fresh_ms),
        f"{one.reasons_ms:,.0f} ms",
        factor(lambda grown: grown.reasons_ms),
    ]


def measure(size: Size, settling_steps: int = SETTLING_STEPS, rounds: int = ROUNDS) -> Grown:
    """One size, in its steady state."""
    laboratory, follower = Laboratory(size.gpus, size.waiting), Follower()
    spent_ms, changes = [], 0

    def step(step_s: float) -> tuple[float, int]:
        ms, decided = _timed(partial(follower.plan, laboratory.snapshot(), wants_reasons=False))
        laboratory.carry_out(decided)
        laboratory.go_on(step_s)
        return ms, len(decided.begins) + len(decided.ends)

    for _ in range(settling_steps):
        step(QUANTUM_S / 8)
    for _ in range(rounds):
        step(QUANTUM_S / 8)
        for number in range(LEFT_OUT + COUNTED):
            ms, changed = step(laboratory.step_s)
            if number >= LEFT_OUT:
                spent_ms.append(ms)
                changes += changed
    snapshot = laboratory.snapshot()
    fresh_ms = [_timed(partial(Follower().plan, snapshot, wants_reasons=False))[0] for _ in range(FRESH_RUNS)]
    reasons_ms = [_timed(partial(plan, snapshot))[0] for _ in range(FRESH_RUNS)]
    return Grown(size, median(spent_ms), max(spent_ms), median(fresh_ms), median(reasons_ms), changes / len(spent_ms))


def _timed(planning: Callable[[], Plan]) -> tuple[float, Plan]:
    began = time.process_time()
    decided = planning()
    return 1e3 * (time.process_time() - began), decided

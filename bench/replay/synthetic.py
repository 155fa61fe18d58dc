"""Made-up laboratories for whoever has no trace: the same jobs for the same seed, on every machine."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

from rota.simulate.replay.values import Trace, TraceJob

LEAST_S = 30.0
#: So many jobs fail early, and have run this part of the time that they would have needed.
FAIL_PART, FAILED_AFTER = 0.3, 0.01
#: In research clusters half of the jobs have one GPU, and a few many times a node's (as in Jeon et al., ATC 2019).
USUAL_GPUS: Mapping[int, float] = {1: 0.35, 2: 0.1, 4: 0.12, 8: 0.33, 16: 0.07, 32: 0.03}
ONE_NODE_GPUS: Mapping[int, float] = {1: 0.5, 2: 0.2, 4: 0.15, 8: 0.15}


@dataclass(frozen=True, slots=True)
class Laboratory:
    """What its jobs are like. Run times are log-normal."""

    name: str
    jobs: int
    nodes: int  #: of eight GPUs each
    load: float  #: GPU time asked for against the GPU time there is
    median_s: float
    sigma: float
    gpus: Mapping[int, float]  #: how likely a job asks for so many
    fails: float = FAIL_PART
    has_days: bool = True  #: people sleep
    seed: int = 1

    @property
    def fleet(self) -> str:
        return f"{self.nodes}x h100:8"


SMALL = Laboratory("small-jobs", 5000, 5, 0.9, 1800.0, 2.3, USUAL_GPUS)
WIDE = Laboratory("wide-jobs", 1400, 5, 0.95, 20 * 3600.0, 1.0, USUAL_GPUS)
LONG = Laboratory("long-jobs", 1500, 16, 0.91, 8 * 3600.0, 1.6, USUAL_GPUS)
#: Five times what the fleet can do: everybody is backlogged all the time.
OVER = Laboratory("over", 1500, 3, 5.0, 3 * 3600.0, 1.5, ONE_NODE_GPUS, fails=0.0, has_days=False)

LABORATORIES = (SMALL, WIDE, LONG)


def synthetic_trace(laboratory: Laboratory) -> Trace:
    """Its jobs, submitted over as long as makes the load."""
    chance = random.Random(laboratory.seed)
    sizes, weights = list(laboratory.gpus), list(laboratory.gpus.values())
    shapes = []
    for _ in range(laboratory.jobs):
        gpus = chance.choices(sizes, weights)[0]
        duration_s = chance.lognormvariate(math.log(laboratory.median_s), laboratory.sigma)
        if chance.random() < laboratory.fails:
            duration_s *= FAILED_AFTER
        shapes.append((gpus, max(LEAST_S, duration_s)))
    submits_s = sum(gpus * duration_s for gpus, duration_s in shapes) / (8 * laboratory.nodes * laboratory.load)
    times: list[float] = []
    while len(times) < laboratory.jobs:
        at = chance.random() * submits_s
        if not laboratory.has_days or chance.random() < 0.55 + 0.45 * math.sin(2 * math.pi * at / 86400.0):
            times.append(at)
    times.sort()
    jobs = [
        TraceJob(number, at - times[0], gpus, duration_s)
        for number, (at, (gpus, duration_s)) in enumerate(zip(times, shapes, strict=True), start=1)
    ]
    return Trace(laboratory.name, tuple(jobs))

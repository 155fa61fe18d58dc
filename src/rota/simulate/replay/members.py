"""Members drawn over a trace that names none: who submits much and who little, as in a laboratory."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import accumulate

from rota.simulate.replay.values import Trace


def draw_members(trace: Trace, members: int, projects: int, skew: float, seed: int) -> Trace:
    """The trace with a member and a project for each job, the same for the same seed.

    Member m1 submits most: the k-th of them has a part in proportion to 1 / k**skew (Zipf's law; skew 0: all the same).
    Members belong to projects in turn, m1 to p1, m2 to p2, so that each project has busy members and others.
    """
    names = [f"m{number}" for number in range(1, members + 1)]
    project_of = {name: f"p{place % projects + 1}" for place, name in enumerate(names)}
    weights = list(accumulate(number**-skew for number in range(1, members + 1)))
    # Seeded by a text, so that they are other chances than those of the estimates.
    drawn = random.Random(f"members {seed}").choices(names, cum_weights=weights, k=len(trace.jobs))
    jobs = [replace(job, member=name, project=project_of[name]) for job, name in zip(trace.jobs, drawn, strict=True)]
    return replace(trace, jobs=tuple(jobs))

"""Law 1: each backlogged project receives its share within two points over any week. Pure.

A project is backlogged in a week if at every moment of it a job of the project waits that asks for no more GPUs than a
node has: such a job can be given a place by stopping turns past their quantum, so the project could use more than it
got. A project that had nothing waiting for a while, or only jobs wider than a node, is not backlogged in that week.

Its share is the time average of weighted max-min over all that is asked for (jobs submitted and not finished), so that
what others leave is divided, too. Any week: seven days from any full hour.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rota.simulate.replay.fairness import WEEK_S, entitlements
from rota.simulate.replay.values import PastJob, PastTurn, Replayed

STEP_S = 3600.0

Span = tuple[float, float]  #: from, to; seconds of the trace


@dataclass(frozen=True, slots=True)
class Deviation:
    """What a backlogged project had in one week, as parts of the fleet's GPU time."""

    project: str
    began_s: float
    received: float
    share: float

    @property
    def points(self) -> float:
        """Percentage points more than its share; below 0: less."""
        return 100.0 * (self.received - self.share)


def deviations(replayed: Replayed, weights: Mapping[str, float], widest: int) -> list[Deviation]:
    """Of each project in each week, up to the last submit, in which it was backlogged. `widest`: GPUs of a node."""
    until_s = max(past.job.submit_s for past in replayed.jobs)
    hours = int(until_s // STEP_S)
    week = round(WEEK_S / STEP_S)
    jobs = {past.job.id: past for past in replayed.jobs}
    received = _received(replayed.turns, jobs, hours)
    shares = _shares(replayed, weights, hours)
    whole_gpu_s = WEEK_S * len(replayed.gpus)
    found = []
    for project, spans in sorted(nothing_waits(replayed, widest).items()):
        for hour in range(hours - week + 1):
            if not _meets(spans, hour * STEP_S, hour * STEP_S + WEEK_S):
                had, due = received[project], shares[project]
                got, share = had[hour + week] - had[hour], due[hour + week] - due[hour]
                found.append(Deviation(project, hour * STEP_S, got / whole_gpu_s, share / whole_gpu_s))
    return found


def nothing_waits(replayed: Replayed, widest: int) -> dict[str, list[Span]]:
    """By project, when no job of it waited that asks for no more than `widest` GPUs; in order, ended by eternity."""
    turns: defaultdict[int, list[PastTurn]] = defaultdict(list)
    for turn in replayed.turns:
        turns[turn.job].append(turn)
    waits: defaultdict[str, list[Span]] = defaultdict(list)
    for past in replayed.jobs:
        spans = waits[past.job.project]
        if past.job.gpus <= widest:
            spans += waits_of(past, turns[past.job.id])
    return {project: _gaps(spans) for project, spans in waits.items()}


def waits_of(past: PastJob, turns: Iterable[PastTurn]) -> list[Span]:
    """When a job waited: before its first turn, and between one turn and the next."""
    since, spans = past.job.submit_s, []
    for turn in sorted(turns, key=lambda turn: turn.began_s):
        if turn.began_s > since:
            spans.append((since, turn.began_s))
        since = turn.ended_s
    return spans


def _gaps(spans: Iterable[Span]) -> list[Span]:
    """What the spans leave open, from the beginning of the trace to eternity."""
    gaps, until = [], 0.0
    for began_s, ended_s in sorted(spans):
        if began_s > until:
            gaps.append((until, began_s))
        until = max(until, ended_s)
    return [*gaps, (until, float("inf"))]


def _meets(spans: Sequence[Span], began_s: float, ended_s: float) -> bool:
    """Whether one of the spans, which are in order and apart, has a part in this time."""
    place = bisect_right(spans, (began_s, float("inf")))
    before = place > 0 and spans[place - 1][1] > began_s
    return before or (place < len(spans) and spans[place][0] < ended_s)


def _received(turns: Iterable[PastTurn], jobs: Mapping[int, PastJob], hours: int) -> dict[str, list[float]]:
    """By project, GPU-seconds received up to each full hour."""
    steps: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * (hours + 1))
    for turn in turns:
        _add(steps[jobs[turn.job].job.project], turn.began_s, turn.ended_s, len(turn.gpus))
    return {project: _sums(values) for project, values in steps.items()}


def _shares(replayed: Replayed, weights: Mapping[str, float], hours: int) -> dict[str, list[float]]:
    """By project, GPU-seconds that were its share up to each full hour."""
    steps: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * (hours + 1))
    for began_s, ended_s, gpus in entitlements(replayed, weights):
        for project, share in gpus.items():
            _add(steps[project], began_s, ended_s, share)
    return {project: _sums(values) for project, values in steps.items()}


def _add(steps: list[float], began_s: float, ended_s: float, gpus: float) -> None:
    """Count GPU-seconds in the hours in which they were; what is later than the last is left out."""
    while began_s < ended_s and (hour := int(began_s // STEP_S)) < len(steps):
        until = min(ended_s, (hour + 1) * STEP_S)
        steps[hour] += (until - began_s) * gpus
        began_s = until


def _sums(steps: Sequence[float]) -> list[float]:
    """Up to the beginning of each hour."""
    return list(accumulate(steps[:-1], initial=0.0))

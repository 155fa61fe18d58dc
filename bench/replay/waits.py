"""Law 2: a member with nothing running waits at most three quanta for a turn of a one-node job. Pure.

It holds while no more members than GPUs are active (have a job submitted and not finished). A wait begins when a
member has nothing running and a job waiting that asks for no more GPUs than a node has, and ends when any turn of
theirs begins.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bench.replay.shares import Span, waits_of
from rota.simulate.replay.values import PastTurn, Replayed


@dataclass(frozen=True, slots=True)
class MemberWait:
    """How long a member with nothing running waited."""

    member: str
    began_s: float
    ended_s: float
    quanta: float


def member_waits(replayed: Replayed, quantum_s: float, widest: int) -> list[MemberWait]:
    """All that the law is about, in order of their begin. `widest`: GPUs of a node."""
    turns: defaultdict[int, list[PastTurn]] = defaultdict(list)
    for turn in replayed.turns:
        turns[turn.job].append(turn)
    waiting: defaultdict[str, list[Span]] = defaultdict(list)
    running: defaultdict[str, list[Span]] = defaultdict(list)
    active: defaultdict[str, list[Span]] = defaultdict(list)
    for past in replayed.jobs:
        member, mine = past.job.member, turns[past.job.id]
        running[member] += [(turn.began_s, turn.ended_s) for turn in mine]
        active[member].append((past.job.submit_s, past.finish_s))
        if past.job.gpus <= widest:
            waiting[member] += waits_of(past, mine)
    crowd = _Crowd([span for spans in active.values() for span in joined(spans)])
    found = [
        MemberWait(member, *wait, (wait[1] - wait[0]) / quantum_s)
        for member, spans in waiting.items()
        for wait in without(joined(spans), joined(running[member]))
        if crowd.most_in(wait) <= len(replayed.gpus)
    ]
    return sorted(found, key=lambda wait: wait.began_s)


def joined(spans: Sequence[Span]) -> list[Span]:
    """The same time in spans that are in order and apart.

    >>> joined([(4, 6), (0, 2), (1, 3), (3, 4)])
    [(0, 6)]
    """
    together: list[Span] = []
    for began_s, ended_s in sorted(spans):
        if together and began_s <= together[-1][1]:
            together[-1] = (together[-1][0], max(together[-1][1], ended_s))
        elif ended_s > began_s:
            together.append((began_s, ended_s))
    return together


def without(spans: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """What is left of the spans when others are cut out; both in order and apart.

    >>> without([(0, 10)], [(2, 3), (9, 12)])
    [(0, 2), (3, 9)]
    """
    left, place = [], 0
    for began_s, ended_s in spans:
        while place < len(taken) and taken[place][1] <= began_s:
            place += 1
        following, at = place, began_s
        while following < len(taken) and taken[following][0] < ended_s:
            if taken[following][0] > at:
                left.append((at, taken[following][0]))
            at = taken[following][1]
            following += 1
        if at < ended_s:
            left.append((at, ended_s))
    return left


class _Crowd:
    """How many members are active over time."""

    def __init__(self, spans: Sequence[Span]) -> None:
        steps: defaultdict[float, int] = defaultdict(int)
        for began_s, ended_s in spans:
            steps[began_s] += 1
            steps[ended_s] -= 1
        self._times = sorted(steps)
        self._counts, count = [], 0
        for at in self._times:
            count += steps[at]
            self._counts.append(count)

    def most_in(self, span: Span) -> int:
        first = max(bisect_right(self._times, span[0]) - 1, 0)
        last = max(bisect_right(self._times, span[1]) - 1, first)
        return max(self._counts[first : last + 1])

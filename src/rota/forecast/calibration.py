"""Forecasts held against what came: ranges are shifted, widened and narrowed so that nine of ten bounds hold.

Two steps, both online and without any assumption about how the raw ranges come about:

1. What came of the most similar and most recent promises, as a factor on the foreseen wait, gives the ranges of
   the next one (conformal prediction with weighted residuals: Papadopoulos, Gammerman, Vovk 2008; Tibshirani et al.
   2019).
2. The levels at which these are read are moved after every promise, down when it held and up when it did not, so that
   in the long run the bounds hold as often as they say whatever happens (adaptive conformal inference: Gibbs and Candès
   2021), in steps that become smaller (Angelopoulos, Barber, Bates 2024). Sizes of jobs have levels of their own beside
   the common ones.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import accumulate

from rota.domain.forecasts import LEVELS, Promise, Range
from rota.forecast.score import held, size_of

#: Waits are compared on a logarithmic scale from so many seconds on.
LEAST_WAIT_S = 30.0
#: The latest so many promises are remembered; of two, one that came so many promises later counts twice as much.
REMEMBERED, HALF_LIFE = 1000, 100.0
#: Promises of the same hour share their fate, as when somebody submits a hundred jobs: n of them count as sqrt(n), and
#: move levels by less.
SAME_S, CROWD_POWER, CROWD_MOVE_POWER = 3600.0, 0.5, 0.25
#: How far apart promises may be to be similar: foreseen wait and width of the range as logarithms, GPUs in doublings.
WAIT_SCALE, WIDTH_SCALE, GPUS_SCALE = 1.0, 1.0, 1.5
#: The raw range itself counts as so many similar promises: it is all there is at first.
RAW_WEIGHT = 4.0
#: A raw range is at least so wide, as a factor between its bounds.
LEAST_WIDTH = math.log(1.2)
#: Before anything is known, what may come is off by so much: a tenth too soon, up to three times too late.
FIRST_STEP = 0.1
#: How far levels move after a promise: after n of them FIRST_MOVE / sqrt(n + 25), and never less than LEAST_MOVE.
FIRST_MOVE, LEAST_MOVE = 0.045, 0.0045
LEAST_LEVEL, MOST_LEVEL = 0.005, 0.995


@dataclass(frozen=True, slots=True)
class _Known:
    """A promise and what came of it."""

    wait: float  #: that was foreseen, logarithm
    width: float
    gpus: float  #: doublings
    factor: float = 0.0  #: what came against what was foreseen, logarithm
    made_at: float = 0.0
    weight: float = 1.0


@dataclass(slots=True)
class _Levels:
    """How far the levels are from what they say."""

    shifts: list[float] = field(default_factory=lambda: [0.0] * len(LEVELS))
    promises: int = 0

    def learn(self, told: Range, began_at: float, part: float) -> None:
        """Up where a promise did not hold, down where it did."""
        self.promises += 1
        move = max(FIRST_MOVE / math.sqrt(self.promises + 25), LEAST_MOVE) * part
        for place, (level, moment) in enumerate(zip(LEVELS, _moments(told), strict=True)):
            self.shifts[place] += move * (level - held(moment, began_at))


@dataclass(slots=True)
class Calibration:
    """Learns from promises in the order in which it is known what came of them. Can be pickled."""

    _known: deque[_Known] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _common: _Levels = field(default_factory=_Levels)
    _of_size: dict[str, _Levels] = field(default_factory=dict)

    def told(self, raw: Range, made_at: float, gpus: int) -> Range:
        """The range as it is told to people."""
        like = _features(raw, made_at, gpus)
        ascending, cumulative = self._factors(like, raw, made_at)
        own = self._of_size.get(size_of(gpus), _UNMOVED)
        moments = []
        for level, common, shift in zip(LEVELS, self._common.shifts, own.shifts, strict=True):
            part = min(max(level + common + shift, LEAST_LEVEL), MOST_LEVEL)
            factor = _weighted_quantile(ascending, cumulative, part)
            moments.append(made_at + max(math.exp(like.wait + factor) - LEAST_WAIT_S, 0.0))
        early, likely, late = sorted(moments)
        return Range(early, likely, late)

    def learn(self, promise: Promise) -> None:
        """One whose turn has begun."""
        if promise.is_kept is None or promise.began_at is None:
            return
        like = _features(promise.raw, promise.made_at, promise.gpus)
        came = math.log(max(promise.began_at - promise.made_at, 0.0) + LEAST_WAIT_S)
        crowd = 1 + sum(abs(one.made_at - promise.made_at) <= SAME_S for one in self._known)
        self._known.append(replace(like, factor=came - like.wait, made_at=promise.made_at, weight=crowd**-CROWD_POWER))
        for levels in (self._common, self._of_size.setdefault(size_of(promise.gpus), _Levels())):
            levels.learn(promise.told, promise.began_at, crowd**-CROWD_MOVE_POWER)

    def _factors(self, like: _Known, raw: Range, made_at: float) -> tuple[list[float], list[float]]:
        """Factors that may come, ascending, and their weights added up."""
        found, since = [], 0.0
        for one in reversed(self._known):
            found.append((one.factor, one.weight * _likeness(one, like) * 0.5 ** (since / HALF_LIFE)))
            since += one.weight
        found += [(moment - like.wait, RAW_WEIGHT / 5) for moment in _at_first(raw, made_at)]
        found.sort()
        return [factor for factor, _ in found], list(accumulate(weight for _, weight in found))


_UNMOVED = _Levels()


def _features(raw: Range, made_at: float, gpus: int) -> _Known:
    low, middle, high = (math.log(max(moment - made_at, 0.0) + LEAST_WAIT_S) for moment in _moments(raw))
    return _Known(middle, max(high - low, LEAST_WIDTH), math.log2(gpus))


def _likeness(one: _Known, other: _Known) -> float:
    far = (
        ((one.wait - other.wait) / WAIT_SCALE) ** 2
        + ((one.width - other.width) / WIDTH_SCALE) ** 2
        + ((one.gpus - other.gpus) / GPUS_SCALE) ** 2
    )
    return math.exp(-far / 2)


def _moments(raw: Range) -> tuple[float, float, float]:
    return raw.early, raw.likely, raw.late


def _at_first(raw: Range, made_at: float) -> list[float]:
    """Equally likely waits, logarithms, as long as nothing came of similar promises: sampled futures are too sure."""
    low, middle, high = (math.log(max(moment - made_at, 0.0) + LEAST_WAIT_S) for moment in _moments(raw))
    return [low - FIRST_STEP, middle, middle + FIRST_STEP, high + 4 * FIRST_STEP, high + 12 * FIRST_STEP]


def _weighted_quantile(ascending: list[float], cumulative: list[float], part: float) -> float:
    """Between the middles of neighbours' weights."""
    goal = part * cumulative[-1]
    place = bisect_left(cumulative, goal)
    place = min(place, len(ascending) - 1)
    before = cumulative[place - 1] if place else 0.0
    middle = (before + cumulative[place]) / 2
    other = place + 1 if goal > middle else place - 1
    if not 0 <= other < len(ascending):
        return ascending[place]
    other_before = cumulative[other - 1] if other else 0.0
    other_middle = (other_before + cumulative[other]) / 2
    if other_middle == middle:
        return ascending[place]
    along = (goal - middle) / (other_middle - middle)
    return ascending[place] + along * (ascending[other] - ascending[place])

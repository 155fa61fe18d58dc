"""What the daemon and a forecasting process tell each other: pickled values, each behind its length."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rota.domain.forecasts import Forecast, Promise, Range
from rota.domain.jobs import Job
from rota.policy.values import Snapshot

#: Before each value: how many bytes it has.
LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job came onto the list."""

    job: Job


@dataclass(frozen=True, slots=True)
class Ended:
    """A job is over."""

    job: Job


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn that was promised has begun."""

    promise: Promise


#: Something to learn from.
Lesson = Submitted | Ended | Begun


@dataclass(frozen=True, slots=True)
class Order:
    """Learn what is new, then forecast from a snapshot."""

    lessons: Sequence[Lesson]  #: in the order in which they happened
    snapshot: Snapshot | None  #: None: there is nothing to forecast
    seed: int
    futures: int | None  #: None: as many as a refresh may cost
    only: frozenset[int] | None  #: None: every job


@dataclass(frozen=True, slots=True)
class Told:
    """A forecast as it is told to people, and what it was before earlier promises corrected it."""

    forecast: Forecast
    raw_begin: Range | None
    raw_finish: Range | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order."""

    found: Mapping[int, Told]
    error: str = ""  #: why there are none


def packed(value: Order | Answer) -> bytes:
    """As it goes through the pipe."""
    written = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(written)) + written

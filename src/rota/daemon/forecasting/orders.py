"""What the daemon and a forecasting process tell each other: pickled values, each behind its length."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rota.domain.forecasts import Forecast
from rota.domain.jobs import Job
from rota.policy.values import Snapshot

#: Before each value: how many bytes it has.
LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Lesson:
    """Something to learn from: a job was submitted, or has ended."""

    job: Job
    has_ended: bool


@dataclass(frozen=True, slots=True)
class Order:
    """Learn what is new, then forecast from this snapshot."""

    number: int
    lessons: Sequence[Lesson]  #: in the order in which they happened
    snapshot: Snapshot
    seed: int
    futures: int | None  #: None: as many as a refresh may cost
    only: frozenset[int] | None  #: None: every job


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of the order of that number."""

    number: int
    forecasts: Mapping[int, Forecast]
    error: str = ""  #: why there are none


def packed(value: Order | Answer) -> bytes:
    """As it goes through the pipe."""
    written = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(written)) + written

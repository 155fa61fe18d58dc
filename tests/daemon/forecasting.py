"""Forecasts without a process: what a test says becomes what the daemon is told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from rota.daemon.forecasting.orders import Told
from rota.domain.forecasts import Forecast, Range
from rota.policy.values import Snapshot
from tests.daemon.live import Live


def told_of(
    snapshot: Snapshot, begins: Mapping[int, Range], ends: Mapping[int, Range] | None = None
) -> dict[int, Told]:
    """A forecast for each of these jobs, as of the snapshot; raw and told alike. Of an end that is named, a raw one."""
    turns = {job.id: job.turns + 1 for job in snapshot.jobs}
    return {
        job: Told(
            Forecast(job, turns[job], snapshot.at, begin, end or Range(*(at + 60.0 for at in _moments(begin))), "h100"),
            begin,
            end,
        )
        for job, begin in begins.items()
        for end in [(ends or {}).get(job)]
    }


def _moments(begin: Range) -> tuple[float, float, float]:
    return begin.early, begin.likely, begin.late


def soon(live: Live, early_s: float = 50.0, likely_s: float = 100.0, late_s: float = 200.0) -> Range:
    """From now on."""
    return Range(live.at + early_s, live.at + likely_s, live.at + late_s)


def foretell(live: Live, begins: Mapping[int, Range], ends: Mapping[int, Range] | None = None) -> None:
    """A refresh of this moment's forecasts."""
    live.core.advance(live.at)
    assert live.core.snapshot is not None
    live.core.take_forecasts(told_of(live.core.snapshot, begins, ends), live.core.snapshot)


@dataclass
class FakeForecaster:
    """Answers when the test lets it; remembers what it was asked."""

    asked: list[frozenset[int] | None] = field(default_factory=list)
    fails: bool = False
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    has_ended: bool = False

    async def forecast(
        self, snapshot: Snapshot, *, seed: int, futures: int | None = None, only: frozenset[int] | None = None
    ) -> Mapping[int, Told]:
        self.asked.append(only)
        if self.fails:
            raise RuntimeError("broken")
        await self.may_answer.wait()
        wanted = [job.id for job in snapshot.jobs if only is None or job.id in only]
        return told_of(snapshot, {job: Range(snapshot.at, snapshot.at + 1, snapshot.at + 2) for job in wanted})

    async def prepare(self) -> None: ...

    async def end(self) -> None:
        self.has_ended = True

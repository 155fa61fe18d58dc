"""The daemon's end of a forecasting process: begins it when it is needed, asks it, ends it."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass, field

from rota.daemon.forecasting.feed import Feed
from rota.daemon.forecasting.orders import LENGTH, Answer, Order, Told, packed
from rota.errors import ForecastUnavailable
from rota.policy.values import Snapshot

LONGEST_S = 60.0  # who takes longer over an answer is ended: the next process begins afresh


@dataclass(slots=True)
class Forecasting:
    """One process. It answers one order at a time; those who ask meanwhile come after each other."""

    feed: Feed
    niceness: int
    _process: Process | None = None
    _learnt: int = 0  #: number of the lesson from which it goes on
    _turnstile: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def forecast(
        self, snapshot: Snapshot, *, seed: int, futures: int | None = None, only: frozenset[int] | None = None
    ) -> Mapping[int, Told]:
        """By job. Raises ForecastUnavailable; the process begins anew with the next order."""
        # An order that its asker no longer waits for is read to its end, or the next answer would begin in its middle.
        return await asyncio.shield(asyncio.ensure_future(self._ask(snapshot, seed, futures, only)))

    async def prepare(self) -> None:
        """Have the process there, with all that is to be learnt. Raises ForecastUnavailable."""
        await asyncio.shield(asyncio.ensure_future(self._ask(None, 0, None, None)))

    async def _ask(
        self, snapshot: Snapshot | None, seed: int, futures: int | None, only: frozenset[int] | None
    ) -> Mapping[int, Told]:
        async with self._turnstile:
            try:
                async with asyncio.timeout(LONGEST_S):
                    answer = await self._exchange(snapshot, seed, futures, only)
            except Exception as failed:  # whatever it was, the next answer must not begin in the middle of this one
                await self.end()
                raise ForecastUnavailable(f"The forecasting process has ended ({type(failed).__name__}).") from failed
        if answer.error:
            raise ForecastUnavailable(f"A forecast failed ({answer.error}).")
        return answer.found

    async def _exchange(
        self, snapshot: Snapshot | None, seed: int, futures: int | None, only: frozenset[int] | None
    ) -> Answer:
        process = await self._alive()
        assert process.stdin is not None, "it was begun with pipes"
        assert process.stdout is not None
        lessons, learnt = self.feed.since(self._learnt)
        # In a thread: it takes a tenth of a second for ten thousand jobs, and the loop goes on meanwhile.
        written = await asyncio.to_thread(packed, Order(lessons, snapshot, seed, futures, only))
        process.stdin.write(written)
        await process.stdin.drain()
        self._learnt = learnt
        (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
        answer: Answer = pickle.loads(await process.stdout.readexactly(length))
        return answer

    async def _alive(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._learnt = 0
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "rota.daemon.forecasting.worker", str(self.niceness), stdin=PIPE, stdout=PIPE
            )
        return self._process

    async def end(self) -> None:
        """End the process; the next order begins another."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()

"""The asyncio side of the daemon: wakes the core when something happened, and only then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from rota.daemon.commands import Answer, Command
from rota.daemon.core import RETRY_S, Core
from rota.daemon.forecasting.orders import Told
from rota.errors import NotLeader, RotaError
from rota.policy.values import Snapshot

log = structlog.get_logger()

#: A plan may take at most this part of the loop's time: under a rush of submits, answers come first.
PLAN_SHARE = 0.2
LONGEST_REST_S = 60.0  # a clock that was set is noticed at the latest after this


@dataclass(slots=True)
class Service:
    """One loop: people's commands are recorded and answered at once; planning follows."""

    core: Core
    clock: Callable[[], float]
    _inbox: list[tuple[Command, asyncio.Future[Answer]]] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _is_stopping: bool = False
    _deposed: NotLeader | None = None  #: another daemon leads; nothing is done any more
    _told_version: int = -1  #: of the books, when watchers were last told

    async def ask(self, command: Command) -> Answer:
        """What became of the command, once it is recorded. Raises RotaError when it is refused."""
        if self._deposed is not None:
            raise self._deposed
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._inbox.append((command, future))
        self._wake.set()
        return await future

    def wake(self) -> None:
        """Something happened in an engine or a GPU."""
        self._wake.set()

    def stop(self) -> None:
        """Leave `run` after the present step. Turns go on under their keepers."""
        self._is_stopping = True
        self._wake.set()

    def depose(self, lost: NotLeader) -> None:
        """Another daemon leads: do nothing more, and leave `run` with this."""
        self._deposed = lost
        asked, self._inbox = self._inbox, []
        for _, future in asked:
            if not future.done():
                future.set_exception(lost)
        self._wake.set()

    async def run(self) -> None:
        """Serve until `stop`. Raises NotLeader when another daemon leads."""
        try:
            await self._run()
        except NotLeader as lost:
            self.depose(lost)
        if self._deposed is not None:
            raise self._deposed

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        next_plan_at, come_again_at = 0.0, self.clock()
        while not self._is_stopping and self._deposed is None:
            now = loop.time()
            is_due = self._wake.is_set() or self.clock() >= come_again_at
            self._wake.clear()
            self._answer()
            if is_due and now >= next_plan_at:
                again = self._advance()
                spent_s = loop.time() - now
                next_plan_at = loop.time() + spent_s * (1 / PLAN_SHARE - 1)
                come_again_at = self.clock() + LONGEST_REST_S if again is None else again
            elif is_due:
                come_again_at = self.clock()
            rest_s = max(come_again_at - self.clock(), next_plan_at - loop.time(), 0.0)
            await self._rest(min(rest_s, LONGEST_REST_S))

    async def _rest(self, rest_s: float) -> None:
        if self._inbox:
            return
        try:
            async with asyncio.timeout(rest_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _answer(self) -> None:
        """Record everything that people asked since the last time, in one transaction, and tell them."""
        asked, self._inbox = self._inbox, []
        if not asked:
            return
        answers = self.core.hear([command for command, _ in asked], self.clock())
        for (_, future), answer in zip(asked, answers, strict=True):
            if future.cancelled():
                continue
            if isinstance(answer, RotaError):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def _advance(self) -> float | None:
        trouble = dict(self.core.trouble)
        try:
            again = self.core.advance(self.clock())
            self.core.trouble.pop("daemon", None)
        except NotLeader:
            raise
        except Exception:  # a defect in one step must not silence the daemon: turns and answers go on
            log.exception("defect", step="advance")
            self.core.trouble["daemon"] = "A step of the daemon failed; its log has the details. It tries again."
            again = self.clock() + RETRY_S
        if self.core.trouble != trouble:
            self.core.books.version += 1
        if self.core.books.version != self._told_version:
            self.tell_watchers()
        return again

    def take_forecasts(self, found: Mapping[int, Told], snapshot: Snapshot) -> None:
        """Forecasts have been made from a snapshot of a moment ago."""
        self.core.take_forecasts(found, snapshot)
        self.tell_watchers()

    # --- watchers: pages and terminals that show the board --------------------------------------

    def tell_watchers(self) -> None:
        """Wake everybody who waits in `changed`."""
        self._told_version = self.core.books.version
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        """Until something that a page shows has changed."""
        await self._changed.wait()

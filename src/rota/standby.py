"""Before a daemon leads: it waits until it is the one that writes the record, and says meanwhile who that is.

And after: a daemon that has lost the lead to another begins again from here, as a process without memory.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

import structlog

from rota.errors import NotLeader, StoreUnavailable
from rota.front import Front
from rota.store.leading import Leader, say_place
from rota.store.open import lead_store
from rota.store.sql import SqlStore
from rota.store.watching import Watch

log = structlog.get_logger()

LOOK_S = 1.0  # between two looks at the lock
#: A leader whose database was away goes on when it is back: it asks every two seconds (daemon/leading.py), and is given
#: so much time before a standby takes what is free.
COURTESY_S = 10.0


class Standby:
    """One daemon that would lead a database."""

    def __init__(self, url: str, clock: Callable[[], float]) -> None:
        self._url, self._clock = url, clock
        self._waits = False
        self._leader: Leader | None = None
        self._away = ""  #: why it is not known who leads

    def said(self, instead: str) -> str:
        """What to tell who asks here; `instead` is what they can do where the leader is."""
        if self._away:
            return f"This Rota stands by, and cannot see which one leads: {self._away}"
        if not self._waits:
            return "This Rota is only beginning. Try again in a moment."
        return f"This Rota stands by; {self._leader.host if self._leader else 'another one'} leads. {instead}"

    def lead(self) -> SqlStore:
        """The record, to write. Raises NotLeader, StoreUnavailable, BadSettings."""
        store = lead_store(self._url, Leader(socket.gethostname(), os.getpid(), self._clock()))
        self._waits = False
        return store

    async def wait(self) -> SqlStore:
        """The record, once nobody else writes it."""
        watch = Watch(self._url)
        try:
            while True:
                try:
                    if await self._is_free(watch):
                        return self.lead()
                except NotLeader:
                    pass  # another standby was quicker
                except StoreUnavailable as away:
                    self._away = str(away)
                await asyncio.sleep(LOOK_S)
        finally:
            await watch.close()

    async def _is_free(self, watch: Watch) -> bool:
        """Whether nobody leads, and nobody is about to lead on."""
        is_led, leader = await watch.look()
        if not is_led and self._away:
            await asyncio.sleep(COURTESY_S)
            is_led, leader = await watch.look()
        self._away, self._waits = "", True
        if is_led and leader is not None and leader != self._leader:
            print(f"Another Rota leads{say_place(leader)}; this one waits and takes over.", flush=True)
            self._leader = leader
        return not is_led


async def until_leading(standby: Standby, front: Front) -> SqlStore | None:
    """The record, once this daemon is the one that writes it. None: it was told to stop before.

    Raises StoreUnavailable, BadSettings when the record cannot even be opened: that is for who starts Rota to see.
    """
    try:
        return standby.lead()
    except NotLeader:
        pass
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, lambda: None)  # settings are read when it leads
    store = await front.unless_stopped(standby.wait())
    if store is not None:
        log.info("takes over")
    return store


def begin_again(lost: NotLeader) -> NoReturn:
    """Become a new process in place of this one, which has led and must not go on.

    Not by clearing up: whatever runs in this process, be it a thread that hangs, ends with it; nothing of what it knew
    is left; and nobody has to start it again. Processes of turns go on, as they do when Rota is stopped.
    """
    print(f"rota: {lost} This one does nothing more, and begins again as a standby.", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])

"""The signals that a keeper hears: a look is due, a process has ended, Slurm wants an end."""

from __future__ import annotations

import contextlib
import os
import select
import signal


class Signals:
    """Handlers from the first moment on: before them, any of these would kill a keeper."""

    def __init__(self) -> None:
        self.has_term = False
        self.nears_limit = False  #: of a Slurm job: USR2 is asked for some minutes before its time is over
        self._reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGUSR1, signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR2):
            signal.signal(number, self._heard)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)

    def _heard(self, number: int, _: object) -> None:
        self.has_term = self.has_term or number == signal.SIGTERM
        self.nears_limit = self.nears_limit or number == signal.SIGUSR2

    def wait(self, at_most_s: float) -> None:
        """Until a signal comes."""
        select.select([self._reader], [], [], at_most_s)
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 512)

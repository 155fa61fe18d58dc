"""A turn's courier: carries what passes through the turn's folder, where the node and the daemon share none.

It is the script of the turn's Slurm job. The keeper is its child and knows nothing of it: the keeper finds the folder,
`end.json` and the signals as it would on a file system that all have. What the keeper writes goes to the daemon's post
(engines/slurm/post.py), which writes it into its own folder of the turn. While the job runs, the daemon may be away for
as long as it likes.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
import traceback
from typing import Any

from rota.engines.keeper import files
from rota.engines.keeper.line import Line
from rota.engines.keeper.main import keep
from rota.engines.keeper.order import EndWish
from rota.sockets import short_path

REST_S = 1.0  # between two rounds while nothing is new; the keeper says each second that it lives
#: Without a daemon, before the turn began and after it ended. Until then its Slurm job stays, and nobody gets its GPUs.
GIVE_UP_S = 600.0
PIECE_BYTES = 128 * 2**10  # of the log at a time
PIECES = 16  # of the log in one round, so that signs of life come between them
MOST_OF_A_FILE = 2**16
NEWS = "news"  # a socket: the keeper tells here that it has written something
OVER = EndWish(is_at_once=True, why="Rota has given this turn up")


def deliver(folder: str, parcel: dict[str, Any]) -> int:
    """The whole turn; the exit code of its Slurm job."""
    hello = {"turn": parcel["turn"], "token": parcel["token"], "job": os.environ.get("SLURM_JOB_ID", "")}
    host, port = parcel["post"]
    courier = Courier(folder, Line(host, port, hello))
    if not courier.run():
        return 1
    with contextlib.suppress(OSError):
        os.unlink(parcel["output"])
    _remove(folder)
    return 0


class Courier:
    """Between one keeper and the daemon."""

    def __init__(self, folder: str, line: Line) -> None:
        self.folder, self.line = folder, line
        self.keeper = 0  #: pid, while it lives
        self.is_over = False  #: the daemon knows how the turn ended, and wants no more of it
        self._sent: dict[str, bytes] = {}
        self._log_at = 0
        self._wish: object = None
        self._heard: set[int] = set()
        self._since = time.monotonic()  #: the begin, later the keeper's end
        self._hear()

    def run(self) -> bool:
        """Begin the turn and see it through. False when the daemon does not know how it ended."""
        if os.path.exists(self._path(files.BEGUN)):
            return False  # it has been here: a job is never started twice
        if not self._may_begin():
            return self.is_over
        self.keeper = self._start_keeper()
        while self._is_keeper_alive():
            self._wait(0 if self._ship() else REST_S)
        self._since = time.monotonic()
        self._ship()
        while not self.is_over and os.path.exists(self._path(files.EXIT)) and not self._is_given_up():
            self._wait(0 if self._ship() else REST_S)
        return self.is_over

    # --- the daemon ---------------------------------------------------------------------------

    def _may_begin(self) -> bool:
        """Only the daemon knows whether another job of this turn was quicker, here or elsewhere."""
        while True:
            with contextlib.suppress(OSError, ValueError):
                self._greet()
                return not self.is_over
            if signal.SIGTERM in self._heard:
                return False
            if self._is_given_up():
                print("Rota's daemon was not reached, so the turn was not begun.", file=sys.stderr)
                return False
            self._wait(REST_S)

    def _is_given_up(self) -> bool:
        return time.monotonic() - max(self.line.heard_at, self._since) > GIVE_UP_S

    def _ship(self) -> bool:
        """What is new of the turn; whether there is more of it already."""
        if self.is_over:
            return False
        try:
            if not self.line.is_open:
                self._greet()
            for name in (files.BEGUN, files.STATE, files.ALIVE):
                self._send_file(name)
            if not self._send_log():
                return True
            if not self.keeper:
                self._send_file(files.EXIT)
        except (OSError, ValueError):
            self.line.close()  # the next round makes it anew
        return False

    def _greet(self) -> None:
        answer = self.line.greet()
        self._sent.clear()
        self._log_at = int(str(answer.get("log_at", 0)))
        self._take(answer)

    def _send_file(self, name: str) -> None:
        """When it is new; a sign of life always, for its answer says whether the turn is to end."""
        try:
            with open(self._path(name), "rb") as file:
                text = file.read(MOST_OF_A_FILE)
        except FileNotFoundError:
            return
        if self._sent.get(name) != text or name == files.ALIVE:
            self._take(self.line.ask({"file": name}, text))
            self._sent[name] = text

    def _send_log(self) -> bool:
        """Some pieces of what was printed since; whether that was all. What was let go of it is passed over."""
        try:
            log = os.open(self._path(files.LOG), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            for _ in range(PIECES):
                if os.fstat(log).st_size <= self._log_at:
                    return True
                try:
                    begin = os.lseek(log, self._log_at, os.SEEK_DATA)
                except OSError:  # nothing but a hole up to the end
                    return True
                piece = os.pread(log, PIECE_BYTES, begin)
                answer = self.line.ask({"log": begin}, piece)
                self._log_at = max(int(str(answer.get("log_at", 0))), begin + len(piece))
                self._take(answer)
        finally:
            os.close(log)
        return False

    def _take(self, answer: dict[str, object]) -> None:
        """What the daemon wants, put where the keeper looks for it."""
        self.is_over = self.is_over or bool(answer.get("over"))
        wish = OVER.to_json() if self.is_over else answer.get("end")
        if isinstance(wish, dict) and wish != self._wish and self.keeper:
            files.write_json(self._path(files.END), wish, is_durable=False)
            self._wish = wish
            os.kill(self.keeper, signal.SIGUSR1)

    # --- the keeper ---------------------------------------------------------------------------

    def _start_keeper(self) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                self.line.close()
                os.close(self._reader)
                self._news.close()
                keep(self.folder)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        return pid

    def _is_keeper_alive(self) -> bool:
        if self.keeper and os.waitpid(self.keeper, os.WNOHANG) != (0, 0):
            self.keeper = 0
        elif self.keeper:
            for number in self._heard:  # again, for the first may have come before the keeper could hear
                os.kill(self.keeper, number)
        return self.keeper != 0

    # --- hearing ------------------------------------------------------------------------------

    def _hear(self) -> None:
        """Slurm signals its job's script: all of it is meant for the keeper."""
        self._reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
            signal.signal(number, self._hand_on)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        self._news = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._news.setblocking(False)
        with contextlib.suppress(OSError):  # without it, news comes with the next round
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path(NEWS))
            with short_path(self._path(NEWS)) as path:
                self._news.bind(path)

    def _hand_on(self, number: int, _: object) -> None:
        if number != signal.SIGUSR1:
            self._heard.add(number)
        if self.keeper:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.keeper, number)

    def _wait(self, at_most_s: float) -> None:
        """Until a signal or news comes."""
        select.select([self._reader, self._news.fileno()], [], [], at_most_s)
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 512)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._news.recv(64)

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)


def _remove(folder: str) -> None:
    """The folder with all that is in it, as far as it can be; links are removed, not followed."""
    for where, folders, names in os.walk(folder, topdown=False):
        for name in names + [name for name in folders if os.path.islink(os.path.join(where, name))]:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(where, name))
        with contextlib.suppress(OSError):
            os.rmdir(where)

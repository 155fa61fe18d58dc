"""The local engine: starts keepers, tells them to end, and hears from them. Nothing here waits or polls."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rota.engines.contract import Ended, EndOrder, EngineEvent, Patience, StartOrder
from rota.engines.keeper import files
from rota.engines.keeper.order import EndWish
from rota.engines.keeper.processes import boot_id, read_process
from rota.engines.local.sweep import sweep
from rota.engines.turn_folder import reports
from rota.engines.turn_folder.library import install_library
from rota.engines.turn_folder.orders import turn_order
from rota.engines.turn_folder.settings import KeeperSettings
from rota.errors import EngineUnavailable
from rota.sockets import short_path

_SOURCE = Path(__file__).resolve().parents[3]  # the folder that holds the package rota
_BOOT = "import sys; sys.path.insert(0, sys.argv[2]); from rota.engines.keeper.main import main; main()"


@dataclass(slots=True)
class Kept:
    """A turn whose keeper is, or was, alive."""

    folder: Path
    keeper: int  #: pidfd
    pid: int
    told: dict[str, Any] = field(default_factory=dict)  #: the state.json that was reported


class LocalEngine:
    """Keeps the contract of engines/contract.py with processes of this machine."""

    def __init__(self, state_dir: Path, clock: Callable[[], float], settings: KeeperSettings | None = None) -> None:
        self._state_dir, self._clock = state_dir, clock
        self.settings = settings or KeeperSettings()
        self.wake: Callable[[], None] = lambda: None
        self._kept: dict[str, Kept] = {}
        self._events: list[EngineEvent] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._library = state_dir / "lib"
        self._letterbox_path = state_dir / "keeper.sock"
        self._letterbox = self._open_letterbox()
        install_library(self._library)

    # --- the contract -------------------------------------------------------------------------

    def start(self, order: StartOrder) -> None:
        if order.turn in self._kept:
            return
        folder = self._folder(order.turn)
        try:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            lock = os.open(folder / files.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as failed:
            raise EngineUnavailable(f"The turn's folder {folder} cannot be made: {failed.strerror}.") from failed
        try:
            self._start_once(order, folder, lock)
        finally:
            os.close(lock)

    def end(self, order: EndOrder) -> None:
        kept = self._kept.get(order.turn)
        if kept is None:
            return
        wish = EndWish(order.patience is Patience.AT_ONCE, order.grace_s, order.why)
        try:
            files.write_json(str(kept.folder / files.END), wish.to_json(), is_durable=False)
        except OSError as failed:
            raise EngineUnavailable(f"The order to end {order.turn} cannot be written: {failed.strerror}.") from failed
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(kept.keeper, signal.SIGUSR1)

    def adopt(self, order: StartOrder, was_started: bool) -> None:
        folder = self._folder(order.turn)
        if was_started and not (folder / files.BEGUN).exists():
            error = "Its folder is gone, so nothing is known of it."
            self._report(Ended(order.turn, self._clock(), 0.0, error=error, is_lost=True))
            return
        self.start(order)

    def events(self) -> Sequence[EngineEvent]:
        self._read_letters()
        happened, self._events = self._events, []
        return happened

    def trouble(self) -> str:
        return ""

    # --- starting -----------------------------------------------------------------------------

    def _start_once(self, order: StartOrder, folder: Path, lock: int) -> None:
        """The lock is held by a keeper from before its start until it is gone: who gets it knows that none lives."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._take_over(order.turn, folder)
            return
        if (folder / files.EXIT).exists():
            self._report_end(order.turn, folder)
        elif (folder / files.BEGUN).exists():
            self._report_lost(order.turn, folder)
        else:
            self._spawn(order, folder, lock)

    def _spawn(self, order: StartOrder, folder: Path, lock: int) -> None:
        written = turn_order(order, folder, self._library, self.settings, wake_socket=self._letterbox_path)
        try:
            files.write_json(str(folder / files.ORDER), written.to_json(), is_durable=True, mode=0o600)
            keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _BOOT, str(folder), str(_SOURCE)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=(folder / "keeper.err").open("ab"),
                pass_fds=(lock,),
                start_new_session=True,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            )
        except OSError as failed:
            raise EngineUnavailable(f"No keeper can be started for turn {order.turn}: {failed.strerror}.") from failed
        self._hold(order.turn, folder, keeper.pid)
        keeper.returncode = 0  # we reap it ourselves; Popen must not warn about it

    def _take_over(self, turn: str, folder: Path) -> None:
        """A keeper of an earlier daemon is alive."""
        begun = reports.read(folder, files.BEGUN)
        process = read_process(int(begun.get("keeper_pid", 0))) if begun else None
        if process is None or process.started != begun.get("keeper_started"):
            # It has the lock but has not said who it is: it is being started, or just ending. Look again soon.
            raise EngineUnavailable(f"The keeper of turn {turn} is about to begin; asking again.")
        self._hold(turn, folder, process.pid)
        self._read_state(turn)
        self.wake()  # what it told nobody yet is not only heard with the next news of somebody else

    def _hold(self, turn: str, folder: Path, pid: int) -> None:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:  # it ended between two lines; its files say the rest
            self._gone(turn, folder)
            return
        self._kept[turn] = Kept(folder, handle, pid)
        if self._loop is not None:
            self._loop.add_reader(handle, self._on_keeper_gone, turn)

    # --- hearing ------------------------------------------------------------------------------

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hear from keepers in this loop, and call `wake` on news."""
        self._loop = loop
        loop.add_reader(self._letterbox, self._on_letter)
        for turn, kept in self._kept.items():
            loop.add_reader(kept.keeper, self._on_keeper_gone, turn)

    def detach(self) -> None:
        """Let go of everything; keepers go on."""
        if self._loop is not None:
            self._loop.remove_reader(self._letterbox)
        for turn in list(self._kept):
            self._let_go(turn)
        self._loop = None
        self._letterbox.close()

    def poll(self) -> None:
        """Without a loop: look at every keeper once."""
        for turn, kept in list(self._kept.items()):
            self._read_state(turn)
            if self._has_gone(kept):
                self._on_keeper_gone(turn)

    def _on_letter(self) -> None:
        self._read_letters()
        self.wake()

    def _read_letters(self) -> None:
        """Keepers write their turn's id when there is news in its folder."""
        letters = set()
        with contextlib.suppress(BlockingIOError, OSError):
            while True:
                letters.add(self._letterbox.recv(256).decode("ascii", "replace"))
        for turn in letters:
            self._read_state(turn)

    def _read_state(self, turn: str) -> None:
        kept = self._kept.get(turn)
        if kept is not None:
            state = reports.read(kept.folder, files.STATE)
            self._events.extend(reports.news(turn, kept.told, state))
            kept.told = state or kept.told

    def _on_keeper_gone(self, turn: str) -> None:
        kept = self._kept.get(turn)
        if kept is None:
            return
        with contextlib.suppress(ChildProcessError):  # the child of an earlier daemon is reaped by init
            os.waitpid(kept.pid, os.WNOHANG)
        self._read_state(turn)
        self._let_go(turn)
        self._gone(turn, kept.folder)

    @staticmethod
    def _has_gone(kept: Kept) -> bool:
        """A pidfd is readable from the moment its process has ended, reaped or not (pidfd_open(2))."""
        return bool(select.select([kept.keeper], [], [], 0)[0])

    def _let_go(self, turn: str) -> None:
        kept = self._kept.pop(turn)
        if self._loop is not None:
            self._loop.remove_reader(kept.keeper)
        os.close(kept.keeper)

    def _gone(self, turn: str, folder: Path) -> None:
        if (folder / files.EXIT).exists():
            self._report_end(turn, folder)
        else:
            self._report_lost(turn, folder)

    def _report_end(self, turn: str, folder: Path) -> None:
        self._events.extend(reports.news(turn, {}, reports.read(folder, files.STATE)))
        self._report(reports.ended(turn, reports.read(folder, files.EXIT)))

    def _report_lost(self, turn: str, folder: Path) -> None:
        """The keeper was killed, or the machine went down: nothing of the turn may live on."""
        if not sweep(turn, folder):
            raise EngineUnavailable(
                f"A process of turn {turn} cannot be killed; its GPUs stay taken. See: ps -eo pid,stat"
            )
        begun = reports.read(folder, files.BEGUN)
        is_other_boot = bool(begun) and begun.get("boot_id") != boot_id()
        error = "The machine was restarted." if is_other_boot else "Its keeper was killed."
        at = self._last_sign_of_life(folder) if is_other_boot else self._clock()
        lost = reports.lost(turn, folder, at, error)
        files.write_json(str(folder / files.EXIT), reports.as_written(lost), is_durable=True)
        self._report(lost)

    @staticmethod
    def _last_sign_of_life(folder: Path) -> float:
        return max((file.stat().st_mtime for file in folder.iterdir()), default=0.0)

    def _report(self, event: EngineEvent) -> None:
        self._events.append(event)
        self.wake()

    # --- places -------------------------------------------------------------------------------

    def _folder(self, turn: str) -> Path:
        return self._state_dir / "turns" / turn

    def _open_letterbox(self) -> socket.socket:
        with contextlib.suppress(FileNotFoundError):
            self._letterbox_path.unlink()
        letterbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        umask = os.umask(0o177)
        try:
            with short_path(self._letterbox_path) as path:
                letterbox.bind(path)
        finally:
            os.umask(umask)
        return letterbox


__all__ = ["KeeperSettings", "LocalEngine"]

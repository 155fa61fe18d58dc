"""One turn from begin to end: the keeper's main line."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time

from rota.engines.keeper import child, files
from rota.engines.keeper.cgroup import kill_group, make_group, members_of, remove_group
from rota.engines.keeper.checkpoint import Watch
from rota.engines.keeper.ending import Act, Ending, Phase, Sight, step
from rota.engines.keeper.in_slurm import ENDED_BY_SLURM, SLURM_ENDS, TERM_MAY_LAG_S, Beat, is_srun, wish_of
from rota.engines.keeper.log import LogRoom, open_log
from rota.engines.keeper.order import EndWish, TurnOrder, read_wish
from rota.engines.keeper.output import Output
from rota.engines.keeper.processes import Process, catches, descendants, read_process, send, writers_of
from rota.engines.keeper.rights import as_member
from rota.engines.keeper.signals import Signals
from rota.sockets import short_path

LOOK_S = 1.0  # between two looks at checkpoint, progress and log while nothing is urgent
LOOK_CLOSER_S = 0.1  # while the turn ends
IDLE_S = 5.0  # a job without checkpoint needs a look at its log alone


class Keeper:
    """Holds a job's processes; everything that it must not lose is in the turn's folder."""

    def __init__(self, folder: str, order: TurnOrder, signals: Signals) -> None:
        self.folder, self.order, self.signals = folder, order, signals
        self.ending = Ending()
        self.wish: EndWish | None = None
        self.main: Process | None = None
        self.status: int | None = None  #: of the main process, from waitpid
        self.notice_at: float | None = None  #: epoch seconds
        self.is_saved = False  #: since the notice
        self.progress: list[int] | None = None  #: as the job itself told it
        self.output: Output | None = None  #: read for progress as long as the job tells none
        self.began_at, self.began = 0.0, 0.0
        self.watch: Watch | None = None
        self._told: dict[str, object] = {}

    # --- the main line ------------------------------------------------------------------------

    def run(self) -> None:
        """Start the job, keep it, end it, and write down how it ended."""
        # Slurm has its own group around a job: out of it, the job would see GPUs that are not its own.
        self.group = None if self.order.is_in_slurm else make_group(self.order.turn)
        self.beat = Beat(self.folder) if self.order.is_in_slurm else None
        self.log = open_log(self._path(files.LOG))
        self.room = LogRoom(self.log, self.order.log_keep_bytes)
        self._make_member_folder()
        self._watch_checkpoint()
        self.output = Output(self.order, self.log)
        self.began_at, self.began = time.time(), time.monotonic()
        started = child.start(self.order, self.log, self.group)
        if started.error:
            self._finish(error=started.error, exit_code=started.exit_code)
            return
        self.main = read_process(started.pid) or Process(started.pid, os.getpid(), "R", 0)
        self._tell({"began_at": self.began_at})
        while self._go_on():
            self.signals.wait(self._rest_s())
        self._finish()

    def _go_on(self) -> bool:
        """Look, and do what follows; False when no process is left."""
        self._look()
        self._act()
        return self.ending.phase is not Phase.GONE

    def _look(self) -> None:
        """Everything that may have changed."""
        self._reap()
        wish = read_wish(self._path(files.END))
        if self.order.is_in_slurm and (wish is None or not wish.is_at_once):
            wish = wish_of(self.signals.has_term, self.signals.nears_limit and wish is None) or wish
        if wish is not None and (self.wish is None or wish.is_at_once or not self.wish.is_at_once):
            self.wish = wish
        if self.beat is not None:
            self.beat.strike()
        self.room.make_room()
        with as_member(self.order):
            news = {**self._look_at_checkpoint(is_last=self.status is not None), **self._look_at_progress()}
        news |= self._look_at_output()
        if news:
            self._tell(news)

    def _act(self) -> None:
        """One step of the state machine, and what follows from it."""
        is_main_alive = self.status is None
        is_any_alive = is_main_alive or bool(self._processes())
        sight = Sight(
            now=time.monotonic(),
            is_main_alive=is_main_alive,
            is_any_alive=is_any_alive,
            wish=self.wish,
            is_saved=self.is_saved,
            has_checkpoint=self.watch is not None,
        )
        self.ending, acts = step(self.ending, sight, self.order.term_s)
        for act in acts:
            if act is Act.NOTICE:
                self._give_notice()
            elif act is Act.TERM:
                self._signal_all(signal.SIGTERM)
            elif act is Act.KILL:
                if self.group:
                    kill_group(self.group)
                self._signal_all(signal.SIGKILL)

    def _rest_s(self) -> float:
        """Until the next look, unless a signal comes first."""
        if self.ending.phase is not Phase.RUNNING:
            return max(min(LOOK_CLOSER_S, self.ending.deadline - time.monotonic()), 0.01)
        return LOOK_S if self.watch is not None or self.progress or self.beat else IDLE_S

    # --- looking ------------------------------------------------------------------------------

    def _reap(self) -> None:
        """Collect ended children; as subreaper also the job's orphans."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if self.main is not None and pid == self.main.pid:
                    self.status = status

    def _processes(self) -> list[Process]:
        """Living processes of the turn, the main one first."""
        found = {process.pid: process for process in descendants(os.getpid())}
        for pid in members_of(self.group) if self.group else ():
            process = read_process(pid)
            if process is not None and process.state not in "ZX":
                found.setdefault(pid, process)
        main = self.main.pid if self.main else 0
        return sorted(found.values(), key=lambda process: process.pid != main)

    def _watch_checkpoint(self) -> None:
        if self.order.checkpoint is not None:
            with as_member(self.order):
                self.watch = Watch(self.order.checkpoint, self.order.settle_s, self._is_being_written)

    def _is_being_written(self, path: str) -> bool:
        return bool(writers_of(path, self._processes()))

    def _look_at_checkpoint(self, is_last: bool) -> dict[str, object]:
        """What is new of it."""
        if self.watch is None or not self.watch.look(time.monotonic(), time.time(), is_last):
            return {}
        self.is_saved = self.notice_at is not None
        return {"saved_at": self.watch.saved_at, "interval_s": self.watch.interval_s()}

    def _look_at_progress(self) -> dict[str, object]:
        """What is new of it."""
        found = files.read_json(self._path(files.MEMBER, files.PROGRESS))
        step_now, total = (found or {}).get("step"), (found or {}).get("total")
        if not isinstance(step_now, int) or not isinstance(total, int) or [step_now, total] == self.progress:
            return {}
        self.progress, self.output = [step_now, total], None
        return {"progress": self.progress, "progress_at": time.time()}

    def _look_at_output(self) -> dict[str, object]:
        """What is new of the progress that it shows; None: what it showed has turned out to be none."""
        if self.output is None or not self.output.look(time.monotonic()):
            return {}
        return {"progress": self.output.progress, "progress_at": time.time()}

    # --- acting -------------------------------------------------------------------------------

    def _give_notice(self) -> None:
        self.notice_at = time.time()
        grace_s, why = self.ending.grace_s, self.wish.why if self.wish else ""
        with as_member(self.order), contextlib.suppress(OSError):
            notice: dict[str, object] = {"at": self.notice_at, "grace_s": grace_s, "why": why}
            files.write_json(self._path(files.MEMBER, files.NOTICE), notice, is_durable=False)
        self._tell({"notice_at": self.notice_at})
        for process in self._processes():
            if self.order.notice_signal is None and is_srun(process.pid):
                continue
            for number in _notice_signals(self.order.notice_signal):
                if catches(process.pid, number):
                    send(process, number)
                    break

    def _signal_all(self, number: int) -> None:
        for process in self._processes():
            send(process, number)

    def _tell(self, news: dict[str, object]) -> None:
        """Write what may be lost, and wake the daemon if there is one."""
        self._told.update(news)
        with contextlib.suppress(OSError):
            files.write_json(self._path(files.STATE), self._told, is_durable=False)
        self._wake_daemon()

    def _wake_daemon(self) -> None:
        if self.order.wake_socket:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as letter:
                letter.setblocking(False)
                with short_path(self.order.wake_socket) as path:
                    letter.sendto(self.order.turn.encode(), path)

    # --- the end ------------------------------------------------------------------------------

    def _finish(self, error: str = "", exit_code: int | None = None) -> None:
        """No process is left: write down how it went."""
        self._reap()
        if self.order.is_in_slurm and not self.signals.has_term:
            self.signals.wait(TERM_MAY_LAG_S if self.status is not None and os.WIFSIGNALED(self.status) else 0)
        with as_member(self.order):
            self._look_at_checkpoint(is_last=True)
            result = _read_text(self._path(files.MEMBER, files.RESULT))
        status = self.status
        ended: dict[str, object] = {
            "turn": self.order.turn,
            "at": time.time(),
            "clock_s": time.monotonic() - self.began,
            "began_at": None if error else self.began_at,
            "exit_code": exit_code if status is None or os.WIFSIGNALED(status) else os.WEXITSTATUS(status),
            "signal": os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else None,
            "notice_at": self.notice_at,
            "was_terminated": self.ending.was_terminated,
            "said_done": result.strip() == "done",
            "saved_at": self.watch.saved_at if self.watch else None,
            "saved_after_notice": self.is_saved,
            "error": error,
        }
        if error:
            ended["clock_s"] = 0.0
        elif self.signals.has_term and self.order.is_in_slurm and not (self.wish and self.wish.why != SLURM_ENDS):
            ended |= {"was_terminated": True, "is_lost": True, "error": ENDED_BY_SLURM}
        if self.group:
            remove_group(self.group)
        self._write_the_end(ended)
        self._wake_daemon()

    def _write_the_end(self, ended: dict[str, object]) -> None:
        """A full disk must not lose a turn's end: it is tried until there is room."""
        while True:
            try:
                files.write_json(self._path(files.EXIT), ended, is_durable=True)
            except OSError:
                time.sleep(LOOK_S)
            else:
                return

    def _make_member_folder(self) -> None:
        folder = self._path(files.MEMBER)
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        if os.getuid() == 0:
            os.chown(folder, self.order.uid, self.order.gid)

    def _path(self, *names: str) -> str:
        return os.path.join(self.folder, *names)


def _notice_signals(named: str | None) -> tuple[int, ...]:
    if named is not None:
        return (int(getattr(signal, f"SIG{named}", signal.SIGUSR1)),)
    return (signal.SIGUSR1, signal.SIGUSR2)


def _read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(100)
    except OSError:
        return ""

"""The simulated machine: processes that count, save and die in virtual time. It survives the daemon's crashes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from rota.engines.contract import (
    EXIT_AGAIN,
    Began,
    Ended,
    EndOrder,
    EngineEvent,
    Noticed,
    Patience,
    Progressed,
    Saved,
    StartOrder,
)
from rota.simulate.broken import Broken
from rota.simulate.clock import VirtualClock

ONE_TURN = "never two turns on one GPU"

TERM_S = 0.5  # from SIGTERM to the end of the last process
SIGTERM = 15
STEPS_A_SECOND = 10  # of the progress that scripts tell


class Manner(StrEnum):
    """How a job's script behaves."""

    SIGNAL = "signal"  # saves now and then, and on the notice, and then exits
    PERIODIC = "periodic"  # saves now and then, never heard of notices
    DEAF = "deaf"  # has a checkpoint path that it renews only when it is done
    AGAIN = "again"  # saves and exits 85 after each stretch of work
    FRAGILE = "fragile"  # fails in its first turn, then works


@dataclass(frozen=True, slots=True)
class Script:
    """What a job does: one second of work a second, until `target`."""

    target: float
    manner: Manner = Manner.SIGNAL
    saves_every_s: float = 5.0
    tells: bool = False  #: reports its progress with each save
    begins_after_s: float | None = None  #: from the order to the begin; None: as the engine says
    exit_code: int = 0  #: when it is done

    def to_argv(self) -> tuple[str, ...]:
        """A command line that says what this script does."""
        values = (
            self.target, self.manner.value, self.saves_every_s, self.tells, self.begins_after_s, self.exit_code
        )  # fmt: skip
        return ("count", json.dumps(values))

    @staticmethod
    def from_argv(argv: tuple[str, ...]) -> Script:
        """The script that `to_argv` describes."""
        target, manner, *others = json.loads(argv[1])
        return Script(target, Manner(manner), *others)


@dataclass(slots=True)
class Work:
    """How far a job has come. It is its checkpoint: it outlives turns and daemons."""

    script: Script
    saved: float = 0.0
    has_failed: bool = False


@dataclass(slots=True)
class Process:
    """One turn on the machine. Times are monotonic seconds unless they are called `wall`."""

    order: StartOrder
    work: Work
    began_at: float | None = None
    began_wall: float | None = None
    began_with: float = 0.0  #: what the checkpoint held at the begin
    notice_at: float | None = None
    notice_wall: float | None = None
    is_last_call: bool = False  #: TERM was sent
    saved_wall: float | None = None
    saved_after_notice: bool = False
    ended: Ended | None = None


@dataclass(slots=True)
class Machine:
    """Work by job, processes by turn, and which turn holds each GPU."""

    clock: VirtualClock
    works: dict[int, Work] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    report: Callable[[EngineEvent], None] = lambda event: None  #: to the daemon, if there is one now

    # --- begin and work -----------------------------------------------------------------------

    def start(self, order: StartOrder, delay_s: float) -> None:
        """Begin a turn once; a second call for the same turn does nothing. Raises Broken."""
        if order.turn in self.processes:
            return
        for gpu in order.gpus:
            if gpu.uuid in self.holders:
                raise Broken(ONE_TURN, f"{order.turn} begins on {gpu.uuid}, which {self.holders[gpu.uuid]} still holds")
        self.holders.update({gpu.uuid: order.turn for gpu in order.gpus})
        work = self.works.get(order.job) or Work(Script.from_argv(order.launch.argv))
        process = self.processes[order.turn] = Process(order, work)
        self.works[order.job] = work
        own_delay_s = work.script.begins_after_s
        self.clock.after(delay_s if own_delay_s is None else own_delay_s, lambda: self._begin(process))

    def _begin(self, process: Process) -> None:
        if process.ended is not None:
            return
        work, script = process.work, process.work.script
        process.began_at, process.began_wall, process.began_with = self.clock.now, self.clock.wall(), work.saved
        self.report(Began(process.order.turn, process.began_wall))
        left_s = script.target - work.saved
        if script.manner is Manner.FRAGILE and not work.has_failed:
            work.has_failed = True
            self.clock.after(min(left_s, 2.0), lambda: self._end(process, exit_code=1))
            return
        if script.manner is Manner.AGAIN and left_s > script.saves_every_s:
            self.clock.after(script.saves_every_s, lambda: self._save_and_exit(process, EXIT_AGAIN))
            return
        self.clock.after(left_s, lambda: self._save_and_exit(process, script.exit_code))
        if script.manner in (Manner.SIGNAL, Manner.PERIODIC, Manner.FRAGILE):
            self.clock.after(script.saves_every_s, lambda: self._save_now_and_then(process))

    def _save(self, process: Process) -> None:
        if process.began_at is None or not process.order.checkpoint:
            return
        work, script = process.work, process.work.script
        work.saved = min(script.target, process.began_with + self.clock.now - process.began_at)
        process.saved_wall = self.clock.wall()
        process.saved_after_notice = process.notice_at is not None
        self.report(Saved(process.order.turn, process.saved_wall, script.saves_every_s))
        if script.tells:
            step, total = int(work.saved * STEPS_A_SECOND), math.ceil(script.target * STEPS_A_SECOND)
            self.report(Progressed(process.order.turn, process.saved_wall, step, total))

    def _save_now_and_then(self, process: Process) -> None:
        if process.ended is not None:
            return
        self._save(process)
        if process.notice_at is not None:  # the keeper waited for just this save
            self._terminate(process)
        self.clock.after(process.work.script.saves_every_s, lambda: self._save_now_and_then(process))

    def _save_and_exit(self, process: Process, exit_code: int) -> None:
        if process.ended is None:
            self._save(process)
            if not process.order.checkpoint:
                process.work.saved = process.work.script.target
            self._end(process, exit_code=exit_code)

    # --- end ----------------------------------------------------------------------------------

    def end(self, order: EndOrder) -> None:
        """Give the notice, or end at once. Repeated orders change nothing; AT_ONCE overrides POLITE."""
        process = self.processes.get(order.turn)
        if process is None or process.ended is not None:
            return
        if order.patience is Patience.AT_ONCE or process.order.checkpoint is None:
            self._terminate(process)
        elif process.notice_at is None:
            process.notice_at, process.notice_wall = self.clock.now, self.clock.wall()
            self.report(Noticed(order.turn, process.notice_wall))
            if process.work.script.manner is Manner.SIGNAL:
                self.clock.after(1.0, lambda: self._save_and_exit(process, 0))
            self.clock.after(2 * order.grace_s, lambda: self._terminate(process))

    def _terminate(self, process: Process) -> None:
        if process.ended is None and not process.is_last_call:
            process.is_last_call = True
            self.clock.after(TERM_S, lambda: self._end(process, signal=SIGTERM))

    def lose(self, turn: str) -> None:
        """The keeper of a turn dies, and its processes with it."""
        process = self.processes.get(turn)
        if process is not None:
            self._end(process, is_lost=True)

    def _end(
        self, process: Process, exit_code: int | None = None, signal: int | None = None, is_lost: bool = False
    ) -> None:
        if process.ended is not None:
            return
        order, began_at = process.order, process.began_at
        process.ended = Ended(
            turn=order.turn,
            at=self.clock.wall(),
            clock_s=self.clock.now - began_at if began_at is not None else 0.0,
            began_at=process.began_wall,
            exit_code=exit_code,
            signal=signal,
            notice_at=process.notice_wall,
            was_terminated=process.is_last_call,
            said_done=exit_code == 0
            and process.notice_at is not None
            and process.work.saved >= process.work.script.target,
            saved_at=process.saved_wall,
            saved_after_notice=process.saved_after_notice,
            is_lost=is_lost,
        )
        for gpu in order.gpus:
            del self.holders[gpu.uuid]
        self.report(process.ended)

"""Starting the job: fork, become the member, execute. What goes wrong comes back as a sentence."""

from __future__ import annotations

import os
import signal
from typing import NamedTuple

from rota.engines.keeper.cgroup import join_group
from rota.engines.keeper.kernel import die_with_parent
from rota.engines.keeper.order import TurnOrder
from rota.engines.keeper.rights import become_member

NOT_FOUND, NOT_EXECUTABLE = 127, 126  # exit codes of a shell (POSIX, 2.8.2)


class Started(NamedTuple):
    """The main process, or why there is none."""

    pid: int
    error: str = ""
    exit_code: int = 0


def start(order: TurnOrder, log: int, group: str | None) -> Started:
    """Execute the job's command in a session of its own."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    keeper = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become_the_job(order, log, group, keeper, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        failure = pipe.read()  # ends when the command is executed, because the pipe closes then
    if not failure:
        return Started(pid)
    os.waitpid(pid, 0)
    stage, _, number = failure.decode().partition(" ")
    return Started(
        0, _say(stage, int(number), order), NOT_EXECUTABLE if stage != "execute" else _exec_code(int(number))
    )


def _become_the_job(order: TurnOrder, log: int, group: str | None, keeper: int, writer: int) -> None:
    """In the child: never returns."""
    stage = "prepare"
    try:
        os.setsid()
        if group is not None:
            join_group(group)
        become_member(order)
        die_with_parent()
        if os.getppid() != keeper:  # it died before we asked
            os._exit(NOT_EXECUTABLE)
        os.umask(order.umask)
        stage = "enter"
        os.chdir(order.cwd)
        stage = "write"
        _redirect(order, log)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        stage = "execute"
        os.execvpe(order.argv[0], list(order.argv), order.environment)
    except OSError as failed:
        os.write(writer, f"{stage} {failed.errno or 0}".encode())
    finally:
        os._exit(NOT_EXECUTABLE)


def _redirect(order: TurnOrder, log: int) -> None:
    """No input; output to the turn's log, or to the member's own file, opened with the member's rights."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    if order.output is not None:
        log = os.open(order.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)


def _exec_code(number: int) -> int:
    return NOT_FOUND if os.strerror(number) == os.strerror(2) else NOT_EXECUTABLE


def _say(stage: str, number: int, order: TurnOrder) -> str:
    why = os.strerror(number).lower()
    if stage == "enter":
        return f"The folder {order.cwd} cannot be entered by {order.member}: {why}."
    if stage == "write":
        return f"The output file {order.output} cannot be written by {order.member}: {why}."
    if stage == "execute":
        return f"The command {order.argv[0]} cannot be executed by {order.member}: {why}."
    return f"The job could not be started as {order.member}: {why}."

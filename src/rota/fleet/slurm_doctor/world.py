"""By what the checks reach the world. Every way of it gives up after a time, so that no check hangs."""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rota.errors import EngineUnavailable
from rota.fleet.mounts import file_system
from rota.fleet.nvml import Inventory, NoDriver, read_inventory
from rota.slurm.commands import Run, SlurmRefused, commands

T = TypeVar("T")
CONNECT_S = 2.0  # a host in the same building answers in milliseconds
AT_ONCE = 64
STEP_S = 30.0  # a look from a node: srun, a shell and a Python, each at its slowest


@dataclass(frozen=True, slots=True)
class Site:
    """What this Rota is set to, and what else it was told."""

    turns_dir: Path
    partition: str = ""  #: "": Slurm's default one
    python: str = "python3"  #: on the nodes
    options: tuple[str, ...] = ()  #: further options of sbatch
    post: str = ""  #: HOST:PORT for turns that do not see turns_dir; "": they do
    is_deep: bool = False  #: may run a short step on every node


@dataclass(frozen=True, slots=True)
class World:
    """This machine and Slurm, as the checks see them; tests put their own in its place."""

    run: Run
    run_step: Run  #: with more time: for what runs on a node
    find: Callable[[str], str | None]  #: where a command is
    connect: Callable[[str, int], str]  #: "" when a TCP port answers, else why not
    now: Callable[[], float]  #: epoch seconds
    host_name: str  #: short
    account_uid: Callable[[str], int | None]
    is_root: bool
    inventory: Callable[[], Inventory | NoDriver]
    file_system: Callable[[Path], str]
    read: Callable[[Path], str | None]  #: a file's text; None when it cannot be read
    configurations: tuple[Path, ...]  #: where slurm.conf may be


def real_world() -> World:
    """The real one."""
    stated = os.environ.get("SLURM_CONF")
    usual = ("/etc/slurm/slurm.conf", "/run/slurm/conf/slurm.conf")
    return World(
        run=commands(),
        run_step=commands(STEP_S),
        find=shutil.which,
        connect=connect,
        now=time.time,
        host_name=socket.gethostname().partition(".")[0],
        account_uid=_account_uid,
        is_root=os.geteuid() == 0,
        inventory=read_inventory,
        file_system=file_system,
        read=_read,
        configurations=(Path(stated),) if stated else tuple(map(Path, usual)),
    )


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A command that failed or did not answer, and what it said."""

    why: str


def ask(run: Run, words: Iterable[str], given: str = "") -> str | Unanswered:
    """What a command prints; a failure is an answer, too."""
    try:
        return run(list(words), given)
    except SlurmRefused as refused:
        return Unanswered(refused.said or str(refused))
    except EngineUnavailable as away:
        return Unanswered(str(away))


def in_parallel(calls: Iterable[Callable[[], T]]) -> list[T]:
    """All answers, in order."""
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def connect(host: str, port: int) -> str:
    """Whether a TCP port answers within CONNECT_S: "", or why not."""
    try:
        socket.create_connection((host, port), CONNECT_S).close()
    except TimeoutError:
        return "no answer"
    except socket.gaierror:
        return "its name is not known here"
    except OSError as failed:
        return "nothing listens" if failed.errno == errno.ECONNREFUSED else failed.strerror or str(failed)
    return ""


def _account_uid(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return None

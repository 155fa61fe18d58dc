"""A terminal session with a Rota of its own: tests read like what a member types and sees."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.waiting import wait_until

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FAST = """\
[turns]
quantum = "{quantum}"
grace = "{grace}"
grace_max = "{grace_max}"
term = "1s"
settle = "0.1s"

[web]
listen = "127.0.0.1:0"
"""


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Rota:
    """One state folder, its daemon, and the command line."""

    has_anybody = True  #: on simulated GPUs anybody can be named as a member; elsewhere only accounts of the machine

    def __init__(self, state: Path, fleet: str = "h100:2", quantum: str = "4h", grace: str = "3s") -> None:
        self.state, self.fleet = state, fleet
        state.mkdir(parents=True, exist_ok=True)
        grace_max = f"{10 * float(grace.removesuffix('s')):g}s"
        (state / "rota.toml").write_text(FAST.format(quantum=quantum, grace=grace, grace_max=grace_max))
        self.daemon: subprocess.Popen[bytes] | None = None

    # --- the daemon ---------------------------------------------------------------------------

    def up(self, *options: str) -> Rota:
        """Start the daemon and wait until it answers."""
        self.daemon = self.spawn_daemon(*options)
        wait_until(self.is_up, 30, what=f"the daemon answers; its words: {self.words()}")
        return self

    def spawn_daemon(self, *options: str, prefix: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Start a daemon process, whatever becomes of it; `prefix` stands before its command."""
        command = [*prefix, sys.executable, "-m", "rota.server", "--state", str(self.state), *self.where(), *options]
        with (self.state / "daemon.log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=self.environment(),
            )

    def where(self) -> list[str]:
        """Options of `rota up`: where turns run."""
        return ["--simulate", self.fleet]

    def environment(self) -> dict[str, str]:
        """Of the daemon, and of every command."""
        return {**os.environ, "ROTA_STATE": str(self.state), "TZ": "UTC"}

    def is_up(self) -> bool:
        assert self.daemon is not None
        assert self.daemon.poll() is None, f"the daemon has ended: {self.words()}"
        return self.run("list", "--json").code == 0

    def words(self) -> str:
        """What the daemon printed last."""
        log = self.state / "daemon.log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else ""

    def kill_daemon(self) -> None:
        """kill -9, as power loss would."""
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait()

    def down(self) -> None:
        """Cancel everything, wait until no process is left, stop the daemon."""
        if self.daemon is None or self.daemon.poll() is not None:
            return
        if jobs := self.jobs():
            self("cancel", *(str(job["job"]) for job in jobs))
            wait_until(lambda: not self.jobs(), 30, what="every job has ended")
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait(timeout=20)

    # --- the command line ----------------------------------------------------------------------

    def run(self, *words: str, env: dict[str, str] | None = None, **options: Any) -> Said:
        """Type a command, whatever it answers."""
        command = [sys.executable, "-m", "rota.cli.main", *words]
        environment = {**self.environment(), **(env or {})}
        done = subprocess.run(command, capture_output=True, env=environment, check=False, timeout=60, **options)
        return Said(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def __call__(self, *words: str, **options: Any) -> str:
        """Type a command that works; what it printed."""
        said = self.run(*words, **options)
        assert said.code == 0, f"rota {' '.join(words)}: exit {said.code}\n{said.out}{said.err}{self.words()}"
        return said.out

    def submit(self, *words: str, **options: Any) -> int:
        """`rota run ...`; the job's number."""
        return int(json.loads(self("run", "--json", *words, **options))["job"])

    def count(self, name: str, target: int, *options: str, pace: str = "0.02", member: str | None = None) -> int:
        """A job that counts to `target`, saving as it goes."""
        who = ("--as", member) if member else ()
        checkpoint = self.state / f"{name}.json"
        return self.submit(
            "--name", name, "--checkpoint", str(checkpoint), *who, *options, "--",
            sys.executable, str(EXAMPLES / "count.py"), "--target", str(target), "--pace", pace,
        )  # fmt: skip

    def jobs(self, *options: str) -> list[dict[str, Any]]:
        """`rota list --json`."""
        listed: list[dict[str, Any]] = json.loads(self("list", "--json", *options))["jobs"]
        return listed

    def job(self, number: int) -> dict[str, Any]:
        """`rota show --json`."""
        shown: dict[str, Any] = json.loads(self("show", "--json", str(number)))
        return shown

    def state_of(self, number: int) -> str:
        return str(self.job(number)["job"]["state"])

    def wait_for(self, number: int, *states: str, timeout_s: float = 30) -> dict[str, Any]:
        """Until the job is in one of these states."""
        wait_until(lambda: self.state_of(number) in states, timeout_s, 0.1, f"job {number} is {' or '.join(states)}")
        return self.job(number)


def processes_with(mark: str) -> list[int]:
    """Processes whose environment or command line holds this text."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if mark.encode() in text:
            found.append(int(entry.name))
    return found

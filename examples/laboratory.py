"""Rota with a folder of its own, from start to stop: what the sample laboratories have in common."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PROJECTS = {"vision": "funded", "speech": "industry", "thesis": "personal"}
MODELS = ("resnet", "vit", "whisper", "llama-sft", "diffusion", "gnn", "detr", "bert")
WAITING_AT_LEAST = 8
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)


class WentWrong(Exception):
    """The sentence says what."""


class Laboratory:
    """A daemon and its command line. `up`: options of `rota up`; `environment` is added to our own."""

    def __init__(
        self, state: Path, settings: str, up: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.state, self.settings, self.up = state, settings, tuple(up)
        self.environment = {**os.environ, **(environment or {})}
        self.daemon: subprocess.Popen[bytes] | None = None

    def rota(self, *words: str) -> dict[str, Any]:
        """What a member types, with --json. Raises WentWrong with the answer when it is not taken."""
        command = [sys.executable, "-m", "rota.cli.main", "--state", str(self.state), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=self.environment
        )
        if done.returncode:
            raise WentWrong(f"rota {' '.join(words)}: {done.stdout}{done.stderr}")
        answer: dict[str, Any] = json.loads(done.stdout or "{}")
        return answer

    def jobs(self, *options: str) -> list[dict[str, Any]]:
        """`rota list --json`."""
        listed: list[dict[str, Any]] = self.rota("list", "--json", *options)["jobs"]
        return listed

    def count(self, name: str, target: int, pace_s: float, *options: str) -> int:
        """A job that counts, saves, and goes on where it stopped; its number."""
        checkpoint = self.checkpoint(name)
        checkpoint.parent.mkdir(exist_ok=True)
        submitted = self.rota(
            "run", "--json", "--name", name, "--checkpoint", str(checkpoint), *options, "--",
            sys.executable, str(HERE / "count.py"), "--target", str(target), "--pace", str(pace_s),
        )  # fmt: skip
        return int(submitted["job"])

    def checkpoint(self, name: str) -> Path:
        """Where the job of this name keeps the numbers that it has counted."""
        return self.state / "work" / f"{name}.json"

    def start(self) -> None:
        """The daemon, in a session of its own, so that Ctrl-C reaches this program first; and the projects."""
        self.state.mkdir(parents=True, exist_ok=True)
        (self.state / "rota.toml").write_text(self.settings)
        command = [sys.executable, "-m", "rota.cli.main", "up", "--state", str(self.state), *self.up]
        with (self.state / "daemon.log").open("ab") as log:
            self.daemon = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, env=self.environment
            )
        self.wait_until_it_answers()
        for project, kind in PROJECTS.items():
            self.rota("project", "add", project, "--kind", kind, "--json")

    def wait_until_it_answers(self) -> None:
        give_up_at = time.monotonic() + 30
        while True:
            try:
                self.jobs()
                return
            except WentWrong as not_yet:
                if time.monotonic() > give_up_at or not self.is_up():
                    raise WentWrong(f"{not_yet}\n{self.whose_words()}") from None
                time.sleep(0.1)

    def is_up(self) -> bool:
        return self.daemon is not None and self.daemon.poll() is None

    def whose_words(self) -> str:
        """Where to read more."""
        return f"The daemon's own words are in {self.state / 'daemon.log'}"

    def keep_it_busy(self, submit: Callable[[], None]) -> None:
        """Whenever few wait, somebody submits again; for ever."""
        while self.is_up():
            if sum(job["state"] == "waiting" for job in self.jobs()) < WAITING_AT_LEAST:
                submit()
            else:
                time.sleep(1.0)
        raise WentWrong(f"The daemon stopped. {self.whose_words()}")

    def cancel_all(self) -> None:
        """Cancel every job, and wait until their processes have gone."""
        give_up_at = time.monotonic() + 30
        while self.is_up() and time.monotonic() < give_up_at and (jobs := self.jobs()):
            self.rota("cancel", "--json", *(str(job["job"]) for job in jobs))
            time.sleep(0.3)

    def stop(self) -> None:
        """Stop the daemon. Turns go on without it."""
        if self.daemon is not None:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(timeout=15)


def end_like_ctrl_c() -> None:
    """Whatever asks this program to end, ends it like Ctrl-C: by KeyboardInterrupt."""

    def stop_now(*_: object) -> None:
        raise KeyboardInterrupt

    for ending in ENDINGS:
        signal.signal(ending, stop_now)


def end_undisturbed() -> None:
    """The end is not to be interrupted."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)

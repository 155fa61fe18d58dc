"""A sample laboratory on this machine: five members, three projects, fourteen simulated GPUs, real processes.

    python examples/sample_lab.py

Starts Rota in the folder `demo-state`, submits jobs that count, and goes on submitting, so that turns rotate every
few seconds. Prints a link to the board. Ctrl-C stops everything, and no process is left behind.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
FLEET = "2x h100:4, 3x rtx3090:2"
PROJECTS = {"vision": "funded", "speech": "industry", "thesis": "personal"}
MEMBERS = {"kim": "vision", "lee": "vision", "park": "speech", "choi": "speech", "jung": "thesis"}
MODELS = ("resnet", "vit", "whisper", "llama-sft", "diffusion", "gnn", "detr", "bert")
WAITING_AT_LEAST = 8
SETTINGS = """\
[turns]
quantum = "8s"
grace = "5s"
grace_max = "20s"
term = "2s"

[web]
name = "Sample laboratory"
listen = "127.0.0.1:{port}"
"""


class SampleLaboratory:
    """Rota with its members, from start to stop."""

    def __init__(self, state: Path, port: int) -> None:
        self.state, self.port = state, port
        self.daemon: subprocess.Popen[bytes] | None = None
        self.submitted = 0
        self.chance = random.Random(7)

    def rota(self, *words: str) -> dict[str, object]:
        """What a member types, with --json."""
        command = [sys.executable, "-m", "rota.cli.main", "--state", str(self.state), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(f"rota {' '.join(words)}: {done.stdout}{done.stderr}")
        answer: dict[str, object] = json.loads(done.stdout or "{}")
        return answer

    def start(self) -> None:
        """The daemon, in a session of its own, so that Ctrl-C reaches this program first."""
        self.state.mkdir(parents=True, exist_ok=True)
        (self.state / "rota.toml").write_text(SETTINGS.format(port=self.port))
        log = (self.state / "daemon.log").open("ab")
        command = [sys.executable, "-m", "rota.cli.main", "up", "--state", str(self.state), "--simulate", FLEET]
        self.daemon = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        self.wait_until_it_answers()
        for project, kind in PROJECTS.items():
            self.rota("project", "add", project, "--kind", kind, "--json")

    def wait_until_it_answers(self) -> None:
        give_up_at = time.monotonic() + 30
        while True:
            try:
                self.rota("list", "--json")
                return
            except RuntimeError as not_yet:
                if time.monotonic() > give_up_at or (self.daemon and self.daemon.poll() is not None):
                    raise SystemExit(f"{not_yet}\nThe daemon's own words are in {self.state / 'daemon.log'}") from None
                time.sleep(0.1)

    def submit(self) -> None:
        """One job of somebody: it counts, saves, and goes on where it stopped."""
        self.submitted += 1
        member = self.chance.choice(list(MEMBERS))
        name = f"{self.chance.choice(MODELS)}-{self.submitted}"
        folder = self.state / "work"
        folder.mkdir(exist_ok=True)
        checkpoint = folder / f"{name}.json"
        gpus = self.chance.choice((1, 1, 1, 1, 2, 2, 4))
        tier = "h100" if gpus == 4 else self.chance.choice(("any", "any", "h100", "rtx3090"))
        self.rota(
            "run", "--json", "--as", member, "--project", MEMBERS[member], "--name", name,
            "--gpus", str(gpus), "--tier", tier, "--checkpoint", str(checkpoint), "--",
            sys.executable, str(HERE / "count.py"), "--target", str(self.chance.randint(150, 500)), "--pace", "0.1",
        )  # fmt: skip

    def keep_it_busy(self) -> None:
        """Whenever few wait, somebody submits again."""
        while self.daemon is not None and self.daemon.poll() is None:
            jobs = self.rota("list", "--json")["jobs"]
            assert isinstance(jobs, list)
            if sum(job["state"] == "waiting" for job in jobs) < WAITING_AT_LEAST:
                self.submit()
            else:
                time.sleep(1.0)
        raise SystemExit(f"The daemon stopped; its own words are in {self.state / 'daemon.log'}")

    def stop(self) -> None:
        """Cancel every job, wait until their processes have gone, then stop the daemon."""
        if self.daemon is None or self.daemon.poll() is not None:
            return
        print("\nStopping the sample laboratory...", flush=True)
        give_up_at = time.monotonic() + 30
        while time.monotonic() < give_up_at:
            jobs = self.rota("list", "--json")["jobs"]
            assert isinstance(jobs, list)
            if not jobs:
                break
            self.rota("cancel", "--json", *(str(job["job"]) for job in jobs))
            time.sleep(0.3)
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait(timeout=15)
        print("Stopped; no process is left. The record stays in", self.state)


def stop_now(*_: object) -> None:
    """Whatever asks us to end, ends us like Ctrl-C."""
    raise KeyboardInterrupt


def main() -> None:
    """Run until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, default=Path("demo-state"), help="folder for the demo (made anew)")
    parser.add_argument("--port", type=int, default=8420, help="of the page, on this machine only")
    parser.add_argument("--for-seconds", type=float, help="stop by itself after this long")
    wanted = parser.parse_args()
    shutil.rmtree(wanted.state, ignore_errors=True)
    laboratory = SampleLaboratory(wanted.state.resolve(), wanted.port)
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(ending, stop_now)
    try:
        laboratory.start()
        for _ in range(20):
            laboratory.submit()
        print_welcome(laboratory)
        if wanted.for_seconds:
            signal.setitimer(signal.ITIMER_REAL, wanted.for_seconds)
        laboratory.keep_it_busy()
    except KeyboardInterrupt:
        pass
    finally:
        for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
            signal.signal(ending, signal.SIG_IGN)  # the end is not to be interrupted
        laboratory.stop()


def print_welcome(laboratory: SampleLaboratory) -> None:
    """Where to look, and what to type in another terminal."""
    link = laboratory.rota("web", "--json")["url"]
    state = os.path.relpath(laboratory.state)
    print(f"""
The sample laboratory is open: five members share {FLEET}.

  The board:   {link}
               (lets one browser in; for another:  .venv/bin/rota web --state {state})
  The list:    .venv/bin/rota list --state {state}
  Your job:    .venv/bin/rota run --state {state} --project thesis -- python3 -c 'print("my first turn")'

Turns rotate every eight seconds. Ctrl-C stops everything.
""", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

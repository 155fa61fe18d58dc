"""A sample laboratory on this machine: five members, three projects, fourteen simulated GPUs, real processes.

    python examples/sample_lab.py

Starts Rota in the folder `demo-state`, submits jobs that count, and goes on submitting, so that turns rotate every
few seconds. Prints a link to the board. Ctrl-C stops everything, and no process is left behind.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
from pathlib import Path

from laboratory import MODELS, Laboratory, WentWrong, end_like_ctrl_c, end_undisturbed

FLEET = "2x h100:4, 3x rtx3090:2"
MEMBERS = {"kim": "vision", "lee": "vision", "park": "speech", "choi": "speech", "jung": "thesis"}
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


class Members:
    """They submit jobs of all kinds, and never tire."""

    def __init__(self, laboratory: Laboratory) -> None:
        self.laboratory = laboratory
        self.submitted = 0
        self.chance = random.Random(7)

    def submit(self) -> None:
        """One job of somebody."""
        self.submitted += 1
        member = self.chance.choice(list(MEMBERS))
        name = f"{self.chance.choice(MODELS)}-{self.submitted}"
        gpus = self.chance.choice((1, 1, 1, 1, 2, 2, 4))
        tier = "h100" if gpus == 4 else self.chance.choice(("any", "any", "h100", "rtx3090"))
        whose = ("--as", member, "--project", MEMBERS[member])
        self.laboratory.count(name, self.chance.randint(150, 500), 0.1, *whose, "--gpus", str(gpus), "--tier", tier)


def main() -> None:
    """Run until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, default=Path("demo-state"), help="folder for the demo (made anew)")
    parser.add_argument("--port", type=int, default=8420, help="of the page, on this machine only")
    parser.add_argument("--for-seconds", type=float, help="stop by itself after this long")
    wanted = parser.parse_args()
    shutil.rmtree(wanted.state, ignore_errors=True)
    laboratory = Laboratory(wanted.state.resolve(), SETTINGS.format(port=wanted.port), ("--simulate", FLEET))
    members = Members(laboratory)
    end_like_ctrl_c()
    try:
        laboratory.start()
        for _ in range(20):
            members.submit()
        print_welcome(laboratory)
        if wanted.for_seconds:
            signal.setitimer(signal.ITIMER_REAL, wanted.for_seconds)
        laboratory.keep_it_busy(members.submit)
    except KeyboardInterrupt:
        pass
    except WentWrong as wrong:
        sys.exit(str(wrong))
    finally:
        end_undisturbed()
        stop(laboratory)


def stop(laboratory: Laboratory) -> None:
    """Nobody's process is left."""
    if laboratory.is_up():
        print("\nStopping the sample laboratory...", flush=True)
        laboratory.cancel_all()
        laboratory.stop()
        print("Stopped; no process is left. The record stays in", laboratory.state)


def print_welcome(laboratory: Laboratory) -> None:
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

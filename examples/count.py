"""Counts, and goes on where it stopped: the smallest job that can have several turns.

    rota run --checkpoint count.json -- python examples/count.py --target 600

Every number goes into the checkpoint once. At the end it prints a checksum of all of them, which is the same with and
without rotation.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path

import rota_turn


def load(path: Path) -> list[int]:
    """The numbers counted so far."""
    return json.loads(path.read_text())["numbers"] if path.exists() else []


def save(path: Path, numbers: list[int]) -> None:
    """Written beside and renamed into place, so that a checkpoint is always whole."""
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps({"numbers": numbers}))
    os.replace(draft, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", type=int, default=100, help="count to this number")
    parser.add_argument("--pace", type=float, default=0.1, help="seconds for each number")
    parser.add_argument("--save-every", type=float, default=1.0, help="seconds between two saves")
    wanted = parser.parse_args()
    path = Path(rota_turn.checkpoint_path("count.json"))
    numbers = load(path)
    print(f"turn {os.environ.get('ROTA_TURN', '-')}: going on after {len(numbers)}", flush=True)
    saved_at = time.monotonic()
    while len(numbers) < wanted.target:
        time.sleep(wanted.pace)
        numbers.append(len(numbers) + 1)
        rota_turn.progress(len(numbers), wanted.target)
        if rota_turn.ending():
            save(path, numbers)
            sys.exit(85)
        if time.monotonic() - saved_at >= wanted.save_every:
            save(path, numbers)
            saved_at = time.monotonic()
    save(path, numbers)
    rota_turn.done()
    print("checksum", hashlib.sha256(json.dumps(numbers).encode()).hexdigest()[:16])


if __name__ == "__main__":
    main()

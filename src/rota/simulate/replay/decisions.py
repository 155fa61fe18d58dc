"""The turns of a replay as CSV: what was decided, to the last bit, for another program or for a comparison."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from rota.errors import BadRequest
from rota.simulate.replay.values import Replayed

COLUMNS = ("policy", "job", "gpus", "began_s", "ended_s", "preempted")


def write_decisions(path: Path, replays: Sequence[Replayed]) -> None:
    """One row a turn, in the order of their ends; seconds since the first submit. Raises BadRequest."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(COLUMNS)
            for replayed in replays:
                rows.writerows(
                    (replayed.policy, turn.job, "|".join(turn.gpus), turn.began_s, turn.ended_s, int(turn.is_preempted))
                    for turn in replayed.turns
                )
    except OSError as failed:
        raise BadRequest(
            f"The decisions cannot be written to {path}: {failed.strerror}. Choose another file with --decisions."
        ) from None

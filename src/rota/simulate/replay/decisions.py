"""The turns of a replay as CSV: what was decided, to the last bit, for another program or for a comparison."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TextIO

from rota.errors import BadRequest
from rota.simulate.replay.values import Replayed

COLUMNS = ("policy", "job", "gpus", "began_s", "ended_s", "preempted")


def check_decisions(path: Path) -> None:
    """They can be written there; what the file holds stays. Raises BadRequest."""
    with _opened(path, "a"):
        pass


def write_decisions(path: Path, replays: Sequence[Replayed]) -> None:
    """One row a turn, in the order of their ends; seconds since the first submit. Raises BadRequest."""
    with _opened(path, "w") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for replayed in replays:
            rows.writerows(
                (replayed.policy, turn.job, "|".join(turn.gpus), turn.began_s, turn.ended_s, int(turn.is_preempted))
                for turn in replayed.turns
            )


@contextmanager
def _opened(path: Path, mode: Literal["a", "w"]) -> Iterator[TextIO]:
    try:
        with path.open(mode, encoding="utf-8", newline="") as file:
            yield file
    except OSError as failed:
        raise BadRequest(
            f"The decisions cannot be written to {path}: {failed.strerror}. Choose another file with --decisions."
        ) from None

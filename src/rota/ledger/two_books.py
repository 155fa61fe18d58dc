"""`python -m rota.ledger.two_books`: both books as JSON in, what differs as JSON out, for `rota slurm records`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from rota.ledger.reconcile import TOLERANCE_PART, TOLERANCE_S, BookedTurn, Window, reconcile
from rota.slurm.records import SlurmRecord

SLURM_GPU = "SLURM-"  # the UUID of each GPU of a Slurm fleet begins so


def compare(books: dict[str, Any]) -> dict[str, Any]:
    """The comparison of `turns` (with their jobs' member and project) and `records` in `window`, for `site`."""
    turns = [_turn(turn) for turn in books["turns"]]
    records = [_record(record) for record in books["records"]]
    found = reconcile(turns, records, Window(**books["window"]), books["site"])
    return {**asdict(found), "tolerance_s": TOLERANCE_S, "tolerance_part": TOLERANCE_PART}


def _turn(turn: dict[str, Any]) -> BookedTurn:
    """A turn as the API exports it. A gang's nodes stand in its GPUs' labels, `node:index`."""
    nodes = {label.rpartition(":")[0] for label in turn["gpus"] if ":" in label}
    return BookedTurn(
        id=turn["turn"],
        member=turn["member"],
        project=turn["project"],
        nodes=tuple(sorted(nodes or {turn["node"]})),
        gpus=len(turn["gpu_uuids"]),
        began_at=turn["began_at"],
        ended_at=turn["ended_at"],
        gpu_s=turn["gpu_s"],
        is_of_slurm=any(uuid.startswith(SLURM_GPU) for uuid in turn["gpu_uuids"]),
    )


def _record(record: dict[str, Any]) -> SlurmRecord:
    by_type = tuple((name, number) for name, number in record["gpus_by_type"])
    return SlurmRecord(**{**record, "gpus_by_type": by_type, "nodes": tuple(record["nodes"])})


def main() -> None:
    """From standard input to standard output."""
    print(json.dumps(compare(json.load(sys.stdin))))


if __name__ == "__main__":
    main()

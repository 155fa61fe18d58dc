"""The keeper's entry: once per turn, whatever happens around it."""

from __future__ import annotations

import contextlib
import os
import sys
import time

from rota.engines.keeper import files
from rota.engines.keeper.in_slurm import begun_in_slurm, with_slurm
from rota.engines.keeper.kernel import become_subreaper
from rota.engines.keeper.order import read_order
from rota.engines.keeper.processes import boot_id, read_process
from rota.engines.keeper.signals import Signals
from rota.engines.keeper.turn import Keeper


def main() -> None:
    """`keeper TURN_DIR`, with the turn's lock held by an inherited descriptor (but under Slurm)."""
    keep(sys.argv[1])


def keep(folder: str) -> None:
    """The turn of that folder, from begin to end; nothing when it was begun already."""
    order = read_order(os.path.join(folder, files.ORDER))
    signals = Signals()
    with contextlib.suppress(OSError):
        become_subreaper()
    own = read_process(os.getpid())
    begun: dict[str, object] = {
        "keeper_pid": os.getpid(),
        "keeper_started": own.started if own else 0,
        "boot_id": boot_id(),
        "began_at": time.time(),
    }
    if order.is_in_slurm:
        order = with_slurm(order, dict(os.environ))
        begun |= begun_in_slurm(dict(os.environ))
    try:
        files.write_json_once(os.path.join(folder, files.BEGUN), begun)
    except FileExistsError:
        return  # another keeper has, or had, this turn: a job is never started twice
    Keeper(folder, order, signals).run()

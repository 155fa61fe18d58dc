"""What is different for a keeper that Slurm has started, as the script of a turn's job.

It is the member's process on one of the nodes, and the turn's folder is on a file system that all have. The daemon
cannot see it: `alive` says that it lives. Slurm may end it by TERM (somebody's scancel, a limit, a drained node).
"""

from __future__ import annotations

import contextlib
import os

from rota.engines.keeper import files
from rota.engines.keeper.order import EndWish, TurnOrder

#: What Slurm puts into a job's environment and its programs go by: srun, MPI, torchrun, CUDA.
_OURS = ("SLURM_", "SLURMD_", "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK", "GPU_DEVICE_ORDINAL")
#: On one node the job's command is no task of a step, as it would be none on a machine without Slurm. Lightning, for
#: one, waits for as many processes as SLURM_NTASKS says (lightning.fabric SLURMEnvironment.detect, 2.6).
_OF_TASKS = (
    "SLURM_NTASKS", "SLURM_NPROCS", "SLURM_NTASKS_PER_NODE", "SLURM_TASKS_PER_NODE", "SLURM_PROCID", "SLURM_LOCALID",
    "SLURM_NODEID", "SLURM_STEP_ID", "SLURM_STEPID", "SLURM_TASK_PID", "SLURM_GTIDS",
)  # fmt: skip
#: Of the daemon's own sbatch: srun would go by them (srun(1), --export).
_OF_SBATCH = ("SLURM_EXPORT_ENV", "SLURM_GET_USER_ENV", "SLURM_TIME_FORMAT")
SLURM_ENDS = "Slurm ends this job"
#: Whatever its script made of the signal: a script that catches TERM and exits with 0 has not finished.
ENDED_BY_SLURM = "Slurm ended it: somebody cancelled its Slurm job, or a limit was met."
TERM_MAY_LAG_S = 0.5  # Slurm signals all processes of a job one after the other: the keeper may be the last
LIMIT_GRACE_S = 240.0  # of the time before a limit of Slurm's own, at which it sends USR2


def with_slurm(order: TurnOrder, own: dict[str, str]) -> TurnOrder:
    """The order with what Slurm gave this job; `own`: the keeper's environment."""
    given = {name: value for name, value in own.items() if name.startswith(_OURS) and name not in _OF_SBATCH}
    if order.is_one_node:
        given = {name: value for name, value in given.items() if name not in _OF_TASKS}
    return order._replace(environment={**order.environment, **given})


def begun_in_slurm(own: dict[str, str]) -> dict[str, object]:
    """What begun.json says beside what it always says."""
    return {
        "slurm_job": own.get("SLURM_JOB_ID", ""),
        "node": own.get("SLURMD_NODENAME", os.uname().nodename),
        "slurm_gpus": own.get("SLURM_JOB_GPUS", ""),
    }


class Beat:
    """Says again and again that the keeper lives: a daemon that sees no beat may give the job to another node."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, files.ALIVE)
        self._count = 0

    def strike(self) -> None:
        """Another number in the file, so that it is seen through the caches of any file system."""
        self._count += 1
        with contextlib.suppress(OSError):
            files.write_json(self._path, {"beat": self._count}, is_durable=False)


def wish_of(has_term: bool, nears_limit: bool) -> EndWish | None:
    """How Slurm wants the turn to end."""
    if has_term:
        return EndWish(is_at_once=True, why=SLURM_ENDS)
    if nears_limit:
        return EndWish(is_at_once=False, grace_s=LIMIT_GRACE_S, why="the time limit of Slurm's partition comes")
    return None


def is_srun(pid: int) -> bool:
    """srun hands signals on to every task on every node, whether or not these catch them (srun(1), SIGNALS)."""
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
            return file.read().strip() == "srun"
    except OSError:
        return False

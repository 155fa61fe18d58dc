"""What a keeper is told: the order with the whole environment of the job (design.md, Turns 2)."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from rota.domain.gpus import Gpu
from rota.engines.contract import StartOrder
from rota.engines.keeper import files
from rota.engines.keeper.order import TurnOrder
from rota.engines.turn_folder.settings import KeeperSettings


def turn_order(
    order: StartOrder,
    folder: Path,
    library: Path,
    settings: KeeperSettings,
    *,
    wake_socket: Path | None = None,
    is_in_slurm: bool = False,
) -> TurnOrder:
    """order.json for one turn. Without `wake_socket` the daemon looks into the folder by itself."""
    launch = order.launch
    environment = turn_environment(order, folder, library)
    if is_in_slurm:
        environment = _without_slurm(environment)
    return TurnOrder(
        turn=order.turn,
        argv=launch.argv,
        cwd=launch.cwd,
        environment=environment,
        umask=launch.umask,
        uid=launch.uid,
        gid=launch.gid,
        groups=launch.groups,
        member=_account(launch.uid),
        gpus=tuple(gpu.uuid for gpu in order.gpus),
        output=launch.output,
        checkpoint=order.checkpoint,
        notice_signal=order.notice_signal,
        term_s=settings.term_s,
        settle_s=settings.settle_s,
        log_keep_bytes=settings.log_keep_bytes,
        progress_before=order.progress,
        wake_socket=str(wake_socket or ""),
        is_in_slurm=is_in_slurm,
        is_one_node=len({gpu.node for gpu in order.gpus}) <= 1,
    )


def turn_environment(order: StartOrder, folder: Path, library: Path) -> dict[str, str]:
    """The member's environment with what a turn adds. Nothing of Slurm's is faked: Lightning would call scontrol."""
    # Python holds back what it prints into a file: `rota logs -f` and the progress in it would come minutes late.
    own = {"PYTHONUNBUFFERED": "1", **order.launch.environment}
    member = folder / files.MEMBER
    own.update(
        ROTA_JOB_ID=str(order.job),
        ROTA_JOB_NAME=order.job_name,
        ROTA_TURN=str(order.number),
        ROTA_TURN_ID=order.turn,
        ROTA_TURN_DIR=str(folder),
        ROTA_PROJECT=order.project,
        ROTA_TURN_ENDS=f"{order.guaranteed_until:.0f}",
        ROTA_NOTICE=str(member / files.NOTICE),
        ROTA_RESULT=str(member / files.RESULT),
        ROTA_PROGRESS=str(member / files.PROGRESS),
        CUDA_DEVICE_ORDER="PCI_BUS_ID",
        CUDA_VISIBLE_DEVICES=",".join(_visible(gpu) for gpu in order.gpus),
        PYTHONPATH=os.pathsep.join(part for part in (str(library), own.get("PYTHONPATH", "")) if part),
    )
    own.pop("ROTA_CHECKPOINT", None)  # of an outer turn from which this job was submitted
    if order.checkpoint is not None:
        own["ROTA_CHECKPOINT"] = order.checkpoint
    return own


def _without_slurm(environment: dict[str, str]) -> dict[str, str]:
    """The turn's own job gives these: those of the job from which somebody submitted would mislead srun and CUDA.

    The number of an array's task is the job's own: Slurm knows nothing of Rota's arrays.
    """
    return {
        name: value
        for name, value in environment.items()
        if name.startswith("SLURM_ARRAY_TASK_")
        or not (name.startswith(("SLURM", "SBATCH_", "SRUN_")) or name == "CUDA_VISIBLE_DEVICES")
    }


def _visible(gpu: Gpu) -> str:
    return str(gpu.index) if gpu.is_simulated else gpu.uuid


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid{uid}"

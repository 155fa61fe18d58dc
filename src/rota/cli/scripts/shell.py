"""What a script that was written for Slurm finds of it under Rota.

A shell script gets Slurm's usual variables as variables of that shell, which are not exported: `$SLURM_JOB_ID` in a
path or `$SLURM_NTASKS` behind mpirun say what they should, while no library that the script starts believes that it is
in Slurm. They do as soon as they see one of them: JAX and submitit by SLURM_JOB_ID, Lightning by SLURM_NTASKS, Open MPI
by SLURM_JOBID, and then they call srun or scontrol. Only the numbers of array tasks are exported: scripts read them
themselves, also in Python, and no library takes them for a sign of Slurm. Where the turn is a real job of Slurm's, its
own variables are there already and stay.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rota.cli.scripts.resources import Resources

TASK = "SLURM_ARRAY_TASK_ID"


def array_environment(numbers: Sequence[int]) -> dict[str, str]:
    """What all tasks of an array have in common. `numbers` are those of the whole array, at least one."""
    steps = {after - before for before, after in zip(sorted(numbers), sorted(numbers)[1:], strict=False)}
    return {
        "SLURM_ARRAY_TASK_COUNT": str(len(numbers)),
        "SLURM_ARRAY_TASK_MIN": str(min(numbers)),
        "SLURM_ARRAY_TASK_MAX": str(max(numbers)),
        "SLURM_ARRAY_TASK_STEP": str(min(steps, default=1)),
    }


def first_line(resources: Resources, submit_dir: str, array: Sequence[int]) -> str:
    """Shell text on one line, in place of the script's first, so that errors still name the right lines."""
    here = "$(uname -n)"
    values = {
        "SLURM_JOB_ID": "$ROTA_JOB_ID",
        "SLURM_JOBID": "$ROTA_JOB_ID",
        "SLURM_JOB_NAME": "$ROTA_JOB_NAME",
        "SLURM_SUBMIT_DIR": shlex.quote(submit_dir),
        "SLURM_SUBMIT_HOST": here,
        "SLURM_NTASKS": str(resources.tasks),
        "SLURM_NPROCS": str(resources.tasks),
        "SLURM_NNODES": str(resources.nodes),
        "SLURM_JOB_NUM_NODES": str(resources.nodes),
        "SLURM_NTASKS_PER_NODE": str(-(-resources.tasks // resources.nodes)),
        "SLURM_JOB_NODELIST": here,
        "SLURM_NODELIST": here,
        "SLURMD_NODENAME": here,
        "SLURM_NODEID": "0",
        "SLURM_PROCID": "0",
        "SLURM_LOCALID": "0",
        "SLURM_GPUS_ON_NODE": str(max(resources.gpus, 1)),
    }
    if resources.cpus_per_task:  # as in Slurm, only when it was asked for
        values["SLURM_CPUS_PER_TASK"] = str(resources.cpus_per_task)
    if array:
        values["SLURM_ARRAY_JOB_ID"] = "$ROTA_ARRAY_JOB"
    lines = [f"{name}=${{{name}-{value}}}" for name, value in values.items()]
    if array:
        lines += [f"export {name}={value}" for name, value in array_environment(array).items()]
        lines.append(f"export {TASK}=$ROTA_ARRAY_TASK")
    return "; ".join(lines)

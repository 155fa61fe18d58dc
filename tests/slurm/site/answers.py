"""What hosts answer to the script that asks them, as such hosts print it."""

from __future__ import annotations

from collections.abc import Callable

GREETING = "Welcome to the department's servers.\n@ noon on Friday they rest.\n"
CPUS = "\n".join(f"{cpu},{cpu % 32},{cpu % 32 // 16}" for cpu in range(64))  # 2 sockets of 16 cores with 2 threads
MINORS = """\
Model: \t\t NVIDIA H100 80GB HBM3
GPU UUID: \t GPU-aa
Device Minor: \t 1
Model: \t\t NVIDIA H100 80GB HBM3
GPU UUID: \t GPU-bb
Device Minor: \t 0
"""
GPUS = """\
0, GPU-aa, 81559, Disabled, NVIDIA H100 80GB HBM3
1, GPU-bb, 81559, Disabled, NVIDIA H100 80GB HBM3
"""
NO_DRIVER = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n"


def an_answer(
    name: str = "gpu1",
    *,
    slurmd: str = "",
    cpus: str = CPUS,
    memory: str = "MemTotal:       527951872 kB",
    gpus: str = GPUS,
    minors: str = MINORS,
    cgroup: str = "cgroup2fs\ncpuset cpu io memory pids",
    system: str = 'PRETTY_NAME="Debian GNU/Linux 12"\nVERSION_ID="12"\nID=debian',
    version: str = "",
    running: str = "",
    cluster: str = "",
    account: str = "",
    time: float = 1_000_000,
) -> str:
    """One host's, of a laboratory's server with two H100 unless told otherwise."""
    parts = {
        "name": name, "slurmd": slurmd, "cpus": cpus, "memory": memory, "gpus": gpus, "minors": minors,
        "cgroup": cgroup, "system": system, "version": version, "running": running, "cluster": cluster,
        "account": account, "time": f"{time:.0f}", "end": "",
    }  # fmt: skip
    return GREETING + "".join(f"\n@{part}\n{text}\n" for part, text in parts.items())


def tier(model: str) -> str:
    """As rota.fleet.tiers names these."""
    return "h100" if "H100" in model else "rtx3090"


TYPE_OF: Callable[[str], str] = tier

"""Whether Slurm keeps a record of its jobs, with which `rota slurm records` can compare Rota's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from rota.fleet.findings import Finding
from rota.fleet.slurm_doctor.world import Unanswered, World, ask


def records(world: World, config: Mapping[str, str]) -> Iterator[Finding]:
    """slurmdbd, or a file of ended jobs."""
    if config.get("AccountingStorageType") == "accounting_storage/slurmdbd":
        answer = ask(world.run, ["sacct", "--noheader", "--allocations", "--starttime=now", "--format=JobID"])
        host = config.get("AccountingStorageHost", "")
        if isinstance(answer, Unanswered):
            text = f"slurmdbd on {host} does not answer: {answer.why.splitlines()[-1]}"
            yield Finding("records", False, text, f"ssh {host} systemctl status slurmdbd mariadb")
            return
        yield Finding("records", True, f"kept by slurmdbd on {host}")
        if "gres/gpu" not in config.get("AccountingStorageTRES", ""):
            text = "slurmdbd does not count GPUs, so Slurm's record cannot be compared with GPU-hours"
            yield Finding("records", None, text, "AccountingStorageTRES=gres/gpu in slurm.conf, then restart slurmctld")
        return
    if config.get("JobCompType") == "jobcomp/filetxt":
        path = Path(config.get("JobCompLoc") or "/var/log/slurm_jobcomp.log")
        if world.read(path) is None:
            text = f"Slurm writes ended jobs into {path} on its controller, and it cannot be read here"
            yield Finding("records", None, text, f"rota slurm records --from FILE, with a copy of {path}")
        else:
            yield Finding("records", True, f"ended jobs are written into {path}")
        return
    text = "Slurm keeps none, so nothing can be compared with Rota's"
    mend = "JobCompType=jobcomp/filetxt and JobCompLoc=FILE in slurm.conf, then: systemctl restart slurmctld"
    yield Finding("records", None, text, mend)

"""By which rules the cluster is run, and whether Rota's turns get along with them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rota.fleet.findings import Finding
from rota.slurm.config_answer import first_number, words_of

FILE = "in slurm.conf on the controller"
RESTART = f"{FILE}, then: systemctl restart slurmctld, and slurmd on the nodes"
RECONFIGURE = f"{FILE}, then: scontrol reconfigure"
MIN_JOB_AGE_S = 120  # Rota waits 75 s for what a node has written to come over NFS; until then it asks for the job


def rules(config: Mapping[str, str], is_root: bool) -> Iterator[Finding]:
    """What slurm.conf and cgroup.conf say."""
    found = [*_resources(config), *_isolation(config), *_ends(config), *_others(config, is_root)]
    yield from found
    if not found:
        yield Finding("slurm.conf", True, "GPUs, cores and memory are given out singly, and jobs are kept to theirs")


def _resources(config: Mapping[str, str]) -> Iterator[Finding]:
    select = config.get("SelectType", "")
    if select != "select/cons_tres":
        text = f"SelectType={select} cannot give out single GPUs of a node"
        yield Finding("slurm.conf", False, text, f"SelectType=select/cons_tres {RESTART}")
    if "gpu" not in words_of(config.get("GresTypes", "")):
        text = "GresTypes has no gpu, so Slurm knows of no GPU at all"
        yield Finding("slurm.conf", False, text, f"GresTypes=gpu {RESTART}; gres.conf says which they are")
    given_out = words_of(config.get("SelectTypeParameters", ""))
    if select == "select/cons_tres" and not any("memory" in word for word in given_out):
        text = "memory is not given out: one job may take all of a node's, and others are killed for it"
        yield Finding("slurm.conf", None, text, f"SelectTypeParameters=CR_Core_Memory {RESTART}")


def _isolation(config: Mapping[str, str]) -> Iterator[Finding]:
    plugins = words_of(config.get("TaskPlugin", ""))
    if "task/cgroup" not in plugins or config.get("ConstrainDevices", "").lower() != "yes":
        text = "no control group keeps a job to its own GPUs: a member can use those of others, and may not notice it"
        mend = f"TaskPlugin=task/cgroup,task/affinity {RESTART}; ConstrainDevices=yes in cgroup.conf"
        yield Finding("isolation", None, text, mend)
    elif config.get("ConstrainRAMSpace", "").lower() != "yes":
        text = "nothing keeps a job to its memory: one that takes too much brings its node down"
        yield Finding("isolation", None, text, "ConstrainRAMSpace=yes in cgroup.conf, then: systemctl restart slurmd")
    if config.get("ProctrackType", "") != "proctrack/cgroup":
        text = "processes of a job are found by their parents, and one that hides from that outlives its turn"
        yield Finding("isolation", None, text, f"ProctrackType=proctrack/cgroup {RESTART}")


def _ends(config: Mapping[str, str]) -> Iterator[Finding]:
    age_s = first_number(config.get("MinJobAge", ""), 300)
    if 0 < age_s < MIN_JOB_AGE_S:  # 0: an ended job is never forgotten
        text = f"MinJobAge={age_s}: Slurm forgets an ended job before Rota has surely seen how it ended"
        yield Finding("slurm.conf", False, text, f"MinJobAge=300 {RECONFIGURE}")
    parameters = words_of(config.get("SchedulerParameters", ""))
    if "defer" in parameters:
        text = "SchedulerParameters=defer: a turn begins up to a minute after Rota gave it"
        yield Finding("slurm.conf", None, text, f"take defer out of SchedulerParameters {RECONFIGURE}")
    elif "batch_sched_delay=0" not in parameters:
        text = "a turn begins about a second later than it could, for Slurm collects batch jobs for 3 s"
        yield Finding("slurm.conf", None, text, f"SchedulerParameters=batch_sched_delay=0 {RECONFIGURE}")
    preempt = config.get("PreemptType", "preempt/none")
    if preempt not in ("preempt/none", ""):
        text = f"PreemptType={preempt}: Slurm may end a turn for somebody else, without Rota's notice and grace"
        yield Finding("slurm.conf", None, text, "give Rota a partition of its own, with PreemptMode=OFF")


def _others(config: Mapping[str, str], is_root: bool) -> Iterator[Finding]:
    hidden = words_of(config.get("PrivateData", "")) & {"jobs", "nodes"}
    if hidden and not is_root:
        text = f"PrivateData hides {' and '.join(sorted(hidden))} of others: Rota cannot see which GPUs they use"
        yield Finding(
            "slurm.conf", None, text, "run Rota as root, or: sacctmgr modify user NAME set adminlevel=operator"
        )
    enforced = words_of(config.get("AccountingStorageEnforce", "")) & {"associations", "limits", "qos", "all"}
    if enforced:
        text = f"Slurm takes jobs of members with an account in its books alone ({', '.join(sorted(enforced))})"
        yield Finding("slurm.conf", None, text, "sacctmgr add user NAME account=ACCOUNT, for each member")

"""slurm.conf: every line with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rota.slurm.site.hosts import Controller, Host, smallest_part
from rota.slurm.site.join import SLURM_UID

CONTROLLER_PORT, NODE_PORT = 6817, 6818  # registered for Slurm (slurm.conf(5))


@dataclass(frozen=True, slots=True)
class Site:
    """A cluster that is to be set up."""

    cluster: str
    controller: Controller
    hosts: tuple[Host, ...]
    partition: str = "gpu"
    database: str = ""  #: the host of slurmdbd; "": there is none
    has_cgroups: bool = True
    is_configless: bool = True  #: nodes fetch their configuration from the controller
    finds_gpus: str = ""  #: how slurmd finds GPUs by itself: "nvml", "nvidia"; "": gres.conf lists them
    slurm_uid: int = SLURM_UID
    overrides: Mapping[str, str] = field(default_factory=dict)  #: further lines of slurm.conf, or other values for ours


@dataclass(frozen=True, slots=True)
class Line:
    """A line of slurm.conf."""

    key: str
    value: str
    why: str


def slurm_conf(site: Site) -> str:
    """The file."""
    parts = [_HEAD.format(cluster=site.cluster, controller=site.controller.name)]
    for title, lines in _sections(site):
        parts.append(f"# --- {title} ".ljust(100, "-"))
        parts += [f"# {line.why}\n{line.key}={_value(line, site)}" for line in lines]
    known = {line.key.lower() for _, lines in _sections(site) for line in lines}
    extra = [f"{key}={value}" for key, value in site.overrides.items() if key.lower() not in known]
    if extra:
        parts += ["# --- given with --set ".ljust(100, "-"), *extra]
    parts += [_nodes(site), _partition(site)]
    return "\n".join(parts) + "\n"


def value_of(site: Site, key: str) -> str:
    """What slurm.conf will say of a key; "" for one that it does not have."""
    for _, lines in _sections(site):
        for line in lines:
            if line.key.lower() == key.lower():
                return _value(line, site)
    return _overrides(site).get(key.lower(), "")


def _value(line: Line, site: Site) -> str:
    return _overrides(site).get(line.key.lower(), line.value)


def _overrides(site: Site) -> dict[str, str]:
    return {key.lower(): value for key, value in site.overrides.items()}


_HEAD = """\
# slurm.conf of the cluster {cluster}, written by `rota slurm init`. It is yours now: change it where you like.
# It belongs into /etc/slurm on {controller}, the controller. What a line means in full: man slurm.conf
# After a change: systemctl restart slurmctld on the controller (running jobs go on), then: scontrol reconfigure"""


def _sections(site: Site) -> Iterator[tuple[str, tuple[Line, ...]]]:
    yield "who and where", _who(site)
    yield "GPUs, CPUs and memory", tuple(_resources(site))
    yield "how jobs are kept apart", tuple(_isolation(site))
    yield "when jobs begin and end", _times()
    yield "what is recorded", tuple(_records(site))


def _who(site: Site) -> tuple[Line, ...]:
    controller = site.controller
    address = "" if controller.address == controller.name else f"({controller.address})"
    configless = "enable_configless" if site.is_configless else ""
    lines = (
        Line("ClusterName", site.cluster, "The cluster's name in records. Changing it later loses the queue."),
        Line("SlurmctldHost", controller.name + address, "The controller: its short name (hostname -s), and address."),
        Line("SlurmctldPort", str(CONTROLLER_PORT), "Every host must reach this TCP port of the controller,"),
        Line("SlurmdPort", str(NODE_PORT), "and every host this one of each node."),
        Line("SlurmctldParameters", configless, "Nodes fetch these files from the controller: one copy to keep right."),
        Line("SlurmUser", "slurm", "slurmctld runs as this account; it has the same number on every host."),
        Line("AuthType", "auth/munge", "munge proves who asks: one secret key on all hosts, and clocks that agree."),
        Line("StateSaveLocation", "/var/lib/slurm/slurmctld", "The queue is kept here; a restart forgets nothing."),
        Line("SlurmdSpoolDir", "/var/lib/slurm/slurmd", "Of each node: job scripts, and the fetched configuration."),
        Line("SlurmctldLogFile", "/var/log/slurm/slurmctld.log", "Look here first when something is wrong,"),
        Line("SlurmdLogFile", "/var/log/slurm/slurmd.log", "and here on a node."),
        Line("MailProg", "/bin/true", "Slurm sends no mail (hosts seldom can); /usr/bin/mail here if yours can."),
    )  # fmt: skip
    return tuple(line for line in lines if line.value)


def _resources(site: Site) -> Iterator[Line]:
    yield Line("SelectType", "select/cons_tres", "Jobs get single GPUs, cores and memory of a node, not whole nodes.")
    yield Line("SelectTypeParameters", "CR_Core_Memory", "Cores and memory are given out, so no job takes another's.")
    yield Line("GresTypes", "gpu", "There are GPUs; gres.conf says which device files they are.")
    mib = min(host.job_memory_mib // host.processors.cpus for host in site.hosts)
    why = "MiB for each CPU of a job that asks for no memory. Without it such a job takes all of a node's."
    yield Line("DefMemPerCPU", str(max(mib, 1)), why)


def _isolation(site: Site) -> Iterator[Line]:
    if site.has_cgroups:
        why = "Control groups hold every process of a job, so none is left behind,"
        yield Line("ProctrackType", "proctrack/cgroup", why)
        yield Line(
            "TaskPlugin", "task/cgroup,task/affinity", "and keep it to its GPUs, cores and memory (cgroup.conf)."
        )
    else:
        why = "No control groups here: processes are found by their parents, and some may escape."
        yield Line("ProctrackType", "proctrack/linuxproc", why)
        yield Line("TaskPlugin", "task/affinity", "Jobs are bound to their cores. Nothing keeps them off others' GPUs.")
    why = "A daemon's limit on locked memory does not reach its jobs: NCCL and RDMA need more."
    yield Line("PropagateResourceLimitsExcept", "MEMLOCK", why)


def _times() -> tuple[Line, ...]:
    at_once = "A job starts within a second of its submission (2 s with the default batch_sched_delay=3)."
    return (
        Line("SchedulerType", "sched/backfill", "Small jobs may start before large ones that they do not delay."),
        Line("SchedulerParameters", "batch_sched_delay=0,sched_interval=10", at_once),
        Line("PriorityType", "priority/basic", "First come, first served in Slurm: whose turn it is, Rota decides."),
        Line("JobRequeue", "0", "A job whose node fails is not run again by Slurm: Rota gives it its next turn."),
        Line("ReturnToService", "2", "A node that was down comes back by itself when it registers in good order."),
        Line("SlurmdTimeout", "60", "Seconds of silence after which a node is down and its jobs are given up."),
        Line("KillWait", "10", "Seconds between SIGTERM and SIGKILL when a job is cancelled."),
        Line("MinJobAge", "300", "Seconds for which an ended job can still be asked about. Rota needs 120."),
    )


def _records(site: Site) -> Iterator[Line]:
    if not site.database:
        yield Line(
            "JobCompType",
            "jobcomp/filetxt",
            "A line for each ended job, which `rota slurm records` compares. It has no GPUs:",
        )
        yield Line(
            "JobCompLoc",
            "/var/log/slurm/jobcomp.log",
            "these Slurm counts with slurmdbd only. The file is on the controller.",
        )
        return
    yield Line("AccountingStorageType", "accounting_storage/slurmdbd", "Every job is recorded by slurmdbd; ask sacct.")
    yield Line("AccountingStorageHost", site.database, "The host of slurmdbd.")
    yield Line("AccountingStorageTRES", "gres/gpu", "GPUs are counted, too. (Slurm allows this with slurmdbd only.)")
    kind = "cgroup" if site.has_cgroups else "linux"
    yield Line("JobAcctGatherType", f"jobacct_gather/{kind}", "What each job really uses of CPU and memory.")


# --- nodes and partition -------------------------------------------------------------------------


def _nodes(site: Site) -> str:
    lines = [
        "# --- nodes ".ljust(100, "-"),
        "# A node that has less than its line says is drained; `slurmd -C` on it prints what it has. RealMemory is in",
        "# MiB, and leaves a twenty-fifth (1 to 16 GiB) to the system.",
    ]
    for host in site.hosts:
        if host.guessed:
            lines.append(
                f"# {host.name}: {' and '.join(host.guessed)} guessed low. Put in what slurmd -C prints there."
            )
        lines.append(node_line(host))
    return "\n".join(lines)


def node_line(host: Host) -> str:
    """`NodeName=...` for a host.

    >>> from rota.slurm.site.hosts import GpuKind, Processors
    >>> node_line(Host("gpu1", "10.0.0.7", Processors(64), 515_000, (GpuKind("h100", (0, 1)),)))
    'NodeName=gpu1 NodeAddr=10.0.0.7 CPUs=64 RealMemory=498600 Gres=gpu:h100:2'
    """
    has = host.processors
    words = [f"NodeName={host.name}"]
    if host.address != host.name:
        words.append(f"NodeAddr={host.address}")
    words.append(f"CPUs={has.cpus}")
    if has.cores:
        words.append(f"Boards=1 SocketsPerBoard={has.sockets} CoresPerSocket={has.cores} ThreadsPerCore={has.threads}")
    words.append(f"RealMemory={host.job_memory_mib}")
    if host.gres:
        words.append(f"Gres={host.gres}")
    return " ".join(words)


def _partition(site: Site) -> str:
    words = [f"PartitionName={site.partition} Nodes=ALL Default=YES State=UP MaxTime=UNLIMITED"]
    part = smallest_part(site.hosts)
    why = [
        "# --- partition ".ljust(100, "-"),
        "# One list of all nodes. MaxTime=UNLIMITED: how long a turn lasts, Rota decides.",
    ]
    if part is not None:
        cpus, mib = part
        words.append(f"DefCpuPerGPU={cpus} DefMemPerGPU={mib}")
        why.append(
            "# Who asks for a GPU alone gets one GPU's part of the smallest node with it: CPUs, and MiB of memory."
        )
    return "\n".join([*why, " ".join(words)])

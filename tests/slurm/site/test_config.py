"""slurm.conf, gres.conf, and what stands in them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from rota.slurm.site.config import Site, slurm_conf, value_of
from rota.slurm.site.gres import device_files, gres_conf
from rota.slurm.site.hosts import Controller, GpuKind, Host, Processors

GPU1 = Host("gpu1", "gpu1", Processors(64, 2, 16, 2), 515_578, (GpuKind("h100", tuple(range(8)), "NVIDIA H100 80GB"),))
LAB = Host("lab", "10.0.0.7", Processors(16), 65_536, (GpuKind("a100", (0, 2)), GpuKind("rtx3090", (1,))))
SITE = Site("lab", Controller("head", "head.dept.example"), (GPU1, LAB))


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def settings(site: Site) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in lines(slurm_conf(site)) if " " not in line)


def test_the_whole_of_slurm_conf() -> None:
    assert lines(slurm_conf(SITE)) == [
        "ClusterName=lab",
        "SlurmctldHost=head(head.dept.example)",
        "SlurmctldPort=6817",
        "SlurmdPort=6818",
        "SlurmctldParameters=enable_configless",
        "SlurmUser=slurm",
        "AuthType=auth/munge",
        "StateSaveLocation=/var/lib/slurm/slurmctld",
        "SlurmdSpoolDir=/var/lib/slurm/slurmd",
        "SlurmctldLogFile=/var/log/slurm/slurmctld.log",
        "SlurmdLogFile=/var/log/slurm/slurmd.log",
        "MailProg=/bin/true",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_Core_Memory",
        "GresTypes=gpu",
        "DefMemPerCPU=3931",
        "ProctrackType=proctrack/cgroup",
        "TaskPlugin=task/cgroup,task/affinity",
        "PropagateResourceLimitsExcept=MEMLOCK",
        "SchedulerType=sched/backfill",
        "SchedulerParameters=batch_sched_delay=0,sched_interval=10",
        "PriorityType=priority/basic",
        "JobRequeue=0",
        "ReturnToService=2",
        "SlurmdTimeout=60",
        "KillWait=10",
        "MinJobAge=300",
        "JobCompType=jobcomp/filetxt",
        "JobCompLoc=/var/log/slurm/jobcomp.log",
        "NodeName=gpu1 CPUs=64 Boards=1 SocketsPerBoard=2 CoresPerSocket=16 ThreadsPerCore=2 RealMemory=499100 "
        "Gres=gpu:h100:8",
        "NodeName=lab NodeAddr=10.0.0.7 CPUs=16 RealMemory=62900 Gres=gpu:a100:2,gpu:rtx3090:1",
        "PartitionName=gpu Nodes=ALL Default=YES State=UP MaxTime=UNLIMITED DefCpuPerGPU=5 DefMemPerGPU=20966",
    ]


def test_every_line_is_explained() -> None:
    text = slurm_conf(replace(SITE, database="db"))
    for before, line in zip(text.splitlines(), text.splitlines()[1:], strict=False):
        if line and not line.startswith(("#", "NodeName=")):
            assert re.match(r"# \w", before), line


def test_no_key_is_there_twice() -> None:
    for site in (SITE, replace(SITE, database="db"), replace(SITE, has_cgroups=False)):
        keys = [line.partition("=")[0].lower() for line in lines(slurm_conf(site)) if not line.startswith("NodeName")]
        assert len(keys) == len(set(keys))


def test_with_slurmdbd_gpus_are_counted_and_no_file_is_written() -> None:
    found = settings(replace(SITE, database="db"))
    assert found["AccountingStorageHost"] == "db"
    assert found["AccountingStorageTRES"] == "gres/gpu"
    assert "JobCompType" not in found
    assert "AccountingStorageTRES" not in settings(SITE)  # slurmctld refuses to start with it


def test_without_control_groups_nothing_names_them() -> None:
    assert "cgroup" not in "".join(lines(slurm_conf(replace(SITE, has_cgroups=False))))


def test_a_value_given_by_hand_takes_the_place_of_ours_and_others_are_added() -> None:
    site = replace(SITE, overrides={"slurmdtimeout": "300", "DebugFlags": "Gres"})
    found = settings(site)
    assert found["SlurmdTimeout"] == "300"
    assert found["DebugFlags"] == "Gres"
    assert value_of(site, "SlurmdTimeout") == "300"
    assert value_of(site, "debugflags") == "Gres"


def test_a_guess_is_marked_in_the_file() -> None:
    site = replace(SITE, hosts=(replace(GPU1, guessed=("CPUs", "memory")),))
    assert "# gpu1: CPUs and memory guessed low" in slurm_conf(site)


def test_device_files_are_written_out_by_type() -> None:
    assert lines(gres_conf(SITE)) == [
        "NodeName=gpu1 Name=gpu Type=h100 File=/dev/nvidia[0-7]",
        "NodeName=lab Name=gpu Type=a100 File=/dev/nvidia[0,2]",
        "NodeName=lab Name=gpu Type=rtx3090 File=/dev/nvidia1",
    ]


def test_where_slurmd_finds_gpus_by_itself_only_types_it_would_not_know_are_written_out() -> None:
    odd = replace(LAB, gpus=(GpuKind("rtx3090", (0, 1), "NVIDIA GeForce RTX 3090"),))
    assert lines(gres_conf(replace(SITE, hosts=(GPU1, odd), finds_gpus="nvml"))) == [
        "AutoDetect=nvml",
        "NodeName=lab AutoDetect=off Name=gpu Type=rtx3090 File=/dev/nvidia[0-1]",
    ]


@pytest.mark.parametrize(("minors", "files"), [((3,), "/dev/nvidia3"), ((7, 0, 1), "/dev/nvidia[0-1,7]")])
def test_numbers_of_device_files(minors: tuple[int, ...], files: str) -> None:
    assert device_files(GpuKind("t4", minors)) == files

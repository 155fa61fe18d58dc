"""Reading how a cluster is set, and what `scontrol --oneliner` says of its nodes."""

from __future__ import annotations

import doctest
import importlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.slurm.config_answer import (
    account_of,
    controllers,
    controllers_down,
    munge_socket,
    parse_config,
    parse_file,
)
from rota.slurm.oneliner import parse_lines

#: Lines of Slurm 22.05.8's answer.
ANSWER = """\
Configuration data as of 2026-11-24T13:49:42
AccountingStorageEnforce = none
AuthInfo                = cred_expire=60,socket=/run/lab/munge.socket
BOOT_TIME               = 2026-11-24T13:49:34
Epilog                  = (null)
SlurmUser               = slurm(64030)
SlurmctldHost[0]        = head(10.0.0.1)
SlurmctldHost[1]        = spare
SLURM_VERSION           = 22.05.8

Cgroup Support Configuration:
ConstrainDevices        = yes

Slurmctld(primary) at head is UP
Slurmctld(backup) at spare is DOWN
"""
NODE = (
    "NodeName=gpu1 Arch=x86_64 CoresPerSocket=16  Gres=gpu:h100:8(S:0-1) NodeAddr=10.0.0.7 NodeHostName=gpu1 Port=6900 "
    "Version=22.05.8 OS=Linux 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC @0  RealMemory=499100 State=IDLE+DRAIN "
    "Partitions=gpu,all  AllocTRES= Reason=the fan = broken, a=b [kim@2026-11-24T10:00:00]"
)


def test_settings_of_both_files_by_name() -> None:
    config = parse_config(ANSWER)
    assert config["AccountingStorageEnforce"] == "none"
    assert config["Epilog"] == ""
    assert config["ConstrainDevices"] == "yes"
    assert controllers(config) == (("head", "10.0.0.1"), ("spare", "spare"))
    assert controllers_down(ANSWER) == (("backup", "spare"),)
    assert munge_socket(config) == "/run/lab/munge.socket"
    assert account_of(config["SlurmUser"]) == ("slurm", 64030)


def test_the_file_stands_in_for_the_answer() -> None:
    text = "# ours\nslurmctldhost=head(10.0.0.1) # here\nSlurmctldHost=spare\nSLURMCTLDPORT=6900\nNodeName=a CPUs=2\n"
    config = parse_file(text)
    assert controllers(config) == (("head", "10.0.0.1"), ("spare", "spare"))
    assert config["SlurmctldPort"] == "6900"
    assert "NodeName" not in config


def test_a_node_on_one_line() -> None:
    (node,) = parse_lines(f"{NODE}\n\n", "NodeName")
    assert node["OS"] == "Linux 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC @0"
    assert node["Gres"] == "gpu:h100:8(S:0-1)"
    assert (node["Port"], node["State"], node["Partitions"]) == ("6900", "IDLE+DRAIN", "gpu,all")
    assert node["Reason"] == "the fan = broken, a=b [kim@2026-11-24T10:00:00]"


def test_what_somebody_wrote_as_a_reason_changes_nothing_else() -> None:
    (node,) = parse_lines(f"{NODE} Comment=State=IDLE", "NodeName")
    assert node["State"] == "IDLE+DRAIN"


@given(st.text())
def test_no_answer_whatever_breaks_the_readers(text: str) -> None:
    config = parse_config(text)
    controllers(config)
    munge_socket(config)
    account_of(text)
    parse_file(text)
    parse_lines(f"NodeName={text}", "NodeName")


@pytest.mark.parametrize(
    "name",
    [
        "rota.slurm.config_answer",
        "rota.slurm.oneliner",
        "rota.slurm.version",
        "rota.slurm.site.notation",
        "rota.slurm.site.config",
        "rota.slurm.site.gres",
    ],
)
def test_examples_in_docstrings_are_right(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0

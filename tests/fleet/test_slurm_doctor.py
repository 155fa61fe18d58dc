"""`rota doctor` and Slurm: each finding says what is wrong, why it matters, and what to type."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from examples.slurm_cluster import Cluster

from rota.domain.gpus import Gpu, Node
from rota.fleet.findings import Finding
from rota.fleet.nvml import Inventory, NoDriver
from rota.fleet.slurm_doctor import Site, World, slurm_findings
from rota.slurm.commands import SlurmRefused, SlurmUnavailable
from tests.slurm.cluster import booted_cluster, cluster

__all__ = ["booted_cluster", "cluster"]

NOW = 1_795_528_182.0
CONFIG = {
    "AccountingStorageEnforce": "none", "AccountingStorageType": "accounting_storage/none", "AuthInfo": "(null)",
    "ClusterName": "lab", "GresTypes": "gpu", "HASH_VAL": "Match", "JobCompLoc": "/var/log/slurm/jobcomp.log",
    "JobCompType": "jobcomp/filetxt", "MinJobAge": "300 sec", "PreemptType": "preempt/none", "PrivateData": "none",
    "ProctrackType": "proctrack/cgroup", "SchedulerParameters": "batch_sched_delay=0",
    "SelectType": "select/cons_tres", "SelectTypeParameters": "CR_CORE_MEMORY", "SlurmUser": "slurm(64030)",
    "SlurmctldHost[0]": "head(10.0.0.1)", "SlurmctldPort": "6817", "SlurmdPort": "6818", "SLURM_VERSION": "22.05.8",
    "TaskPlugin": "task/cgroup,task/affinity", "ConstrainDevices": "yes", "ConstrainRAMSpace": "yes",
}  # fmt: skip
PARTITION = (
    "PartitionName=gpu AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL Default=YES ExclusiveUser=NO MaxTime=UNLIMITED "
    "Nodes=gpu[1-2] OverSubscribe=NO State=UP TotalNodes=2"
)


def a_node(name: str = "gpu1", **fields: str) -> str:
    """A line of `scontrol --oneliner show node`."""
    said = {
        "Gres": "gpu:h100:2", "NodeAddr": name, "NodeHostName": name, "Version": "22.05.8", "State": "IDLE",
        "Partitions": "gpu", **fields,
    }  # fmt: skip
    return f"NodeName={name} " + " ".join(f"{key}={value}" for key, value in said.items())


class Slurm:
    """Answers of Slurm's commands; what is an exception is raised."""

    def __init__(self, answers: Mapping[str, str | Exception], config: Mapping[str, str]) -> None:
        told = "\n".join(f"{key:<24}= {value}" for key, value in {**CONFIG, **config}.items())
        self.answers: dict[str, str | Exception] = {
            "scontrol show config": f"{told}\n\nSlurmctld(primary) at head is UP\n",
            "scontrol --oneliner show node": f"{a_node('gpu1')}\n{a_node('gpu2')}\n",
            "scontrol --oneliner show partition": PARTITION,
            "munge": "MUNGE:AwQ:",
            "unmunge": "STATUS:           Success (0)\n",
            "sdiag": f"****\nsdiag output at Tue Nov 24 13:49:42 2026 ({NOW:.0f})\n",
            "sinfo --version": "slurm-wlm 22.05.8",
            "timedatectl": "yes\n",
            "sacct": "",
        }
        self.answers = {**answers, **{words: answer for words, answer in self.answers.items() if words not in answers}}
        self.asked: list[str] = []

    def __call__(self, words: Sequence[str], given: str = "") -> str:
        asked = " ".join(words)
        self.asked.append(asked)
        for begin, answer in self.answers.items():
            if asked.startswith(begin):
                if isinstance(answer, Exception):
                    raise answer
                return answer
        raise SlurmUnavailable(f"There is no command {words[0]} here.")


def a_world(answers: Mapping[str, str | Exception] | None = None, **other: Any) -> World:
    """The head node of a department where all is well, unless told otherwise."""
    slurm = Slurm(answers or {}, other.pop("config", {}))
    return replace(
        World(
            run=slurm,
            run_step=slurm,
            find=lambda name: f"/usr/bin/{name}",
            connect=lambda host, port: "",
            now=lambda: NOW,
            host_name="head",
            account_uid=lambda name: 64030,
            is_root=True,
            inventory=lambda: NoDriver("none"),
            file_system=lambda path: "nfs4",
            read=lambda path: "JobId=1 ...",
            configurations=(Path("/etc/slurm/slurm.conf"),),
        ),
        **other,
    )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "turns")


def look(world: World, site: Site) -> list[Finding]:
    return list(slurm_findings(world, site))


def bad(world: World, site: Site) -> Finding:
    """The one thing that is wrong or worth knowing."""
    found = [finding for finding in look(world, site) if finding.ok is not True]
    assert len(found) == 1, found
    return found[0]


def test_where_all_is_well_everything_is_ok(site: Site) -> None:
    found = look(a_world(), site)
    assert all(finding.ok for finding in found)
    assert [finding.check for finding in found] == [
        "controller", "munge", "clocks", "accounts", "slurm.conf", "partition", "nodes", "ports", "ports", "records",
        "turns_dir",
    ]  # fmt: skip
    assert "gpu: 4 h100, on 2 nodes" in {finding.text for finding in found}


def test_whatever_is_wrong_has_something_to_type(site: Site) -> None:
    config = {
        "SelectType": "select/linear", "GresTypes": "(null)", "TaskPlugin": "task/none", "MinJobAge": "10 sec",
        "SchedulerParameters": "defer", "PreemptType": "preempt/qos", "ProctrackType": "proctrack/linuxproc",
        "AccountingStorageEnforce": "limits", "PrivateData": "jobs", "JobCompType": "jobcomp/none",
    }  # fmt: skip
    answers: dict[str, str | Exception] = {
        "scontrol --oneliner show node": a_node(State="DOWN*", Reason="Not responding [slurm@now]"),
        "scontrol --oneliner show partition": PARTITION.replace("State=UP", "State=DOWN"),
        "munge": SlurmRefused("no", "munge: Error: Failed to access"),
    }
    found = look(a_world(answers, config=config, is_root=False, file_system=lambda path: "ext4"), site)
    assert len([finding for finding in found if finding.ok is not True]) > 12
    for finding in found:
        assert finding.ok or finding.mend, finding


# --- this machine --------------------------------------------------------------------------------


def test_missing_commands_end_the_look_at_once(site: Site) -> None:
    (finding,) = look(a_world(find=lambda name: None if name == "sbatch" else name), site)
    assert (finding.ok, finding.mend) == (False, "apt install slurm-client munge, or: dnf install slurm munge")
    assert finding.text.startswith("sbatch not here")


def test_a_controller_that_hangs_is_told_with_the_reason_that_can_be_found(site: Site) -> None:
    away = SlurmUnavailable("Slurm does not answer: scontrol took longer than 10 s.")
    written = "SlurmctldHost=head(10.0.0.1)\nSlurmctldPort=6900\n"
    world = a_world(
        {"scontrol": away}, read=lambda path: written, connect=lambda host, port: f"{host}:{port} gives no answer"
    )
    controller, munge, ports = look(world, site)
    assert controller.text.startswith("Slurm does not answer: scontrol took longer than 10 s. No turn begins until")
    assert "systemctl status slurmctld" in controller.mend
    assert munge.ok
    assert "6900 of the controller head (10.0.0.1) cannot be reached from here" in ports.text


def test_a_machine_without_slurm_conf_is_told_where_to_get_one(site: Site) -> None:
    away = SlurmUnavailable("scontrol: fatal: Could not establish a configuration source")
    (finding,) = look(a_world({"scontrol": away}, read=lambda path: None), site)
    assert "there is no /etc/slurm/slurm.conf" in finding.text
    assert "rota slurm init" in finding.mend


@pytest.mark.parametrize(
    "answers",
    [
        {"munge": SlurmRefused("no", "munge: Error: Failed to access '/run/munge/munge.socket.2'")},
        {"unmunge": SlurmRefused("no", "unmunge: Error: Invalid credential")},
        {"unmunge": "STATUS: Rewound credential (17)\n"},
    ],
)
def test_munge_that_does_not_work(site: Site, answers: Mapping[str, str | Exception]) -> None:
    finding = bad(a_world(answers), site)
    assert (finding.check, finding.ok) == ("munge", False)
    assert "no host believes who is calling" in finding.text
    assert "systemctl status munge" in finding.mend


def test_munge_is_asked_at_the_clusters_own_socket(site: Site) -> None:
    world = a_world(config={"AuthInfo": "socket=/run/lab/munge.socket"})
    look(world, site)
    assert isinstance(world.run, Slurm)
    assert "munge --no-input --socket=/run/lab/munge.socket" in world.run.asked


@pytest.mark.parametrize(
    ("ahead_s", "ok", "way"), [(400, False, "ahead of"), (-60, False, "behind"), (3, None, "ahead of")]
)
def test_clocks_that_disagree(site: Site, ahead_s: int, ok: bool | None, way: str) -> None:
    answer = f"sdiag output at then ({NOW + ahead_s:.0f})"
    finding = bad(a_world({"sdiag": answer}), site)
    assert (finding.check, finding.ok) == ("clocks", ok)
    assert f"s {way} this one" in finding.text


def test_a_clock_that_nothing_sets(site: Site) -> None:
    assert bad(a_world({"timedatectl": "no\n"}), site).mend == "apt install chrony"


def test_an_account_with_another_number(site: Site) -> None:
    finding = bad(a_world(account_uid=lambda name: 991), site)
    assert (finding.check, finding.ok) == ("accounts", False)
    assert finding.mend.startswith("usermod --uid 64030 slurm")
    assert bad(a_world(account_uid=lambda name: None), site).ok is None


@pytest.mark.parametrize(
    ("answers", "config", "text"),
    [
        ({}, {"SLURM_VERSION": "21.08.5"}, "Slurm 21.08 is older than Rota knows"),
        ({"sinfo --version": "slurm 24.05.1"}, {}, "the commands here are of Slurm 24.05, newer than the controller's"),
        ({}, {"HASH_VAL": "Different Ours=0x1 Slurmctld=0x2"}, "slurm.conf here is another than the controller's"),
    ],
)
def test_versions_that_do_not_fit(
    site: Site, answers: Mapping[str, str | Exception], config: Mapping[str, str], text: str
) -> None:
    texts = [finding.text for finding in look(a_world(answers, config=config), site) if finding.ok is not True]
    assert any(text in one for one in texts), texts


def test_a_node_that_is_newer_than_the_controller(site: Site) -> None:
    nodes = f"{a_node('gpu1')}\n{a_node('gpu2', Version='23.02.1')}\n"
    texts = [
        finding.text for finding in look(a_world({"scontrol --oneliner show node": nodes}), site) if not finding.ok
    ]
    assert texts == [
        "gpu2 has Slurm 23.02, newer than the controller's 22.05, which may not work",
        "nodes have different ones: 22.05 on gpu1; 23.02 on gpu2",
    ]


# --- rules and partition -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "ok", "text", "mend"),
    [
        ({"SelectType": "select/linear"}, False, "cannot give out single GPUs", "SelectType=select/cons_tres"),
        ({"GresTypes": "(null)"}, False, "knows of no GPU", "GresTypes=gpu"),
        ({"SelectTypeParameters": "CR_CORE"}, None, "memory is not given out", "CR_Core_Memory"),
        ({"TaskPlugin": "task/affinity"}, None, "can use those of others", "ConstrainDevices=yes"),
        ({"ConstrainDevices": "no"}, None, "can use those of others", "ConstrainDevices=yes"),
        ({"ConstrainRAMSpace": "no"}, None, "brings its node down", "ConstrainRAMSpace=yes"),
        ({"ProctrackType": "proctrack/linuxproc"}, None, "outlives its turn", "proctrack/cgroup"),
        ({"MinJobAge": "30 sec"}, False, "forgets an ended job", "MinJobAge=300"),
        ({"SchedulerParameters": "defer"}, None, "up to a minute", "take defer out"),
        ({"SchedulerParameters": "(null)"}, None, "a second later", "batch_sched_delay=0"),
        ({"PreemptType": "preempt/partition_prio"}, None, "for somebody else", "PreemptMode=OFF"),
        ({"AccountingStorageEnforce": "associations,limits"}, None, "in its books alone", "sacctmgr add user"),
    ],
)
def test_rules_that_turns_do_not_get_along_with(
    site: Site, config: Mapping[str, str], ok: bool | None, text: str, mend: str
) -> None:
    finding = bad(a_world(config=config), site)
    assert finding.ok is ok
    assert text in finding.text
    assert mend in finding.mend


def test_hidden_jobs_matter_to_who_is_not_root(site: Site) -> None:
    config = {"PrivateData": "jobs,usage"}
    assert "which GPUs they use" in bad(a_world(config=config, is_root=False), site).text
    assert all(finding.ok for finding in look(a_world(config=config), site))


@pytest.mark.parametrize(
    ("change", "ok", "text"),
    [
        (("State=UP", "State=DRAIN"), False, "gpu is DRAIN: no turn begins there"),
        (("MaxTime=UNLIMITED", "MaxTime=1-00:00:00"), None, "ends every job after 1-00:00:00"),
        (("OverSubscribe=NO", "OverSubscribe=EXCLUSIVE"), False, "gives whole nodes to one job"),
        (("AllowGroups=ALL", "AllowGroups=staff"), None, "AllowGroups=staff"),
        (("Default=YES", "Default=NO"), False, "has no default one"),
    ],
)
def test_a_partition_that_is_closed_or_limited(site: Site, change: tuple[str, str], ok: bool | None, text: str) -> None:
    finding = bad(a_world({"scontrol --oneliner show partition": PARTITION.replace(*change)}), site)
    assert (finding.check, finding.ok) == ("partition", ok)
    assert text in finding.text


def test_a_partition_that_is_not_there_and_one_without_gpus(site: Site) -> None:
    finding = bad(a_world(), replace(site, partition="vision"))
    assert finding.text == "there is no vision, into which turns should go. There: gpu"
    nodes = a_node(Gres="(null)")
    assert (
        bad(a_world({"scontrol --oneliner show node": nodes}), site).text == "no node of gpu has a GPU that Slurm knows"
    )


def test_gpus_without_a_type_have_no_tier(site: Site) -> None:
    finding = bad(a_world({"scontrol --oneliner show node": a_node(Gres="gpu:4")}), site)
    assert "Rota cannot tell their tier" in finding.text


# --- nodes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "reason", "ok", "text", "mend"),
    [
        (
            "DOWN*",
            "Not responding [slurm@now]",
            False,
            "gpu2 is down*: Not responding",
            "ssh gpu2 systemctl status slurmd",
        ),
        ("IDLE+DRAIN", "the fan [kim@now]", None, "the fan (by kim)", "scontrol update nodename=gpu2 state=resume"),
        ("IDLE+DRAIN", "Low RealMemory (reported:1 < 9) [slurm@now]", False, "has less than", "slurmd -C on gpu2"),
        ("INVAL", "gres/gpu count reported lower than configured (0 < 8) [slurm@now]", False, "has less", "slurmd -C"),
        ("DOWN", "Node unexpectedly rebooted [slurm@now]", False, "unexpectedly rebooted", "state=resume"),
    ],
)
def test_nodes_that_take_no_turn(site: Site, state: str, reason: str, ok: bool | None, text: str, mend: str) -> None:
    nodes = f"{a_node('gpu1')}\n{a_node('gpu2', State=state, Reason=reason)}\n"
    finding = bad(a_world({"scontrol --oneliner show node": nodes}), site)
    assert (finding.check, finding.ok) == ("nodes", ok)
    assert text in finding.text
    assert mend in finding.mend


def test_a_hundred_nodes_that_are_down_are_no_hundred_lines(site: Site) -> None:
    nodes = "\n".join(a_node(f"gpu{number}", State="DOWN*") for number in range(100))
    found = [finding for finding in look(a_world({"scontrol --oneliner show node": nodes}), site) if not finding.ok]
    assert len(found) == 12
    assert "none is up" in found[0].text
    assert "and 90 more nodes" in found[-1].text


def test_ports_are_tried_of_nodes_that_are_up(site: Site) -> None:
    nodes = f"{a_node('gpu1', Port='6900')}\n{a_node('gpu2', State='DOWN*')}\n"
    tried: list[tuple[str, int]] = []

    def connect(host: str, port: int) -> str:
        tried.append((host, port))
        return "nothing listens" if host == "gpu1" else ""

    found = look(a_world({"scontrol --oneliner show node": nodes}, connect=connect), site)
    assert tried == [("10.0.0.1", 6817), ("gpu1", 6900)]
    (closed,) = [finding for finding in found if finding.check == "ports" and not finding.ok]
    assert closed.text == "6900 of gpu1 (gpu1) cannot be reached from here: nothing listens"
    assert closed.mend == "there: systemctl status slurmd"
    assert closed.ok is False  # we are on the controller, which calls the nodes


def test_ports_of_nodes_matter_less_to_a_machine_that_is_no_controller(site: Site) -> None:
    world = a_world(host_name="login", connect=lambda host, port: "no answer" if port == 6818 else "")
    assert {finding.ok for finding in look(world, site) if finding.check == "ports"} == {True, None}


# --- GPUs of this machine ------------------------------------------------------------------------


def an_inventory(*tiers: str) -> Callable[[], Inventory]:
    gpus = tuple(Gpu(f"GPU-{index}", index, "gpu1", tier, tier, 2**30) for index, tier in enumerate(tiers))
    return lambda: Inventory(Node("gpu1", 8, 2**30), gpus)


@pytest.mark.parametrize(
    ("inventory", "ok", "text"),
    [
        (an_inventory("h100", "h100"), True, "agree on this machine's GPUs (2)"),
        (an_inventory("h100"), False, "the driver shows 1 GPUs here, and Slurm gives out 2 as gpu1"),
        (an_inventory("h100", "h100", "h100"), None, "the driver shows 3 GPUs here"),
        (an_inventory("a100", "h100"), False, "turns land on the wrong tier"),
        (lambda: NoDriver("no libnvidia-ml.so.1"), False, "its driver shows none: no libnvidia-ml.so.1"),
    ],
)
def test_what_slurm_gives_out_against_what_the_driver_shows(
    site: Site, inventory: Callable[[], Inventory | NoDriver], ok: bool | None, text: str
) -> None:
    found = look(a_world(host_name="gpu1", inventory=inventory), site)
    (finding,) = [finding for finding in found if finding.check == "gres"]
    assert finding.ok is ok
    assert text in finding.text


def test_a_type_that_slurm_writes_in_its_own_way_is_the_same_tier(site: Site) -> None:
    nodes = a_node(Gres="gpu:nvidia_geforce_rtx_3090:1(S:0)")
    world = a_world({"scontrol --oneliner show node": nodes}, host_name="gpu1", inventory=an_inventory("rtx3090"))
    assert [finding.ok for finding in look(world, site) if finding.check == "gres"] == [True]


# --- records and the folder of turns -------------------------------------------------------------


def test_where_ended_jobs_are_recorded(site: Site) -> None:
    database = {"AccountingStorageType": "accounting_storage/slurmdbd", "AccountingStorageHost": "db"}
    away = SlurmRefused("no", "sacct: error: Unable to contact slurm database")
    finding = bad(a_world({"sacct": away}, config=database), site)
    assert (finding.check, finding.ok, finding.mend) == ("records", False, "ssh db systemctl status slurmdbd mariadb")
    assert "does not count GPUs" in bad(a_world(config=database), site).text
    assert "Slurm keeps none" in bad(a_world(config={"JobCompType": "jobcomp/none"}), site).text
    assert "cannot be read here" in bad(a_world(read=lambda path: None), site).text


def test_a_folder_of_turns_that_nodes_do_not_see(site: Site) -> None:
    finding = bad(a_world(file_system=lambda path: "ext4"), site)
    assert (finding.check, finding.ok) == ("turns_dir", None)
    assert "a turn on them would never begin" in finding.text


def test_a_folder_of_turns_that_cannot_be_written(site: Site) -> None:
    finding = bad(a_world(), replace(site, turns_dir=Path("/proc/self/turns")))
    assert finding.ok is False
    assert bad(a_world(), replace(site, turns_dir=Path("turns"))).text == "turns is no whole path"


# --- a look from every node ----------------------------------------------------------------------


def from_nodes(site: Site, said: str | Exception) -> list[Finding]:
    checks = ("deep", "accounts", "clocks", "python", "turns_dir")
    found = look(a_world({"srun": said}), replace(site, is_deep=True))
    return [finding for finding in found if finding.check in checks]


def here(name: str = "root", uid: int | None = None) -> str:
    return f"time {NOW:.0f}\npython 3.11\nmark seen\nuid {name} {os.getuid() if uid is None else uid}\n"


def test_a_step_on_every_node_that_finds_all_well(site: Site) -> None:
    me = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    found = [finding for finding in from_nodes(site, here(me)) if finding.check == "deep"]
    assert [finding.text for finding in found] == [
        "a step ran on 2 nodes: accounts, clocks, Python and turns_dir are right there"
    ]
    assert not list(site.turns_dir.glob(".doctor*"))


@pytest.mark.parametrize(
    ("old", "new", "check", "text"),
    [
        ("python 3.11", "python 3.6", "python", "python3 is 3.6, and a turn needs 3.9"),
        ("python 3.11", "python sh: python3: not found", "python", "a turn needs 3.9"),
        ("mark seen", "mark missing", "turns_dir", "a turn would never begin there"),
    ],
)
def test_what_is_missing_on_a_node(site: Site, old: str, new: str, check: str, text: str) -> None:
    found = [finding for finding in from_nodes(site, here().replace(old, new)) if finding.ok is False]
    assert {finding.check for finding in found} == {check}
    assert [text in finding.text for finding in found] == [True, True]


def test_where_turns_come_over_the_line_nodes_must_reach_it_and_need_no_shared_folder(site: Site) -> None:
    site = replace(site, post="head:8421")
    alone = here().replace("mark seen", "mark missing")
    assert [finding.ok for finding in from_nodes(site, alone + "post reached\n") if finding.check == "turns_dir"] == [
        True
    ]
    found = look(a_world({"srun": alone + "post missing\n"}), replace(site, is_deep=True))
    (first, second) = [finding for finding in found if finding.check == "post"]
    assert first.text.startswith("gpu1 does not reach head:8421")
    assert "port 8421" in second.mend


def test_a_node_whose_clock_or_numbers_are_its_own(site: Site) -> None:
    me = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    said = here(me, os.getuid() + 7).replace("time ", "time 1")
    texts = [finding.text for finding in from_nodes(site, said) if finding.ok is False]
    assert any(f"other numbers on gpu1 ({me}: {os.getuid() + 7}, here {os.getuid()})" in text for text in texts)
    assert any("ahead of this one" in text for text in texts)


def test_a_node_that_is_too_busy_for_a_step_is_said_and_nothing_worse(site: Site) -> None:
    busy = SlurmRefused("no", "srun: error: Unable to allocate resources: Immediate execution impossible")
    (first, second) = [finding for finding in from_nodes(site, busy) if finding.check == "deep"]
    assert (first.ok, second.ok) == (None, None)
    assert first.text.startswith("no step ran on gpu1: srun: error: Unable to allocate")


# --- the command, against a real Slurm -----------------------------------------------------------


def doctor(cluster: Cluster, state: Path, *words: str) -> list[dict[str, Any]]:
    environment = {**os.environ, **cluster.environment, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    command = [sys.executable, "-m", "rota.cli.main", "doctor", "--json", "--state", str(state), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return found


def test_rota_doctor_looks_at_a_real_cluster_and_from_its_nodes(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "rota.toml").write_text("[slurm]\nenabled = true\n")
    found = doctor(cluster, tmp_path, "--deep")
    assert [finding for finding in found if finding["ok"] is False] == []
    texts = {finding["check"]: finding["text"] for finding in found if finding["ok"]}
    assert texts["partition"] == "gpu: 4 h100, 4 rtx3090, on 4 nodes"
    assert texts["nodes"] == "all 4 are up"
    assert texts["deep"].startswith("a step ran on 4 nodes")
    assert "gpus" not in {finding["check"] for finding in found}  # this machine's do not matter


def test_rota_doctor_says_that_the_controller_is_gone(cluster: Cluster, tmp_path: Path) -> None:
    cluster.stop_controller()
    found = {finding["check"]: finding for finding in doctor(cluster, tmp_path, "--slurm") if finding["ok"] is False}
    assert set(found) == {"controller", "ports"}
    assert "nothing listens" in found["ports"]["text"]


def test_without_slurm_in_the_settings_nothing_is_said_of_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rota.fleet.doctor", "--state", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not {"controller", "partition", "slurm"} & {finding["check"] for finding in json.loads(done.stdout)}

"""`rota slurm init`, as a person types it. ssh is one that answers for the hosts of a made-up department."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.slurm.site.answers import GREETING, an_answer

#: $1 to $n end with the host and `sh -s`; what a host says is in a file of its name.
FAKE_SSH = """#!/bin/sh
cat >/dev/null
for word; do host=$last; last=$word; done
[ -f "$ANSWERS/$host" ] && exec cat "$ANSWERS/$host"
echo "$host: Permission denied (publickey)." >&2
exit 255
"""


@pytest.fixture
def department(tmp_path: Path) -> Path:
    """A folder to work in; head and gpu1 answer over ssh."""
    (tmp_path / "bin").mkdir()
    ssh = tmp_path / "bin" / "ssh"
    ssh.write_text(FAKE_SSH)
    ssh.chmod(0o755)
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "head").write_text(an_answer("head", gpus="", minors="", time=time.time()))
    (tmp_path / "answers" / "gpu1").write_text(an_answer("gpu1", time=time.time()))
    return tmp_path


def rota(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "ANSWERS": str(folder / "answers"),
    }
    command = [sys.executable, "-m", "rota.cli.main", "slurm", "init", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def told(folder: Path, *words: str) -> dict[str, Any]:
    done = rota(folder, *words, "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_what_a_person_is_told(department: Path) -> None:
    done = rota(department, "gpu1", "--controller", "head", "--out", "site")
    assert (
        done.stdout
        == """\
The cluster lab, with its controller on head:
  gpu1: 64 CPUs, 503.5G, 2 h100

Written to site; no host was changed:
  INSTALL.md       what to do, in order: begin here
  slurm.conf       how the cluster is; every line says why
  gres.conf        which device files are which GPUs
  cgroup.conf      what keeps jobs off each other's GPUs
  munge.key        the hosts' shared secret: for root's eyes only
  install-head.sh  what to run on head
  install-gpu1.sh  what to run on gpu1

What to do next, in this order:
  1. Read site/INSTALL.md: it has every step, and what to do before the first.
  2. Copy site to head, the controller, and run there: sudo sh install-head.sh
  3. Then the same on each node, with its own script: gpu1
  4. See that all is well, on the controller: rota doctor --slurm
"""
    )
    assert done.returncode == 0


def test_hosts_are_asked_for_what_is_not_written(department: Path) -> None:
    answer = told(department, "gpu1", "--controller", "head")
    assert answer["hosts"] == [
        {
            "name": "gpu1", "address": "gpu1", "cpus": 64, "memory_mib": 515_578, "job_memory_mib": 499_100,
            "gpus": [{"type": "h100", "count": 2}], "guessed": [],
        }
    ]  # fmt: skip
    assert "Gres=gpu:h100:2" in (department / "slurm-site" / "slurm.conf").read_text()


def test_the_folder_and_the_key_are_for_their_owner_alone(department: Path) -> None:
    told(department, "gpu1", "--out", "site")
    key = department / "site" / "munge.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o400
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert len(key.read_bytes()) == 128
    assert not list(key.parent.glob(".*"))


def test_two_clusters_have_two_keys(department: Path) -> None:
    told(department, "gpu1", "--out", "a")
    told(department, "gpu1", "--out", "b")
    assert (department / "a" / "munge.key").read_bytes() != (department / "b" / "munge.key").read_bytes()


def test_a_folder_that_is_not_empty_is_left_alone(department: Path) -> None:
    told(department, "gpu1")
    before = (department / "slurm-site" / "slurm.conf").read_bytes()
    done = rota(department, "gpu1", "--cluster", "other")
    assert done.returncode == 2
    assert done.stderr == (
        "rota: The folder slurm-site is not empty, and nothing of it was changed.\n"
        "Name another with --out, or write into it again with --force (its munge key is kept).\n"
    )
    assert (department / "slurm-site" / "slurm.conf").read_bytes() == before


def test_force_keeps_the_key_and_what_is_not_ours_and_drops_scripts_of_hosts_that_are_gone(department: Path) -> None:
    told(department, "gpu1,gone:h100:8", "--controller", "head")
    site = department / "slurm-site"
    key = (site / "munge.key").read_bytes()
    (site / "notes.txt").write_text("ours")
    (site / "install-printer.sh").write_text("#!/bin/sh\necho ours\n")
    told(department, "gpu1", "--controller", "head", "--force")
    assert (site / "munge.key").read_bytes() == key
    assert (site / "notes.txt").read_text() == "ours"
    assert sorted(path.name for path in site.glob("install-*")) == [
        "install-gpu1.sh",
        "install-head.sh",
        "install-printer.sh",
    ]


@pytest.mark.parametrize("folder", ["/etc/slurm", "/etc/slurm-site", "/run/slurm"])
def test_where_a_running_slurm_has_its_files_nothing_is_written(department: Path, folder: str) -> None:
    done = rota(department, "gpu1", "--out", folder, "--force")
    assert done.returncode == 2
    assert "nothing is written there" in done.stderr


def test_a_host_that_cannot_be_asked_is_named_with_what_to_type(department: Path) -> None:
    done = rota(department, "gpu1,gpu7")
    assert done.returncode == 2
    assert "gpu7 could not be asked (gpu7: Permission denied (publickey).)" in done.stderr
    assert "gpu7:gpu=h100:8,cpus=64,memory=512G" in done.stderr
    assert not (department / "slurm-site").exists()


def test_a_host_that_is_written_by_hand_is_set_up_without_an_answer(department: Path) -> None:
    answer = told(department, "gpu7:h100:8,gpu8:gpu=t4:1,cpus=8,memory=32G", "--controller", "head")
    assert [host["guessed"] for host in answer["hosts"]] == [["CPUs", "memory"], []]
    assert any("gpu7: CPUs and memory not written" in note for note in answer["notes"])


def test_a_file_of_hosts(department: Path) -> None:
    (department / "servers.csv").write_text("host,gpu,cpus,memory\ngpu[1-3],a100:4,32,256G\n")
    answer = told(department, "--hosts", "servers.csv", "--controller", "head", "--no-ssh")
    assert [host["name"] for host in answer["hosts"]] == ["gpu1", "gpu2", "gpu3"]


def test_this_machine_alone(department: Path) -> None:
    answer = told(department, "localhost:gpu=h100:1", "--partition", "ours")
    assert answer["controller"] == os.uname().nodename.partition(".")[0]
    assert "PartitionName=ours" in (department / "slurm-site" / "slurm.conf").read_text()


def test_lines_of_slurm_conf_can_be_given(department: Path) -> None:
    told(department, "gpu1", "--set", "SlurmdTimeout=300", "--set", "DebugFlags=Gres", "--slurmdbd", "head")
    text = (department / "slurm-site" / "slurm.conf").read_text()
    assert "SlurmdTimeout=300\n" in text
    assert "DebugFlags=Gres\n" in text
    assert "AccountingStorageHost=head\n" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Which hosts?"),
        (["gpu1", "--cluster", "Our Lab"], "--cluster 'Our Lab'"),
        (["gpu1", "--set", "NodeName=x"], "--set 'NodeName=x'"),
        (["gpu1", "--controller", "a,b"], "--controller takes one host's name"),
        (["gpu1,gpu1"], "twice"),
        (["--hosts", "nowhere.csv"], "cannot be read: No such file"),
    ],
)
def test_a_wrong_command_line_says_what_is_right(department: Path, words: list[str], said: str) -> None:
    done = rota(department, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_greeting_of_a_login_shell_disturbs_nothing(department: Path) -> None:
    (department / "answers" / "gpu1").write_text(GREETING * 3 + an_answer("gpu1"))
    assert told(department, "gpu1")["controller"] == "gpu1"

"""What is to be run on each host, and the guide to it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from rota.slurm.site.config import Site
from rota.slurm.site.files import KEY_BYTES, site_files
from rota.slurm.site.guide import install_guide
from rota.slurm.site.hosts import Controller
from rota.slurm.site.script import host_names, install_script
from tests.slurm.site.test_config import GPU1, SITE

ALONE = replace(SITE, controller=Controller("gpu1", "gpu1"), hosts=(GPU1,))


@pytest.mark.parametrize("site", [SITE, ALONE, replace(SITE, is_configless=False)])
def test_every_script_is_a_shell_script(site: Site) -> None:
    for name in host_names(site):
        done = subprocess.run(
            ["sh", "-n"], input=install_script(site, name), text=True, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_the_controller_comes_first_and_each_host_once() -> None:
    assert list(host_names(SITE)) == ["head", "gpu1", "lab"]
    assert list(host_names(ALONE)) == ["gpu1"]


def test_a_controller_gets_slurmctld_and_the_configuration() -> None:
    script = install_script(SITE, "head")
    assert "install -y -q --no-install-recommends munge slurmctld slurm-client" in script
    assert "for file in slurm.conf gres.conf cgroup.conf; do put $file /etc/slurm/$file" in script
    assert "slurmd.service.d" not in script


def test_a_node_fetches_its_configuration_from_the_controllers_address() -> None:
    script = install_script(SITE, "lab")
    assert "--conf-server head.dept.example:6817" in script
    assert "put slurm.conf" not in script
    assert "restart slurmctld" not in script


def test_without_configless_every_host_gets_the_files() -> None:
    script = install_script(replace(SITE, is_configless=False), "lab")
    assert "--conf-server" not in script
    assert "do put $file /etc/slurm/$file" in script


def test_one_machine_alone_is_both_and_asks_for_no_other() -> None:
    script = install_script(ALONE, "gpu1")
    assert "restart slurmctld" in script
    assert "restart slurmd" in script
    assert "getent" not in script


def test_a_script_stops_on_another_host_before_it_changes_anything(tmp_path: Path) -> None:
    script = tmp_path / "install-gpu1.sh"
    script.write_text(install_script(SITE, "gpu1"))
    empty = tmp_path / "bin"  # of what the checks need, and nothing that could change anything
    empty.mkdir()
    for name in ("id", "hostname", "dirname", "printf"):
        if found := shutil.which(name):
            (empty / name).symlink_to(found)
    shell = shutil.which("sh")
    assert shell is not None
    done = subprocess.run([shell, script], env={"PATH": str(empty)}, text=True, capture_output=True, check=False)
    assert done.returncode == 1
    assert "Stopped: " in done.stderr
    assert ("the script is for gpu1" if os.geteuid() == 0 else "this needs root") in done.stderr


def test_the_guide_names_the_hosts_the_ports_and_what_to_look_at_first() -> None:
    guide = install_guide(SITE, ["lab: the clock is 30 s ahead of ours."])
    assert "- lab: the clock is 30 s ahead of ours." in guide
    assert "for pair in gpu1:gpu1 lab:10.0.0.7; do" in guide
    assert "| 6817 | head | all hosts |" in guide
    assert "64030" in guide


def test_the_loop_of_the_guide_is_a_shell_script() -> None:
    guide = install_guide(SITE, [])
    loop = guide.partition("```sh\n")[2].partition("```")[0]
    assert subprocess.run(["sh", "-n"], input=loop, text=True, check=False).returncode == 0


def test_the_key_is_for_its_owner_alone() -> None:
    files = {file.name: file for file in site_files(SITE, b"k" * KEY_BYTES, [])}
    assert (files["munge.key"].mode, files["munge.key"].content) == (0o400, b"k" * KEY_BYTES)
    assert set(files) == {
        "INSTALL.md", "slurm.conf", "gres.conf", "cgroup.conf", "munge.key", "install-head.sh", "install-gpu1.sh",
        "install-lab.sh",
    }  # fmt: skip

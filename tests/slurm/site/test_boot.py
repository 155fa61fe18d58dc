"""The files that `rota slurm init` writes, given to a real Slurm in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.slurm_cluster import missing_programs, program

from tests.missing import is_missing
from tests.waiting import wait_until

BOOT_S = 30.0


class Booted:
    """munged, slurmctld and slurmd with these files, until stop()."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str) -> None:
        found = program(words[0])
        assert found is not None
        with (self.folder / f"{words[0]}.out").open("wb") as out:
            daemon = subprocess.Popen(
                [found, *words[1:]],
                stdout=out,
                stderr=out,
                env=self.environment,
                cwd=self.folder,
                start_new_session=True,
            )
        self._daemons.append(daemon)

    def run(self, *words: str) -> str:
        done = subprocess.run(
            words, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=30, check=False
        )
        return done.stdout + done.stderr

    def said(self) -> str:
        """Everything that the daemons printed, for the failure's text."""
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in self.folder.glob("*.out"))

    def stop(self) -> None:
        for daemon in reversed(self._daemons):
            os.killpg(daemon.pid, signal.SIGKILL)
            daemon.wait()


@pytest.fixture
def booted() -> Iterator[Booted]:
    """A one-node cluster of this machine with two GPUs that are links to /dev/null."""
    if missing := missing_programs():
        is_missing(f"no Slurm here ({', '.join(missing)}): apt install slurm-wlm munge")
    folder = Path(tempfile.mkdtemp(prefix="slurm-site-"))  # short: the path of a Unix socket has 107 bytes
    folder.chmod(0o755)
    cluster = Booted(folder)
    try:
        written = init(folder)
        assert written.returncode == 0, written.stderr
        point_to(folder)
        cluster.start(
            "munged", "--foreground", "--force", f"--key-file={folder}/munge.key", f"--socket={folder}/munge.socket",
            f"--pid-file={folder}/munged.pid", f"--seed-file={folder}/seed", f"--log-file={folder}/munged.log",
        )  # fmt: skip
        wait_until((folder / "munge.socket").exists, BOOT_S, what="munged listens")
        cluster.start("slurmctld", "-D")
        cluster.start("slurmd", "-D")
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def init(folder: Path) -> subprocess.CompletedProcess[str]:
    """Nothing of the rendered settings is changed but places, ports and account."""
    own = {
        "SlurmUser": pwd.getpwuid(os.getuid()).pw_name, "SlurmdUser": pwd.getpwuid(os.getuid()).pw_name,
        "AuthInfo": f"socket={folder}/munge.socket", "SlurmctldPort": str(free_port()), "SlurmdPort": str(free_port()),
        "StateSaveLocation": f"{folder}/state", "SlurmdSpoolDir": f"{folder}/spool",
        "SlurmctldPidFile": f"{folder}/slurmctld.pid", "SlurmdPidFile": f"{folder}/slurmd.pid",
        "SlurmctldLogFile": f"{folder}/slurmctld.log", "SlurmdLogFile": f"{folder}/slurmd.log",
        "JobCompLoc": f"{folder}/jobcomp.log",
    }  # fmt: skip
    words = ["slurm", "init", "localhost:gpu=h100:2", "--out", str(folder), "--cluster", "booted", "--no-cgroup"]
    words += ["--no-configless", *(f"--set={key}={value}" for key, value in own.items())]
    command = [sys.executable, "-m", "rota.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def point_to(folder: Path) -> None:
    """GPUs that are there: this machine need not have any."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    for number in range(2):
        (folder / f"nvidia{number}").symlink_to("/dev/null")
    gres = folder / "gres.conf"
    gres.write_text(gres.read_text().replace("/dev/nvidia[", f"{folder}/nvidia["))


def free_port() -> int:
    """A TCP port that nobody listens on, below those that the kernel gives to who connects."""
    for port in range(20_000 + os.getpid() % 5_000, 32_000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError:
                continue
            if port not in _given:
                _given.add(port)
                return port
    raise AssertionError("every port is taken")


_given: set[int] = set()


def test_a_slurm_boots_from_them_and_a_job_gets_one_gpu_and_its_part_of_the_node(booted: Booted) -> None:
    def state() -> str:
        return booted.run("sinfo", "--noheader", "--format=%T %G")

    wait_until(lambda: state() == "idle gpu:h100:2\n", BOOT_S, 0.1, f"the node is idle; {state()}; {booted.said()}")
    config = booted.run("scontrol", "show", "config")
    assert "ClusterName             = booted" in config
    out = booted.folder / "out"
    wrap = "echo gpu $CUDA_VISIBLE_DEVICES end"
    said = booted.run("sbatch", "--gres=gpu:h100:1", f"--output={out}", f"--chdir={booted.folder}", f"--wrap={wrap}")
    assert "Submitted batch job 1" in said
    wait_until(lambda: out.exists() and "end" in out.read_text(), BOOT_S, 0.1, f"the job has run; {booted.said()}")
    assert out.read_text() in ("gpu 0 end\n", "gpu 1 end\n")
    job = booted.run("scontrol", "show", "job", "1")
    partition = booted.run("scontrol", "show", "partition", "gpu")
    part = partition.partition("DefMemPerGPU=")[2].split()[0]
    assert f"gpu:{part}" in job.partition("MemPerTres=")[2].splitlines()[0]
    wait_until(lambda: "JobId=1 " in (booted.folder / "jobcomp.log").read_text(), BOOT_S, 0.1, "the job is recorded")

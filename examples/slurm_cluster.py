"""A Slurm cluster to throw away, on this machine alone: four nodes with two GPUs each, none of them real.

    python examples/slurm_cluster.py

Prints the line that makes Slurm's commands talk to it, and stays until Ctrl-C. Everything it needs (configuration,
munge key, sockets, logs, records) is in one folder; nothing of the system is read or changed, and no process is left
behind. It needs Slurm's and munge's programs (Debian: slurm-wlm, munge), neither systemd nor cgroups.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SWEEPER = Path(__file__).with_name("slurm_processes.py").resolve()
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "sinfo", "scontrol")
BOOT_S = 30.0
LONGEST_FOLDER = 60  # Unix sockets allow 107 bytes, and slurmstepd's are named after node, job and step
PORTS = range(20_000, 32_000)  # below 32768, from where Linux gives ports to whoever connects to somebody

#: Slurm as we want it here: starts at once what is submitted, and notices a lost node in seconds.
SETTINGS = {
    "AuthType": "auth/munge",
    "CommunicationParameters": "NoInAddrAny,NoCtldInAddrAny",  # listen on 127.0.0.1 alone
    "ProctrackType": "proctrack/linuxproc",
    "TaskPlugin": "task/none",
    "SwitchType": "switch/none",
    "MpiDefault": "none",
    "SelectType": "select/cons_tres",
    "SelectTypeParameters": "CR_Core",
    "GresTypes": "gpu",
    "SlurmdParameters": "config_overrides",
    "ReturnToService": "2",
    "SlurmdTimeout": "5",
    "MessageTimeout": "5",  # a lost node is noticed after two pings of this length and a bit: 15 s instead of 25
    "KillWait": "5",
    "MinJobAge": "300",
    "MailProg": "/bin/true",
    "JobCompType": "jobcomp/filetxt",
    "SchedulerParameters": "batch_sched_delay=0,sched_interval=1,bf_interval=1",
}


class NoCluster(Exception):
    """The cluster cannot be booted here, or a command of it failed. The sentence says why."""


@dataclass(frozen=True)
class NodeSpec:
    """One node: its name, the type and number of its GPUs, its cores and its memory. None of it needs to exist."""

    name: str
    gpu_type: str
    gpus: int
    cpus: int
    memory_mb: int


#: Two good nodes and two of the kind that every laboratory has.
NODES = (
    NodeSpec("h100a", "h100", gpus=2, cpus=8, memory_mb=64_000),
    NodeSpec("h100b", "h100", gpus=2, cpus=8, memory_mb=64_000),
    NodeSpec("rtx3090a", "rtx3090", gpus=2, cpus=8, memory_mb=32_000),
    NodeSpec("rtx3090b", "rtx3090", gpus=2, cpus=8, memory_mb=32_000),
)


def missing_programs() -> list[str]:
    """Those of Slurm's and munge's programs that are not installed."""
    return [name for name in PROGRAMS if program(name) is None]


def program(name: str) -> str | None:
    """Where a program is; daemons live in sbin, which is not on everybody's PATH."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")


class Cluster:
    """munged, slurmctld and a slurmd for each node, all in one folder (made if need be), from start() to stop().

    `settings` are lines of slurm.conf that replace or follow ours. Whatever happens to this process, a watcher sees to
    it that nothing stays behind: no process, and without `keep_folder` no folder.
    """

    def __init__(
        self,
        folder: Path,
        nodes: Sequence[NodeSpec] = NODES,
        settings: Mapping[str, str] | None = None,
        keep_folder: bool = True,
    ) -> None:
        self.folder, self.nodes, self.keep_folder = folder.resolve(), tuple(nodes), keep_folder
        self.settings = {**SETTINGS, **(settings or {})}
        self.name = f"lab{secrets.token_hex(4)}"
        self.conf = self.folder / "slurm.conf"
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        self._watcher: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs besides its own environment for Slurm's commands to talk to this cluster."""
        return {"SLURM_CONF": str(self.conf)}

    # --- start and stop -----------------------------------------------------------------------

    def start(self) -> Cluster:
        """Boot, and wait until every node is idle. Raises NoCluster."""
        if missing := missing_programs():
            raise NoCluster(f"not installed here: {', '.join(missing)}; apt install slurm-wlm munge")
        if len(str(self.folder)) > LONGEST_FOLDER:
            raise NoCluster(f"{self.folder} is too long for Unix sockets. Take a folder of {LONGEST_FOLDER} letters.")
        self._write_files()
        self._watch()
        try:
            self._spawn("munged", *self._munge_words())
            self._wait((self.folder / "munge.socket").exists, "munged listens", "munged")
            self._spawn("slurmctld", "slurmctld", "-D")
            for node in self.nodes:
                self._spawn(node.name, "slurmd", "-D", "-N", node.name, node=node.name)
            self._wait(self.is_idle, "every node is idle", *self._daemons)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End every process of the cluster, jobs included, at once."""
        self._sweep()
        for daemon in self._daemons.values():
            daemon.wait()
        self._daemons.clear()
        if self._watcher is not None and self._watcher.stdin is not None:
            self._watcher.stdin.close()
            self._watcher.wait()
            self._watcher = None
        if not self.keep_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- trouble ------------------------------------------------------------------------------

    def stop_controller(self) -> None:
        """slurmctld ends as `systemctl stop` would end it: its state is saved, jobs run on."""
        self.thaw_controller()
        self._end("slurmctld", signal.SIGTERM)

    def kill_controller(self) -> None:
        """slurmctld ends as by power loss."""
        self._end("slurmctld", signal.SIGKILL)

    def start_controller(self) -> None:
        """slurmctld again, until it answers."""
        self._spawn("slurmctld", "slurmctld", "-D")
        self._wait(self._answers, "slurmctld answers", "slurmctld")

    def restart_controller(self) -> None:
        """Stop and start; jobs run on."""
        self.stop_controller()
        self.start_controller()

    def freeze_controller(self) -> None:
        """slurmctld hangs: it accepts connections and answers nothing."""
        self._daemons["slurmctld"].send_signal(signal.SIGSTOP)

    def thaw_controller(self) -> None:
        """It goes on where it hung."""
        self._daemons["slurmctld"].send_signal(signal.SIGCONT)

    def kill_node(self, name: str) -> None:
        """SIGKILL to the node's slurmd. Its jobs run on, as after a crash of slurmd, and nobody supervises them."""
        self._end(name, signal.SIGKILL)

    def lose_node(self, name: str) -> None:
        """The node loses its power: its slurmd and everything of its jobs are gone at once."""
        self.kill_node(name)
        self._sweep("--node", name)

    def start_node(self, name: str) -> None:
        """The node's slurmd again, until Slurm would give it jobs."""
        self._spawn(name, "slurmd", "-D", "-N", name, node=name)
        (node,) = (node for node in self.nodes if node.name == name)
        self._wait(lambda: self.is_up(node), f"node {name} is back", name)

    def is_running(self, name: str) -> bool:
        """Whether this node's slurmd (or "slurmctld", "munged") runs."""
        return name in self._daemons and self._daemons[name].poll() is None

    # --- questions ----------------------------------------------------------------------------

    def run(self, *words: str, cwd: Path | None = None) -> str:
        """What one of Slurm's commands prints. Raises NoCluster with what it said when it fails."""
        environment = {**os.environ, **self.environment}
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, env=environment, cwd=cwd or self.folder, timeout=60
        )
        if done.returncode:
            raise NoCluster(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def node_state(self, name: str) -> str:
        """`idle`, `mixed`, `down*`, ... as sinfo has it."""
        return self.run("sinfo", "--noheader", "--Node", "--nodes", name, "--format", "%T").split()[0]

    def is_idle(self) -> bool:
        """Whether every node is up, and no job is there. Asks for jobs, because after a restart of slurmctld (22.05)
        sinfo goes on calling a node mixed whose job has ended."""
        with contextlib.suppress(NoCluster):
            return all(map(self.is_up, self.nodes)) and not self.run("squeue", "--noheader")
        return False

    def is_up(self, node: NodeSpec) -> bool:
        """Whether Slurm would give it jobs; for three seconds after a restart of slurmctld a node is "unknown"."""
        return self.node_state(node.name) in {"idle", "mixed", "allocated"}

    def _answers(self) -> bool:
        with contextlib.suppress(NoCluster):
            self.run("sinfo", "--noheader")
            return True
        return False

    # --- how it is made -----------------------------------------------------------------------

    def _munge_words(self) -> list[str]:
        """munged with its own key and socket. --force: it only warns of a folder such as /tmp that others may write."""
        named = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munged.pid", "seed-file": "munge.seed"}
        files = [f"--{option}={self.folder / name}" for option, name in named.items()]
        return ["munged", "--foreground", "--force", f"--log-file={self.folder / 'log' / 'munged.log'}", *files]

    def _write_files(self) -> None:
        """Configuration, key, and for each GPU a link to /dev/null: slurmd wants a device, and nobody opens it."""
        for old in ("state", "spool"):  # of an earlier cluster in this folder
            shutil.rmtree(self.folder / old, ignore_errors=True)
        for name in ("", "log", "gpus", "state", *(f"spool/{node.name}" for node in self.nodes)):
            (self.folder / name).mkdir(parents=True, exist_ok=True, mode=0o755)
        self.folder.chmod(0o755)  # commands of other accounts read slurm.conf and reach the socket
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))
        gres = []
        for node in self.nodes:
            for index in range(node.gpus):
                device = self.folder / "gpus" / f"{node.name}-{index}"
                device.unlink(missing_ok=True)
                device.symlink_to("/dev/null")
            files = self.folder / "gpus" / f"{node.name}-[0-{node.gpus - 1}]"
            gres.append(f"NodeName={node.name} Name=gpu Type={node.gpu_type} File={files}\n")
        (self.folder / "gres.conf").write_text("".join(gres))
        self.conf.write_text("".join(f"{line}\n" for line in self._configuration()))

    def _configuration(self) -> Iterator[str]:
        """slurm.conf, line by line."""
        port, *node_ports = free_ports(1 + len(self.nodes))
        account = pwd.getpwuid(os.geteuid()).pw_name  # as root, jobs run as whoever submits; else as this account
        own = {
            "ClusterName": self.name,
            "SlurmctldHost": "localhost(127.0.0.1)",
            "SlurmctldPort": str(port),
            "SlurmUser": account,
            "SlurmdUser": account,
            "AuthInfo": f"socket={self.folder / 'munge.socket'}",
            "StateSaveLocation": str(self.folder / "state"),
            "SlurmdSpoolDir": str(self.folder / "spool" / "%n"),
            "SlurmctldPidFile": str(self.folder / "slurmctld.pid"),
            "SlurmdPidFile": str(self.folder / "slurmd.%n.pid"),
            "SlurmctldLogFile": str(self.folder / "log" / "slurmctld.log"),
            "SlurmdLogFile": str(self.folder / "log" / "slurmd.%n.log"),
            "JobCompLoc": str(self.folder / "jobcomp.txt"),
        }
        yield from (f"{key}={value}" for key, value in {**own, **self.settings}.items())
        for node, node_port in zip(self.nodes, node_ports, strict=True):
            yield (
                f"NodeName={node.name} NodeHostname=localhost NodeAddr=127.0.0.1 Port={node_port} "
                f"CPUs={node.cpus} RealMemory={node.memory_mb} Gres=gpu:{node.gpu_type}:{node.gpus}"
            )
        yield "PartitionName=gpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP"

    def _spawn(self, name: str, command: str, *options: str, node: str = "") -> None:
        marks = {"SLURM_CLUSTER_NAME": self.name, "SLURMD_NODENAME": node}  # as in jobs; slurmstepd inherits slurmd's
        environment = {**os.environ, **self.environment, **marks}
        with (self.folder / "log" / f"{name}.out").open("ab") as out:
            self._daemons[name] = subprocess.Popen(
                [program(command) or command, *options],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder, env=environment,
                start_new_session=True,
            )  # fmt: skip

    def _end(self, name: str, how: signal.Signals) -> None:
        daemon = self._daemons[name]
        daemon.send_signal(how)
        daemon.wait()

    def _wait(self, condition: Callable[[], bool], what: str, *daemons: str) -> None:
        """Until it is so. Raises NoCluster with the words of a daemon that ended instead."""
        give_up_at = time.monotonic() + BOOT_S
        while not condition():
            ended = [name for name in daemons if not self.is_running(name)]
            if ended or time.monotonic() > give_up_at:
                raise NoCluster(f"not within {BOOT_S:g} s: {what}.\n{self._words(ended or list(daemons))}")
            time.sleep(0.05)

    def _words(self, daemons: Sequence[str]) -> str:
        """What these daemons printed last."""
        logs = [(name, (self.folder / "log" / f"{name}.out").read_text(errors="replace")) for name in daemons]
        return "\n".join(f"{name}: {said[-500:].strip()}" for name, said in logs)

    def _watch(self) -> None:
        """A process that waits for our end, whatever ends us, and then ends what is left of the cluster."""
        folder = [] if self.keep_folder else ["--remove", str(self.folder)]
        self._watcher = subprocess.Popen(
            [sys.executable, str(SWEEPER), self.name, *folder],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def _sweep(self, *options: str) -> None:
        subprocess.run([sys.executable, str(SWEEPER), self.name, *options], stdin=subprocess.DEVNULL, check=True)


def free_ports(count: int) -> list[int]:
    """Ports of this machine on which nobody listens."""
    with contextlib.ExitStack() as held:
        found: list[int] = []
        for port in random.SystemRandom().sample(PORTS, len(PORTS)):
            with contextlib.suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
                found.append(port)
            if len(found) == count:
                return found
    raise NoCluster(f"No {count} free ports between {PORTS.start} and {PORTS.stop}.")


def main() -> None:
    """Boot one and stay until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where its files go (default: a new folder, removed at the end)")
    wanted = parser.parse_args()
    folder = wanted.folder or Path(tempfile.mkdtemp(prefix="slurm-"))
    cluster = Cluster(folder, keep_folder=wanted.folder is not None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        cluster.start()
        print(f"export SLURM_CONF={cluster.conf}", flush=True)
        print("Ctrl-C stops the cluster.", file=sys.stderr)
        signal.pause()
    except NoCluster as failed:
        sys.exit(f"No cluster: {failed}")
    except KeyboardInterrupt:
        pass
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()

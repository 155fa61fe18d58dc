"""INSTALL.md: what was written, and what to do with it, in order."""

from __future__ import annotations

from collections.abc import Sequence

from rota.slurm.site.config import Site, value_of
from rota.slurm.site.script import host_names, script_name


def install_guide(site: Site, notes: Sequence[str]) -> str:
    """For a person who has never set Slurm up."""
    parts = [_head(site), _look_first(notes), _before(site), _install(site)]
    parts += [_AFTERWARDS.format(partition=site.partition), _rota(site), _later(site), _ports(site), _UNDO]
    return "\n".join(part for part in parts if part)


def _head(site: Site) -> str:
    nodes = ", ".join(host.name for host in site.hosts)
    fetched = "nodes fetch their configuration from it" if site.is_configless else "every host has the same files"
    return f"""\
# Setting up the Slurm cluster {site.cluster}

Written by `rota slurm init`. Nothing has been installed or changed yet: these are files, and you run the commands.

- **Controller:** {site.controller.name}. It keeps the queue (`slurmctld`); {fetched}.
- **Nodes:** {nodes}. They run the jobs (`slurmd`).

| file | what it is |
| --- | --- |
| `slurm.conf` | how the cluster is; every line says why it is there |
| `gres.conf` | which device files are which GPUs |
| `cgroup.conf` | what keeps jobs off each other's GPUs, cores and memory |
| `munge.key` | the secret by which the hosts know each other. Who reads it can be anybody: for root alone |
| `install-HOST.sh` | what to run on each host. Read it first; it is short |
"""


def _look_first(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    return "## Look at these first\n\n" + "\n".join(f"- {note}" for note in notes) + "\n"


def _before(site: Site) -> str:
    return f"""\
## 1. Before you begin

1. **Accounts.** Everybody who runs jobs needs the same name *and number* on every host (LDAP, or the same lines in
   `/etc/passwd`): Slurm starts a job by number. Compare with: {_loop(site, "id kim")}
   The account `slurm` gets the number {site.slurm_uid} everywhere; the scripts see to it.
2. **Clocks.** They must agree within seconds. The scripts install chrony where nothing sets the clock yet.
3. **A shared folder.** Rota needs one folder that all hosts see under the same path, `/shared/rota` for example, and
   members' homes are best shared as well. NFS will do, with `no_root_squash` for these hosts: Rota writes as root.
4. **Names.** Every host must find every other by name (DNS, or the same lines in `/etc/hosts`).
5. **GPU driver.** `nvidia-smi` works on every host with GPUs.
"""


def _install(site: Site) -> str:
    controller = site.controller
    steps = [
        "## 2. Install\n",
        f"The controller first, because the nodes ask it. Copy this folder to {controller.name}, log in there, and:\n",
        f"```console\n$ sudo sh {script_name(controller.name)}\n```\n",
    ]
    others = [name for name in host_names(site) if name != controller.name]
    if others:
        address = {host.name: host.address for host in site.hosts}
        pairs = " ".join(f"{name}:{address[name]}" for name in others)
        steps += [
            "Then every other node. One by one, or, where root may log in by ssh, all of them from this folder:\n",
            "```sh",
            f"for pair in {pairs}; do",
            "    name=${pair%%:*} address=${pair#*:}",
            "    ssh root@$address 'umask 077; mkdir -p slurm-site' &&",
            f"        scp -q munge.key {_copied(site)}install-$name.sh root@$address:slurm-site/ &&",
            "        ssh root@$address sh slurm-site/install-$name.sh ||",
            '        echo "$name: NOT DONE"',
            "done",
            "```\n",
            "A script that stops says why and what to do; after that, run it again.\n",
        ]
    return "\n".join(steps)


def _copied(site: Site) -> str:
    return "" if site.is_configless else "slurm.conf gres.conf cgroup.conf "


_AFTERWARDS = """\
## 3. See that it works

On the controller:

```console
$ sinfo                                              # every node: idle
$ srun --gres=gpu:1 nvidia-smi -L                    # one GPU, and only one
$ rota doctor --slurm                                # what is wrong, why it matters, and the command that mends it
$ sudo rota doctor --slurm --deep                    # the same, with a look from every node: accounts, clocks, Python
```

A node in state `down`, `drain` or `inval`: `sinfo -R` says why. After the cause is mended:
`sudo scontrol update nodename=NODE state=resume`. Everything is in partition `{partition}`.
"""


def _rota(site: Site) -> str:
    return f"""\
## 4. Start Rota

On the controller, with the shared folder from step 1:

```console
$ sudo mkdir -p /shared/rota /var/lib/rota
$ sudo tee -a /var/lib/rota/rota.toml <<'END'
[slurm]
enabled = true
turns_dir = "/shared/rota"
END
$ sudo rota up
```

Members type `rota run`, `rota list`, `rota why` on {site.controller.name}; their jobs run on the nodes.
"""


def _later(site: Site) -> str:
    spread = "the nodes fetch it" if site.is_configless else "copy it to every host"
    return f"""\
## Later

- **Change a setting:** edit `/etc/slurm/slurm.conf` on {site.controller.name} ({spread}), then
  `sudo scontrol reconfigure`; for nodes and ports `sudo systemctl restart slurmctld` first. Running jobs go on.
- **Add a host:** run `rota slurm init` again with all hosts and `--force` (the key is kept), then the controller's
  script and the new host's.
- **Take a node out for repair:** `sudo scontrol update nodename=NODE state=drain reason="fan"`. Rota moves its jobs
  away when their turns allow it.
"""


def _ports(site: Site) -> str:
    return f"""\
## Ports, for whoever keeps the firewall

| port (TCP) | on | from |
| --- | --- | --- |
| {value_of(site, "SlurmctldPort")} | {site.controller.name} | all hosts |
| {value_of(site, "SlurmdPort")} | every node | {site.controller.name} and all nodes |
| any | every node | all nodes: `srun`, NCCL and MPI choose their ports when they start |

munge uses no port. Nothing of this need be reachable from outside the cluster.
"""


_UNDO = """\
## Undo

On each host: `sudo systemctl disable --now slurmd slurmctld`, then `sudo apt remove slurmd slurmctld munge` (or `dnf`).
What was replaced lies beside as `NAME.before-rota`.
"""


def _loop(site: Site, command: str) -> str:
    addresses = " ".join(dict.fromkeys([site.controller.address, *(host.address for host in site.hosts)]))
    return f"`for h in {addresses}; do ssh $h {command}; done`"

"""The script that sets one host up: for a person to read first, and for sh to run. It can be run again."""

from __future__ import annotations

from collections.abc import Iterator

from rota.slurm.site.config import Site, node_line, value_of
from rota.slurm.site.hosts import Host

MARK = "# Written by `rota slurm init`"  # by this line our own scripts are known again
CONFIG_FILES = ("slurm.conf", "gres.conf", "cgroup.conf")


def script_name(host: str) -> str:
    """Of the script for a host."""
    return f"install-{host}.sh"


def install_script(site: Site, name: str) -> str:
    """For the host of that name: a node, the controller, or both."""
    host = next((host for host in site.hosts if host.name == name), None)
    is_controller = name == site.controller.name
    parts = [_head(site, name, host, is_controller), _CHECKS, _names(site, name), _TIME]
    parts.append(_packages(is_controller, is_node=host is not None))
    parts.append(_MUNGE)
    if is_controller or not site.is_configless:
        parts.append(_configuration(site))
    elif host is not None:
        parts.append(_NO_OLD_CONFIGURATION)
    parts.append(_firewall(site, name))
    if is_controller:
        parts.append(_controller(site))
    if host is not None:
        parts.append(_node(site, host))
    return "\n".join(parts)


def host_names(site: Site) -> Iterator[str]:
    """Every host that has a script: the controller first, for the nodes ask it."""
    yield site.controller.name
    yield from (host.name for host in site.hosts if host.name != site.controller.name)


def _head(site: Site, name: str, host: Host | None, is_controller: bool) -> str:
    roles = [*(["the controller"] if is_controller else []), *(["a node"] if host is not None else [])]
    words = {"name": name, "script": script_name(name), "roles": " and ".join(roles)}
    return _HEAD.format(mark=MARK, cluster=site.cluster, uid=site.slurm_uid, **words)


_HEAD = """\
#!/bin/sh
{mark} for {name}: {roles} of the Slurm cluster {cluster}.
# Run it there as root, from a copy of this folder:   sudo sh {script}
# In order: checks, clock, packages, munge's key, configuration, firewall, services. Each step says what it does.
# It can be run again, after a change or a failure. Files that it replaces are kept beside as NAME.before-rota.
set -eu
cd "$(dirname "$0")"
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
host='{name}'
cluster='{cluster}'
uid={uid}

say() {{ printf '\\n== %s\\n' "$*"; }}
stop() {{ printf '\\nStopped: %s\\n' "$*" >&2; exit 1; }}
# put FILE TARGET MODE OWNER: copies it, and keeps what was there before the first time
put() {{
    if [ -e "$2" ] && ! cmp -s "$1" "$2" && ! [ -e "$2.before-rota" ]; then cp -p "$2" "$2.before-rota"; fi
    install -m "$3" -o "$4" -g "$4" "$1" "$2"
}}
"""

_CHECKS = """\
say "Checking that this is the right host, and that no other Slurm is here"
[ "$(id -u)" = 0 ] || stop "this needs root. Run: sudo sh $0"
[ "$(hostname -s)" = "$host" ] || stop "this is $(hostname -s), and the script is for $host."
[ -r munge.key ] || stop "munge.key is not beside this script. Copy the whole folder here."
if pgrep -x slurmd >/dev/null || pgrep -x slurmctld >/dev/null; then
    grep -qsix "ClusterName=$cluster" /etc/slurm/slurm.conf /run/slurm/conf/slurm.conf ||
        stop "a Slurm of another cluster runs here, and nothing was changed.
If it is to go: systemctl disable --now slurmd slurmctld"
fi
if command -v apt-get >/dev/null; then family=debian
elif command -v dnf >/dev/null; then family=redhat
else stop "neither apt-get nor dnf is here. Install Slurm and munge by hand; INSTALL.md says what comes after."
fi
"""

_TIME = """\
say "Clock: munge and checkpoints need clocks that agree"
if [ "$(timedatectl show -p NTPSynchronized --value 2>/dev/null)" = yes ]; then
    echo "is synchronised already"
elif [ $family = debian ]; then
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q chrony
else
    dnf install -y -q chrony && systemctl enable --now chronyd
fi
"""

_MUNGE = """\
say "munge: the key that all hosts share, and a credential made and read with it"
install -d -m 0700 -o munge -g munge /etc/munge
put munge.key /etc/munge/munge.key 0400 munge
systemctl enable munge
systemctl restart munge
munge -n | unmunge >/dev/null || stop "munge does not work. Look at: journalctl -u munge"
"""

_NO_OLD_CONFIGURATION = """\
say "Configuration: comes from the controller; a slurm.conf of this host's own would go before it"
for file in slurm.conf gres.conf cgroup.conf; do
    if [ -e /etc/slurm/$file ]; then mv /etc/slurm/$file /etc/slurm/$file.before-rota; fi
done
"""


def _names(site: Site, name: str) -> str:
    """Every other host must be known by name here: Slurm's daemons call each other by it."""
    others = " ".join(sorted({*_addresses(site)} - {name}))
    if not others:
        return ""
    return f"""\
say "Names: can this host find the others?"
for other in {others}; do
    getent hosts "$other" >/dev/null ||
        stop "the name $other is not known here. Put its address into /etc/hosts, on every host: ADDRESS $other"
done
case $(getent ahostsv4 "$host" | awk 'NR == 1 {{print $1}}') in
127.*) echo "Note: $host means 127.* here. Give it its real address in /etc/hosts, or jobs over several nodes fail." ;;
esac
"""


def _addresses(site: Site) -> Iterator[str]:
    yield site.controller.address
    yield from (host.address for host in site.hosts)


def _packages(is_controller: bool, *, is_node: bool) -> str:
    daemons = [*(["slurmctld"] if is_controller else []), *(["slurmd"] if is_node else [])]
    debian = " ".join(["munge", *daemons, "slurm-client"])
    redhat = " ".join(["munge", "slurm", *(f"slurm-{daemon}" for daemon in daemons)])
    return f"""\
say "Account slurm: one number on all hosts, so it is made before a package makes it with any"
if ! id slurm >/dev/null 2>&1; then
    groupadd -r -g $uid slurm
    useradd -r -u $uid -g slurm -d /var/lib/slurm -s /usr/sbin/nologin slurm
fi
[ "$(id -u slurm)" = $uid ] ||
    stop "the account slurm has the number $(id -u slurm) here and $uid elsewhere.
While no Slurm runs here: usermod -u $uid slurm"

say "Packages: munge and Slurm"
if [ $family = debian ]; then
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends {debian}
else
    dnf install -y -q epel-release || stop "EPEL is needed: https://docs.fedoraproject.org/en-US/epel/getting-started/"
    dnf config-manager --set-enabled crb >/dev/null 2>&1 || true
    dnf install -y -q {redhat}
fi
version=$({daemons[0]} -V | awk '{{print $NF}}')
[ "$(printf '%s\\n22.05\\n' "$version" | sort -V | head -n 1)" = 22.05 ] ||
    stop "this system's Slurm is $version, and Rota needs 22.05 or later.
Newer packages: https://slurm.schedmd.com/quickstart_admin.html"
echo "Slurm $version"
"""


def _configuration(site: Site) -> str:
    whose = "of the whole cluster; nodes fetch it from here" if site.is_configless else "the same on every host"
    files = " ".join(CONFIG_FILES)
    return f"""\
say "Configuration: {whose}"
install -d -m 0755 /etc/slurm
for file in {files}; do put $file /etc/slurm/$file 0644 root; done
"""


def _firewall(site: Site, name: str) -> str:
    """Only where one is active. Between hosts of the cluster every port, for srun, NCCL and MPI choose theirs."""
    others = " ".join(sorted({*_addresses(site)} - {name}))
    if not others:
        return ""
    return f"""\
say "Firewall: the hosts of the cluster may talk to each other"
addresses=$(for other in {others}; do getent ahosts "$other" | awk '{{print $1}}'; done | sort -u)
if command -v ufw >/dev/null && ufw status | grep -q '^Status: active'; then
    for address in $addresses; do ufw allow from "$address" comment "Slurm cluster $cluster"; done
elif command -v firewall-cmd >/dev/null && firewall-cmd -q --state; then
    for address in $addresses; do firewall-cmd -q --permanent --zone=trusted --add-source="$address"; done
    firewall-cmd -q --reload
else
    echo "none is active"
fi
"""


def _controller(site: Site) -> str:
    log_folder = value_of(site, "SlurmctldLogFile").rpartition("/")[0]
    return f"""\
say "Controller: starting slurmctld"
install -d -m 0755 -o slurm -g slurm {value_of(site, "StateSaveLocation")} {log_folder}
systemctl enable slurmctld
systemctl restart slurmctld
tries=0
until scontrol ping 2>/dev/null | grep -q 'is UP'; do
    tries=$((tries + 1))
    [ $tries -lt 30 ] ||
        stop "slurmctld does not answer. Look at: journalctl -u slurmctld; tail {value_of(site, "SlurmctldLogFile")}"
    sleep 1
done
scontrol ping
scontrol reconfigure  # nodes that run already take over what has changed
"""


def _node(site: Site, host: Host) -> str:
    log_folder = value_of(site, "SlurmdLogFile").rpartition("/")[0]
    server = f"--conf-server {site.controller.address}:{value_of(site, 'SlurmctldPort')}" if site.is_configless else ""
    return f"""\
say "Node: starting slurmd"
install -d -m 0755 {value_of(site, "SlurmdSpoolDir")} {log_folder}
install -d -m 0755 /etc/slurm /etc/systemd/system/slurmd.service.d
echo 'SLURMD_OPTIONS="{server}"' >/etc/slurm/slurmd.options
cat >/etc/systemd/system/slurmd.service.d/rota.conf <<'END'
{_drop_in(host)}END
systemctl daemon-reload
systemctl enable slurmd
systemctl restart slurmd
echo "This host has:      $(slurmd -C 2>/dev/null | head -n 1)"
echo "slurm.conf says:    {node_line(host)}"
tries=0
until sinfo -h -n "$host" -o %T 2>/dev/null | grep -q -e idle -e mixed -e allocated; do
    tries=$((tries + 1))
    if [ $tries -ge 30 ]; then
        sinfo -h -n "$host" -o '%n is %T: %E'
        stop "the node is not ready. Look at: journalctl -u slurmd; tail {value_of(site, "SlurmdLogFile")}"
    fi
    sleep 1
done
sinfo -h -n "$host" -o 'The node %n is ready: %c CPUs, %m MiB, %G'
"""


def _drop_in(host: Host) -> str:
    """What the package's unit lacks for us. An empty condition takes back Debian's, that there be a slurm.conf."""
    wake = "# The driver makes /dev/nvidia* when first asked; slurmd needs them when it starts.\n"
    wake += "ExecStartPre=-/bin/sh -c 'nvidia-smi -L >/dev/null'\n"
    return (
        f"{MARK}\n[Unit]\nConditionPathExists=\nAfter=nvidia-persistenced.service\n"
        f"[Service]\nEnvironmentFile=/etc/slurm/slurmd.options\n{wake if host.gpus else ''}"
    )

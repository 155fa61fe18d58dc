"""What this machine has to bring along: Slurm's commands, munge, a clock that agrees, the same accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rota.fleet.findings import Finding
from rota.fleet.slurm_doctor.world import Unanswered, World, ask
from rota.slurm.config_answer import account_of, munge_socket
from rota.slurm.version import LEAST_VERSION, parse_version, say_version

PROGRAMS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo", "munge", "unmunge")
CLOCK_NOTE_S = 1.5  # sdiag says whole seconds
CLOCK_S = 5.0  # Rota reads from a checkpoint's time whether it is newer than its notice
_AT = re.compile(r"^sdiag output at .*\((\d+)\)", re.MULTILINE)


def programs(world: World) -> Iterator[Finding]:
    """Whether Slurm's and munge's commands are there."""
    missing = [name for name in PROGRAMS if world.find(name) is None]
    if missing:
        text = f"{', '.join(missing)} not here, so no turn can be handed to Slurm"
        yield Finding("slurm", False, text, "apt install slurm-client munge, or: dnf install slurm munge")


def munge(world: World, config: Mapping[str, str]) -> Iterator[Finding]:
    """A credential made, and read again."""
    socket = munge_socket(config)
    where = [f"--socket={socket}"] if socket else []
    made = ask(world.run, ["munge", "--no-input", *where])
    read = made if isinstance(made, Unanswered) else ask(world.run, ["unmunge", *where], made)
    if not isinstance(read, Unanswered) and re.search(r"^STATUS:\s+Success", read, re.MULTILINE):
        yield Finding("munge", True, "a credential was made and read again")
        return
    said = _last_line(read.why) if isinstance(read, Unanswered) else _first_line(read)
    text = f"does not work here ({said}); without it no host believes who is calling"
    mend = "systemctl status munge; /etc/munge/munge.key is the same on every host, of owner munge and mode 0400"
    yield Finding("munge", False, text, mend)


def clocks(world: World) -> Iterator[Finding]:
    """This clock against the controller's, and whether something sets it."""
    before = world.now()
    answer = ask(world.run, ["sdiag"])
    after = world.now()
    found = None if isinstance(answer, Unanswered) else _AT.search(answer)
    if found is not None:
        yield _clock(int(found[1]) + 0.5 - (before + after) / 2)
    synchronised = ask(world.run, ["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if isinstance(synchronised, str) and synchronised.strip() == "no":
        yield Finding("clocks", None, "nothing sets this machine's clock, so it will drift away", "apt install chrony")


def _clock(ahead_s: float) -> Finding:
    if abs(ahead_s) <= CLOCK_NOTE_S:
        return Finding("clocks", True, "this one agrees with the controller's")
    way = "ahead of" if ahead_s > 0 else "behind"
    text = (
        f"the controller's is {abs(ahead_s):.0f} s {way} this one: Rota would misjudge checkpoints by their times, and "
        "from 300 s on munge refuses everything"
    )
    mend = "apt install chrony, on both; chronyc tracking"
    return Finding("clocks", False if abs(ahead_s) > CLOCK_S else None, text, mend)


def accounts(world: World, config: Mapping[str, str]) -> Iterator[Finding]:
    """Slurm's own account: the controller names its number."""
    name, number = account_of(config.get("SlurmUser", ""))
    here = world.account_uid(name) if name else None
    if number is None or name == "root":
        return
    if here is None:
        text = f"there is no account {name} here; the controller runs as it, with the number {number}"
        yield Finding("accounts", None, text, f"useradd --system --uid {number} {name}")
    elif here != number:
        text = f"{name} has the number {here} here and {number} on the controller: Slurm takes messages for forged"
        yield Finding("accounts", False, text, f"usermod --uid {number} {name}, while no Slurm runs here")
    else:
        yield Finding("accounts", True, f"{name} has the number {number} here and on the controller")


def versions(world: World, config: Mapping[str, str], nodes: Sequence[Mapping[str, str]]) -> Iterator[Finding]:
    """Controller, nodes and our commands: the controller must be the newest of them (Slurm's rule for upgrades)."""
    ruling = parse_version(config.get("SLURM_VERSION", ""))
    answer = ask(world.run, ["sinfo", "--version"])
    ours = parse_version(answer) if isinstance(answer, str) else (0, 0)
    by_version: dict[tuple[int, int], list[str]] = {}
    for node in nodes:
        if node.get("Version"):
            by_version.setdefault(parse_version(node["Version"]), []).append(node["NodeName"])
    oldest = min([ruling, *by_version])
    if oldest < LEAST_VERSION:
        text = f"Slurm {say_version(oldest)} is older than Rota knows; it needs {say_version(LEAST_VERSION)} or later"
        yield Finding("versions", False, text, "https://slurm.schedmd.com/upgrades.html")
    for version, names in by_version.items():
        if version > ruling:
            yield _too_new(f"{_some(names)} has", version, ruling, "slurmd")
    if ours > ruling:
        yield _too_new("the commands here are of", ours, ruling, "slurm-client")
    if len(by_version) > 1:
        text = "; ".join(f"{say_version(version)} on {_some(names)}" for version, names in sorted(by_version.items()))
        yield Finding("versions", None, f"nodes have different ones: {text}", "finish the upgrade of the older ones")
    if config.get("HASH_VAL", "").startswith("Different"):
        text = "slurm.conf here is another than the controller's, so the two may disagree"
        yield Finding("versions", None, text, "copy it from the controller, then: scontrol reconfigure")


def _too_new(who: str, version: tuple[int, int], ruling: tuple[int, int], package: str) -> Finding:
    text = f"{who} Slurm {say_version(version)}, newer than the controller's {say_version(ruling)}, which may not work"
    return Finding("versions", False, text, f"upgrade the controller first, or take an older {package}")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no answer"


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else "no answer"

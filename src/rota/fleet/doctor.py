"""`python -m rota.fleet.doctor --state DIR`: looks at this machine and prints findings as JSON, for `rota doctor`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rota.errors import RotaError
from rota.fleet.findings import Finding
from rota.fleet.mounts import file_system
from rota.fleet.nvml import Inventory, foreign_processes, read_inventory
from rota.fleet.slurm_doctor import Site, real_world, slurm_findings
from rota.settings import SlurmSettings, load_settings

LOW_DISK_BYTES = 2 * 2**30


def findings(state_dir: Path, slurm: Site | None = None) -> Iterator[Finding]:
    """Everything that can be seen without the daemon. `slurm`: turns run there, and not on this machine."""
    yield Finding("python", sys.version_info >= (3, 11), sys.version.split()[0], "")
    if slurm is None:
        yield from _gpus()
    yield from _state(state_dir)
    yield from _settings(state_dir)
    yield from _database(state_dir / "rota.db")
    if slurm is None:
        yield _isolation()
    else:
        yield from slurm_findings(real_world(), slurm)


def _gpus() -> Iterator[Finding]:
    found = read_inventory()
    if not isinstance(found, Inventory):
        text = f"no GPU: {found.why}; a simulated fleet works all the same"
        yield Finding(
            "gpus", None, text, "rota up --simulate h100:4, or install the NVIDIA driver: apt install nvidia-driver"
        )
        return
    models = sorted({gpu.model for gpu in found.gpus})
    yield Finding("gpus", bool(found.gpus), f"{len(found.gpus)}: {', '.join(models) or 'none'}", "")
    yield from (Finding("gpus", False, text, "nvidia-smi; a reboot often brings it back") for text in found.trouble)
    for uuid, pids in foreign_processes().items():
        others = [pid for pid in pids if not _is_of_rota(pid)]
        if others:
            shown = ", ".join(map(str, others[:5]))
            text = f"{uuid} is used outside the waiting list by process {shown}"
            yield Finding("strangers", None, text, f"ps -o user,pid,etime,cmd -p {','.join(map(str, others[:5]))}")


def _is_of_rota(pid: int) -> bool:
    try:
        return b"ROTA_TURN_ID=" in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return True  # ended meanwhile, or not ours to see: no ground for a complaint


def _state(state_dir: Path) -> Iterator[Finding]:
    if not state_dir.exists():
        yield Finding("state", None, f"{state_dir} is not there yet; rota up makes it", "")
        return
    is_ours = os.access(state_dir, os.W_OK)
    yield Finding("state", True if is_ours else None, f"{state_dir}{'' if is_ours else ', not yours to write'}")
    free = shutil.disk_usage(state_dir).free
    said = f"{free / 2**30:.1f} GiB free there"
    yield Finding(
        "disk", free > LOW_DISK_BYTES, said, "" if free > LOW_DISK_BYTES else f"du -sh {state_dir}/* | sort -h"
    )
    kind = file_system(state_dir)
    if kind in ("nfs", "nfs4", "cifs", "fuse.sshfs"):
        yield Finding(
            "disk", False, f"{state_dir} is on {kind}, where locks are not to be relied on", "rota up --state DIR"
        )


def _settings(state_dir: Path) -> Iterator[Finding]:
    path = state_dir / "rota.toml"
    if not path.exists():
        yield Finding("settings", True, f"the defaults; others would stand in {path}")
        return
    try:
        load_settings(path)
        yield Finding("settings", True, str(path))
    except RotaError as wrong:
        yield Finding("settings", False, str(wrong), f"$EDITOR {path}")


def _database(path: Path) -> Iterator[Finding]:
    if not path.exists() or not os.access(path, os.R_OK):
        return
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            said = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as failed:
        said = str(failed)
    mend = f"keep a copy of it, then: sqlite3 {path} .recover | sqlite3 mended.db"
    yield Finding("database", said == "ok", f"{path}: {said}", "" if said == "ok" else mend)


def _isolation() -> Finding:
    """Whether turns can have a control group of their own (cgroups(7))."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines() if " cgroup2 " in line]
    if any(os.access(mount, os.W_OK) for mount in mounts):
        return Finding("isolation", True, "each turn gets a control group of its own")
    text = "no control group can be made here; processes of a turn are found by their parent and environment instead"
    return Finding("isolation", None, text, "start Rota as root, or by a systemd unit with Delegate=yes")


def main() -> None:
    """Print the findings as a JSON list."""
    parser = argparse.ArgumentParser(prog="python -m rota.fleet.doctor", description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--slurm", action="store_true", help="look at Slurm, whatever the settings say")
    parser.add_argument("--deep", action="store_true", help="run a step of a second on every node")
    asked = parser.parse_args()
    slurm = _slurm(asked.state, is_asked=asked.slurm or asked.deep, is_deep=asked.deep)
    print(json.dumps([asdict(finding) for finding in findings(asked.state, slurm)]))


def _slurm(state_dir: Path, *, is_asked: bool, is_deep: bool) -> Site | None:
    """What to look at in Slurm; None where turns do not run there and nobody asks."""
    try:
        settings = load_settings(state_dir / "rota.toml").slurm
    except RotaError:
        settings = SlurmSettings()  # the mistake in the file is a finding of its own
    if not (settings.enabled or is_asked):
        return None
    turns_dir = Path(settings.turns_dir) if settings.turns_dir else state_dir / "turns"
    return Site(turns_dir, settings.partition, settings.python, settings.options, settings.post, is_deep)


if __name__ == "__main__":
    main()

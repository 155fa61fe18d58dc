"""The environment that Slurm's controller keeps of a batch job. Only root and SlurmUser on its machine may read it."""

from __future__ import annotations

import struct
from pathlib import Path

from rota.slurm.commands import Run

_COUNT = struct.Struct("=I")
MOST_BYTES = 16 * 2**20


def state_folder(config: str) -> Path | None:
    """StateSaveLocation, from `scontrol show config`."""
    for line in config.splitlines():
        name, sign, value = line.partition("=")
        if sign and name.strip() == "StateSaveLocation":
            return Path(value.strip())
    return None


def saved_environment(folder: Path, job: int) -> dict[str, str] | None:
    """The environment with which a job was submitted, or None where it cannot be had.

    The file holds a number and so many strings, each ended by a null character (seen with Slurm 22.05.8; what is not
    like that is not believed).
    """
    file = folder / f"hash.{job % 10}" / f"job.{job}" / "environment"
    try:
        if file.stat().st_size > MOST_BYTES:
            return None
        content = file.read_bytes()
        count, text = _COUNT.unpack_from(content)[0], content[_COUNT.size :].decode("utf-8")
    except (OSError, struct.error, UnicodeDecodeError):
        return None
    entries = text.split("\0")[:-1]
    pairs = [entry.partition("=") for entry in entries]
    if len(entries) != count or not all(name and sign for name, sign, _ in pairs):
        return None
    return {name: value for name, _, value in pairs}


def find_state_folder(run: Run) -> Path | None:
    """The controller's folder, where it is on this machine and may be read."""
    folder = state_folder(run(["scontrol", "show", "config"], ""))
    try:
        return folder if folder is not None and next(folder.glob("hash.*"), None) is not None else None
    except OSError:
        return None

"""The folder that `rota slurm init` writes: never /etc, never over what somebody has there without being told to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rota.errors import BadRequest, RotaError
from rota.slurm.site.files import KEY, SiteFile
from rota.slurm.site.script import MARK

#: Where a running Slurm has its own: what is written there takes effect by itself.
SYSTEM = ("/etc", "/run", "/usr", "/var/lib/slurm", "/var/spool/slurm")
LEAST_KEY_BYTES, MOST_KEY_BYTES = 32, 1024  # what munged takes (munged(8))


def check_folder(folder: Path, force: bool) -> bool:
    """Whether the folder is still to be made. Raises BadRequest when it holds what is not to be touched."""
    whole = folder.resolve()
    if any(whole.is_relative_to(system) for system in SYSTEM):
        raise BadRequest(
            f"{folder} may belong to a Slurm that runs here, so nothing is written there.\n"
            "Name a folder of your own, such as --out slurm-site. The scripts put the files where they belong."
        )
    try:
        if not folder.exists():
            return True
        if not folder.is_dir():
            raise BadRequest(f"{folder} is a file. Name a folder that is empty or not there yet: --out slurm-site")
        if any(folder.iterdir()) and not force:
            raise BadRequest(
                f"The folder {folder} is not empty, and nothing of it was changed.\n"
                "Name another with --out, or write into it again with --force (its munge key is kept)."
            )
    except OSError as failed:
        raise _cannot(folder, failed) from None
    return False


def kept_key(folder: Path) -> bytes | None:
    """The munge key that is there already: hosts may have it, and another one would lock them out."""
    path = folder / KEY
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as failed:
        raise _cannot(path, failed) from None
    if not LEAST_KEY_BYTES <= len(key) <= MOST_KEY_BYTES:
        raise BadRequest(
            f"{path} is no munge key: it has {len(key)} bytes. Remove it, and a new one is made: rm {path}"
        )
    return key


def write_files(folder: Path, files: Sequence[SiteFile], *, is_new: bool) -> None:
    """Each file whole or not at all; scripts of ours for hosts that are there no more go. Raises RotaError."""
    written: list[Path] = []
    try:
        if is_new:
            folder.mkdir(mode=0o700, parents=True)
        for file in files:
            written.append(_part(folder, file))
            _write(written[-1], file)
        for part, file in zip(written, files, strict=True):
            part.replace(folder / file.name)
        _remove_stale(folder, {file.name for file in files})
    except OSError as failed:
        raise _cannot(folder, failed) from None
    finally:
        for part in written:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def _part(folder: Path, file: SiteFile) -> Path:
    return folder / f".{file.name}.{os.getpid()}.part"


def _write(path: Path, file: SiteFile) -> None:
    """With its mode from the first byte on: a key must not be readable for a moment."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(file.content)
        os.fchmod(opened.fileno(), file.mode)
        os.fsync(opened.fileno())


def _remove_stale(folder: Path, names: set[str]) -> None:
    for path in folder.glob("install-*.sh"):
        if path.name not in names and MARK in path.read_text(errors="replace")[:200]:
            path.unlink()


def _cannot(path: Path, failed: OSError) -> RotaError:
    return RotaError(
        f"{path} cannot be used: {failed.strerror}.\n"
        "Look at its owner (ls -ld), make room (df -h), or name another folder with --out."
    )

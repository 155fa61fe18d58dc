"""What only the member's own process can check before it asks the daemon: the command, the folder, the text."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from rota.errors import BadRequest

MOST_BYTES = 1_000_000  # of command line and environment together; the daemon has the same limit


def checked_argv(argv: Sequence[str]) -> list[str]:
    """The command line. Raises BadRequest when it is empty, no UTF-8, too long, or cannot be executed."""
    if not argv or not argv[0].strip():
        raise BadRequest("Which command? Write it after the options: rota run --gpus 1 -- python train.py")
    for place, word in enumerate(argv):
        if not _is_text(word):
            shown = os.fsencode(word)[:40].decode("utf-8", "replace")
            raise BadRequest(
                f"Word {place + 1} of the command ({shown!r}) is not UTF-8, so it cannot be kept in the record. "
                "Rename that file, or pass the name in a file."
            )
    size = sum(len(os.fsencode(word)) + 1 for word in argv)
    if size > MOST_BYTES:
        raise BadRequest(
            f"The command line is {size:,} bytes long; at most {MOST_BYTES:,} bytes can be kept. "
            "Put the arguments into a file and let the job read it."
        )
    _check_executable(argv[0])
    return list(argv)


def _check_executable(command: str) -> None:
    if shutil.which(command):
        return
    if Path(command).is_dir():
        raise BadRequest(f"{command} is a folder, not a command. Did you mean: rota run -- python {command}")
    if "/" in command and Path(command).exists():
        raise BadRequest(
            f"{command} is not executable. Make it so with: chmod +x {command}\nOr name its interpreter first."
        )
    if "/" not in command and Path(command).exists():
        raise BadRequest(f"There is no command {command!r} on your PATH; for the file here: rota run -- ./{command}")
    raise BadRequest(f"There is no command {command!r} here. Look at the spelling, or at your PATH.")


def checked_cwd() -> str:
    """The folder in which the job will run: this one. Raises BadRequest."""
    try:
        cwd = os.getcwd()  # noqa: PTH109  (Path.cwd() is the same call with an import more)
    except OSError as gone:
        raise BadRequest(f"The working directory cannot be read ({gone.strerror}). cd to another one first.") from None
    if not os.access(cwd, os.R_OK | os.X_OK):
        raise BadRequest(f"The working directory {cwd} cannot be entered by you. cd to another one first.")
    return cwd


def checked_environment(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What can be kept of the environment, and the names that were left out because they are not UTF-8."""
    kept = {name: value for name, value in environment.items() if _is_text(name) and _is_text(value)}
    left_out = [os.fsencode(name).decode("utf-8", "replace") for name in environment if name not in kept]
    return kept, left_out


def checked_checkpoint(path: str | None, cwd: str) -> str | None:
    """The checkpoint's absolute path. Raises BadRequest when the folder it is to be in is not there."""
    return _absolute(path, cwd, "--checkpoint")


def checked_output(path: str | None, cwd: str) -> str | None:
    """The output's absolute path. Raises BadRequest when the folder it is to be in is not there."""
    return _absolute(path, cwd, "--output")


def _absolute(path: str | None, cwd: str, option: str) -> str | None:
    if path is None:
        return None
    if not path or not _is_text(path):
        raise BadRequest(f"{option} needs a path, such as {option} run1.pt")
    whole = os.path.normpath(os.path.join(cwd, os.path.expanduser(path)))  # noqa: PTH111, PTH118  (may hold a glob)
    folder = Path(whole).parent
    has_pattern = any(sign in str(folder) for sign in "*?[%")
    if not has_pattern and not folder.is_dir():
        raise BadRequest(f"{option}: the folder {folder} is not there. Make it first: mkdir -p {folder}")
    return whole


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True

"""A turn's script for nodes that share no folder with the daemon: it carries the keeper's program and the order."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import secrets
import shlex
import zlib
from functools import cache
from pathlib import Path

from rota.engines.contract import StartOrder
from rota.engines.keeper import files, unpack
from rota.engines.keeper.order import TurnOrder
from rota.engines.slurm.settings import SlurmSite
from rota.errors import EngineUnavailable
from rota.slurm.commands import SlurmRefused

LIBRARY = "lib"  # in the turn's folder on its node
MOST_SCRIPT_BYTES = 4 * 2**20  # slurm.conf(5), SchedulerParameters max_script_size
_IN_HOMES = ".rota-turns"


def site_secret(turns_dir: Path) -> bytes:
    """What only daemons of this Rota know. Made once. Raises EngineUnavailable."""
    path = turns_dir / "post.json"
    try:
        with contextlib.suppress(FileExistsError):
            if not path.exists():
                files.write_json_once(str(path), {"secret": secrets.token_hex(32)}, mode=0o600)
    except OSError as failed:
        raise EngineUnavailable(f"The folder of turns {turns_dir} cannot be used: {failed.strerror}.") from failed
    found = (files.read_json(str(path)) or {}).get("secret")
    if not isinstance(found, str):
        raise EngineUnavailable(f"{path} cannot be read. If it is damaged, remove it while no turn runs.")
    return found.encode()


def token(secret: bytes, turn: str) -> str:
    """By which a turn's courier is known: whoever knows one of them knows no other."""
    return hmac.new(secret, f"turn {turn}".encode(), hashlib.sha256).hexdigest()


def node_name(site_name: str, secret: bytes, turn: str) -> str:
    """Of the turn's folder on its node. In a folder where everybody may write, nobody can take the name before."""
    return f"rota-{site_name}-{turn}-{hmac.new(secret, f'folder {turn}'.encode(), hashlib.sha256).hexdigest()[:12]}"


def node_folder(order: StartOrder, site: SlurmSite, name: str) -> Path:
    """Where the turn's folder is on its node. A gang's is in its member's home, since all of its nodes look into it."""
    if len({gpu.node for gpu in order.gpus}) > 1:
        return Path(order.launch.environment.get("HOME") or order.launch.cwd) / _IN_HOMES / name
    return site.node_dir / name


def split_address(post: str) -> tuple[str, int]:
    """
    >>> split_address("head:8421"), split_address("[fd00::1]:8421")
    (('head', 8421), ('fd00::1', 8421))
    """
    host, _, port = post.rpartition(":")
    return host.strip("[]"), int(port)


def carrying_script(order: TurnOrder, folder: Path, library: Path, site: SlurmSite, secret: bytes, output: Path) -> str:
    """The script. Raises SlurmRefused when it is more than Slurm takes."""
    parcel = {
        "turn": order.turn,
        "token": token(secret, order.turn),
        "post": split_address(site.post),
        "output": str(output),
        "library": LIBRARY,
        "files": {**_program(library), files.ORDER: json.dumps(order.to_json())},
    }
    words = [site.python, "-I", "-S", "-c", _boot()]
    carried = base64.b64encode(zlib.compress(json.dumps(parcel).encode())).decode()
    script = f'#!/bin/sh\nexec {shlex.join(words)} "$0" {shlex.quote(str(folder))}{unpack.MARK}{carried}\n'
    if len(script) > MOST_SCRIPT_BYTES:
        size, most = len(script) / 2**20, MOST_SCRIPT_BYTES / 2**20
        raise SlurmRefused(
            f"Turn {order.turn} cannot be sent to its node: command and environment make a script of {size:.1f} MB, "
            f"and Slurm takes {most:.0f} MB. Submit it from a shell with fewer variables.", "",
        )  # fmt: skip
    return script


@cache
def _boot() -> str:
    return Path(unpack.__file__).read_text(encoding="utf-8")


@cache
def _program(library: Path) -> dict[str, str]:
    """What was installed for keepers and for scripts, by its path in the turn's folder."""
    return {
        f"{LIBRARY}/{file.relative_to(library)}": file.read_text(encoding="utf-8")
        for file in sorted(library.rglob("*.py"))
    }

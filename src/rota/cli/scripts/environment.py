"""The environment of a job as sbatch's --export asks for it."""

from __future__ import annotations

import pwd
import re
from collections.abc import Mapping

from rota.errors import BadRequest

#: What an outer job of Slurm's, or sbatch's own settings, would tell this one; slurm.conf's place is none of that.
_OF_SLURM = ("SLURM_", "SLURMD_", "SBATCH_", "SRUN_")
_KEPT = ("SLURM_CONF",)
#: Where programs are found before any profile has been read (login(1), ENV_PATH).
_PATH = "/usr/local/bin:/usr/bin:/bin"
_ITEM = re.compile(r"""(?:[^,'"]|'[^']*'|"[^"]*")+""")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def job_environment(current: Mapping[str, str], export: str | None, account: str) -> tuple[dict[str, str], bool]:
    """The environment, and whether it is that of a fresh login, to which the account's profile is to be added.

    Raises BadRequest when `export` is none of sbatch's forms.
    """
    own = without_slurm(current)
    items = [] if export is None else _ITEM.findall(export)
    if not items or items == ["ALL"]:
        return own, False
    if items in (["NONE"], ["NIL"]):
        return login_environment(account, current), True
    is_fresh = "ALL" not in items
    made = login_environment(account, current) if is_fresh else own
    for item in items:
        name, sign, value = item.strip().partition("=")
        if name == "ALL" and not sign:
            continue
        if not _NAME.fullmatch(name):
            raise BadRequest(f"--export={export}: {name!r} is no variable. Write it like ALL,LR=0.1 or NONE.")
        if sign:
            made[name] = _unquoted(value)
        elif name in current:
            made[name] = current[name]
    return made, is_fresh


def without_slurm(current: Mapping[str, str]) -> dict[str, str]:
    """Nothing of another job."""
    return {name: value for name, value in current.items() if name in _KEPT or not name.startswith(_OF_SLURM)}


def login_environment(account: str, current: Mapping[str, str]) -> dict[str, str]:
    """What login(1) gives before the profile is read; the language and the zone are those of whoever submits."""
    made = {name: current[name] for name in ("LANG", "LC_ALL", "TZ", *_KEPT) if name in current}
    try:
        entry = pwd.getpwnam(account)
    except KeyError:
        return {**made, "USER": account, "LOGNAME": account, "PATH": _PATH}
    shell = entry.pw_shell or "/bin/sh"
    return {**made, "HOME": entry.pw_dir, "SHELL": shell, "USER": account, "LOGNAME": account, "PATH": _PATH}


def exported_file(content: str) -> dict[str, str]:
    """Definitions between null characters, as --export-file has them."""
    pairs = (part.partition("=") for part in content.split("\0") if part.strip())
    return {name.strip(): value for name, sign, value in pairs if sign and _NAME.fullmatch(name.strip())}


def _unquoted(value: str) -> str:
    return re.sub(r"""'([^']*)'|"([^"]*)\"""", lambda quoted: quoted[1] or quoted[2] or "", value)

"""Taking over a list of paper: every line is tried by the daemon before the first is recorded."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rota.cli.checks import checked_environment
from rota.cli.client import Answer, Client
from rota.cli.daemon_names import DaemonNames
from rota.cli.scripts.environment import login_environment, without_slurm
from rota.cli.take_over.list_rows import Laboratory, Mistake, Understood, Wish, understand
from rota.cli.take_over.list_sheet import Sheet
from rota.errors import BadRequest, RotaError

UMASK = 0o022
SHELL = "/bin/bash"


class Accounts:
    """The accounts of this machine; `aliases` says which one a name on the list means."""

    def __init__(self, aliases: Mapping[str, str], is_simulated: bool) -> None:
        self._aliases = {written.casefold(): account for written, account in aliases.items()}
        self._is_simulated = is_simulated

    def account(self, written: str) -> str:
        """By its name, by an alias, by the full name that it has in the password file. Raises BadRequest."""
        name = self._aliases.get(written.casefold(), written)
        if _exists(name):
            return name
        named = self._by_full_name.get(name.casefold(), [])
        if len(named) == 1:
            return named[0]
        if named:
            raise BadRequest(f"{written!r} may be {' or '.join(named)}. Say which: --who '{written}={named[0]}'")
        if self._is_simulated and name.isascii() and name.isidentifier():
            return name
        raise BadRequest(f"there is no account {written!r} here. Say whose it is: --who '{written}=ACCOUNT'")

    def home(self, account: str) -> str:
        """Where its jobs run when the list does not say."""
        return pwd.getpwnam(account).pw_dir if _exists(account) else os.getcwd()  # noqa: PTH109

    @cached_property
    def _by_full_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for entry in pwd.getpwall():
            full = entry.pw_gecos.partition(",")[0].strip().casefold()
            if full:
                found.setdefault(full, []).append(entry.pw_name)
        return found


def _exists(account: str) -> bool:
    try:
        pwd.getpwnam(account)
    except (KeyError, ValueError):
        return False
    return True


@dataclass(slots=True)
class ListImport:
    """One import."""

    api: Client
    now: float
    aliases: Mapping[str, str]
    me: str = ""
    is_admin: bool = False
    _is_simulated: bool = False

    def __post_init__(self) -> None:
        health = self.api.get("/health")
        self.me, self.is_admin, self._is_simulated = health["member"], health["is_admin"], health["is_simulated"]

    def understood(self, sheet: Sheet) -> Understood:
        """The list as it would be taken over, with what the daemon would refuse among the mistakes."""
        names = DaemonNames(self.api)
        accounts = Accounts(self.aliases, self._is_simulated)
        found = understand(sheet, Laboratory(accounts, names.tiers(), names.projects(), self.now))
        jobs = self.api.get("/jobs", all=True)["jobs"]
        known = {(job["member"], job["origin"]): int(job["job"]) for job in jobs if job["origin"]}
        taken = [Mistake(one.line, "", _again(known[_key(one)])) for one in found.wishes if _key(one) in known]
        wishes = [one for one in found.wishes if _key(one) not in known]
        refused = [mistake for one in wishes if (mistake := self._refused(one)) is not None]
        lines = {mistake.line for mistake in refused}
        return replace(
            found,
            wishes=tuple(one for one in wishes if one.line not in lines),
            mistakes=tuple(sorted((*found.mistakes, *refused), key=lambda mistake: mistake.line)),
            left_out=(*found.left_out, *taken),
        )

    def _refused(self, wish: Wish) -> Mistake | None:
        if wish.member != self.me and not (self.is_admin and os.geteuid() == 0):
            return Mistake(wish.line, "", f"it is {wish.member}'s, and only root takes over what is not their own.")
        try:
            if not _may_be_folder(wish.folder):
                raise BadRequest(f"the folder {wish.folder} is not there.")
            self.api.post("/jobs", {**self.body(wish), "dry_run": True})
        except RotaError as refused:
            return Mistake(wish.line, "", " ".join(str(refused).split()))
        return None

    def body(self, wish: Wish) -> Answer:
        """The submit of one line. The command runs in a login shell, so that the member's own setup is there."""
        is_own = wish.member == self.me
        environment = without_slurm(os.environ) if is_own else login_environment(wish.member, os.environ)
        body: Answer = {
            "argv": [SHELL, "-l", "-c", wish.command],
            "cwd": wish.folder,
            "environment": checked_environment(environment)[0],
            "umask": UMASK,
            "name": wish.name,
            "project": wish.project,
            "gpus": wish.gpus,
            "tiers": list(wish.tiers),
            "checkpoint": wish.checkpoint,
            "time_s": wish.time_s,
            "member": None if is_own else wish.member,
            "waiting_since": wish.since if self.is_admin else None,
            "origin": wish.origin,
        }
        return {name: value for name, value in body.items() if value is not None}

    def take(self, wishes: Iterable[Wish]) -> Iterable[tuple[Wish, int]]:
        """Each with its number, as soon as it is recorded, in the order of the list."""
        for wish in wishes:
            yield wish, int(self.api.post("/jobs", self.body(wish))["job"])


def _key(wish: Wish) -> tuple[str, str]:
    return wish.member, wish.origin


def _again(job: int) -> str:
    return f"it was taken over already: job {job}"


def _may_be_folder(path: str) -> bool:
    """Also where root may not look: on a network's file system root is nobody."""
    try:
        return os.path.isdir(path) or not os.access(os.path.dirname(path) or "/", os.X_OK)  # noqa: PTH112, PTH120
    except (OSError, ValueError):
        return False


def aliases_of(texts: Sequence[str]) -> dict[str, str]:
    """`--who '김민수=kim'`, several times. Raises BadRequest."""
    found = {}
    for text in texts:
        written, sign, account = text.partition("=")
        if not sign or not written.strip() or not account.strip():
            raise BadRequest(f"{text!r} says not who is who. Write it like --who '김민수=kim'")
        found[written.strip()] = account.strip()
    return found

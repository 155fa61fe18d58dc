"""What a keeper is told: order.json and end.json as values."""

from __future__ import annotations

from typing import NamedTuple

from rota.engines.keeper.files import read_json

DEFAULT_LOG_KEEP_BYTES = 64 * 2**20


class TurnOrder(NamedTuple):
    """order.json. NamedTuples here, since importing dataclasses would double a keeper's start-up time."""

    turn: str
    argv: tuple[str, ...]
    cwd: str
    environment: dict[str, str]
    umask: int
    uid: int
    gid: int
    groups: tuple[int, ...]
    member: str  #: the account's name, for sentences
    gpus: tuple[str, ...]
    output: str | None = None
    checkpoint: str | None = None
    notice_signal: str | None = None
    term_s: float = 10.0  #: between TERM and KILL
    settle_s: float = 0.5  #: a checkpoint that is unchanged for so long is complete
    log_keep_bytes: int = DEFAULT_LOG_KEEP_BYTES
    progress_before: tuple[int, int] | None = None  #: (step, total) that the job had reached before this turn
    wake_socket: str = ""  #: a datagram with the turn's id goes here when there is news
    is_in_slurm: bool = False  #: the keeper is the script of a Slurm job (keeper/in_slurm.py)
    is_one_node: bool = True

    def to_json(self) -> dict[str, object]:
        """As it stands in order.json."""
        return dict(self._asdict())


def read_order(path: str) -> TurnOrder:
    """The order in that file. Raises ValueError when it is not there or not whole."""
    found = read_json(path)
    if found is None:
        raise ValueError(f"{path} is missing or not readable")
    known = {name: value for name, value in found.items() if name in TurnOrder._fields}
    for name in ("argv", "groups", "gpus"):
        known[name] = tuple(known[name])  # type: ignore[arg-type]  # the engine wrote lists
    if known.get("progress_before"):
        known["progress_before"] = tuple(known["progress_before"])  # type: ignore[arg-type]  # as above
    return TurnOrder(**known)  # type: ignore[arg-type]  # as above


class EndWish(NamedTuple):
    """end.json: how the engine wants the turn to end."""

    is_at_once: bool
    grace_s: float = 0.0
    why: str = ""

    def to_json(self) -> dict[str, object]:
        """As it stands in end.json."""
        return {"patience": "at once" if self.is_at_once else "polite", "grace_s": self.grace_s, "why": self.why}


def read_wish(path: str) -> EndWish | None:
    """The wish in that file, if there is one."""
    found = read_json(path)
    if found is None:
        return None
    grace_s, why = found.get("grace_s"), found.get("why")
    return EndWish(
        is_at_once=found.get("patience") == "at once",
        grace_s=float(grace_s) if isinstance(grace_s, (int, float)) else 0.0,
        why=why if isinstance(why, str) else "",
    )

"""What stands in the columns of Slurm's accounting text: times, durations, GPUs, exit codes."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import NamedTuple

from rota.domain.durations import parse_slurm_duration_s
from rota.errors import BadRequest

#: The end of the year 9999 in epoch seconds. Larger numbers are milliseconds, or nonsense.
MOST_S = 253_402_300_799.0
MOST_GPUS = 1_000_000


class Gpus(NamedTuple):
    """GPUs in a list of trackable resources (TRES)."""

    number: int
    by_type: tuple[tuple[str, int], ...] = ()  #: ("h100", 4); empty where the list names no type


def epoch_s(text: str, zone: tzinfo | None) -> float | None:
    """Epoch seconds of a time, as a number or in ISO 8601; None for Unknown, None, and what is no time.

    `zone`: of a time that does not say its own, as Slurm's never do; None: this machine's.
    """
    if text.isdigit():
        seconds = float(whole(text))
        return seconds if 0 < seconds <= MOST_S else None
    try:
        moment = datetime.fromisoformat(text)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return seconds if seconds > 0 else None


def elapsed_s(text: str) -> float:
    """Seconds of ElapsedRaw or Elapsed; 0 when it is neither."""
    seconds = float(whole(text)) if text.isdigit() else limit_s(text) or 0.0
    return seconds if seconds <= MOST_S else 0.0


def limit_s(text: str) -> float | None:
    """Seconds of a Timelimit; none for UNLIMITED, Partition_Limit, and 0, which means no limit to Slurm as well."""
    if ":" not in text or not text.isascii() or len(text) > 24:
        return None
    try:
        seconds = parse_slurm_duration_s(text)
    except BadRequest:
        return None
    return seconds if 0 < seconds <= MOST_S else None


def gpus_in(tres: str) -> Gpus:
    """How many GPUs a list of resources holds, and of which types.

    >>> gpus_in("billing=8,cpu=8,gres/gpu:h100=4,gres/gpu=4,mem=64G,node=1")
    Gpus(number=4, by_type=(('h100', 4),))
    """
    if "gres/gpu" not in tres:
        return Gpus(0)
    total, typed = 0, {}
    for entry in tres.split(","):
        name, _, number = entry.strip().partition("=")
        gpus = whole(number)
        if name == "gres/gpu":
            total = gpus
        elif name.startswith("gres/gpu:") and gpus:
            typed[name.removeprefix("gres/gpu:")] = gpus
    gpus = max(total, sum(typed.values()))  # the typed entries repeat the total, where both are there
    return Gpus(gpus, tuple(typed.items())) if gpus <= MOST_GPUS else Gpus(0)


def exit_and_signal(text: str) -> tuple[int | None, int | None]:
    """The code and the signal of an ExitCode.

    >>> exit_and_signal("7:0"), exit_and_signal("0:9"), exit_and_signal("")
    ((7, 0), (0, 9), (None, None))
    """
    code, colon, signal = text.partition(":")
    if not colon or not all(part.isascii() and part.isdigit() and len(part) < 6 for part in (code, signal)):
        return None, None
    return int(code), int(signal)


def whole(text: str) -> int:
    """A whole number in ASCII digits; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0

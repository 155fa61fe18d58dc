"""Memory sizes as people write them: `40G`, `512M`. G means 2**30, as in Slurm and nvidia-smi."""

from __future__ import annotations

import re

from rota.errors import BadRequest

_UNIT_BYTES = {"": 2**20, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?")


def parse_size_bytes(text: str) -> int:
    """Bytes in a size such as `40G`; a bare number is megabytes, as in Slurm's --mem.

    >>> parse_size_bytes("40G") == 40 * 2**30
    True

    Raises BadRequest when it is no size.
    """
    match = _SIZE.fullmatch(text.strip().lower())
    if not match or not float(match[1]):
        raise BadRequest(f"{text!r} is not a memory size. Write it like 40G or 512M.")
    return int(float(match[1]) * _UNIT_BYTES[match[2]])


def say_size(size_bytes: int) -> str:
    """A size in the largest unit that keeps it above one.

    >>> say_size(80 * 2**30), say_size(1536 * 2**20)
    ('80G', '1.5G')
    """
    for unit, unit_bytes in (("T", 2**40), ("G", 2**30), ("M", 2**20)):
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:.1f}".removesuffix(".0") + unit
    return f"{size_bytes}B"

"""Durations as people write them: `90s`, `15min`, `4h`, `7d`."""

from __future__ import annotations

import re

from rota.errors import BadRequest

_UNIT_S = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")
_SLURM = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?")


def parse_duration_s(text: str) -> float:
    """Seconds in a duration such as `4h`, `1h30min` or `90s`.

    >>> parse_duration_s("1h30min")
    5400.0

    Raises BadRequest when it is no duration, or is not longer than nothing.
    """
    rest = text.strip().lower()
    parts = _PART.findall(rest)
    written = "".join(number + unit for number, unit in parts)
    if not parts or written != rest.replace(" ", "") or any(unit not in _UNIT_S for _, unit in parts):
        raise BadRequest(f"{text!r} is not a duration. Write it like 90s, 15min, 4h or 7d.")
    seconds = sum(float(number) * _UNIT_S[unit] for number, unit in parts)
    if seconds <= 0:
        raise BadRequest(f"A duration must be longer than nothing, and {text!r} is not. Write it like 15min or 4h.")
    return seconds


def parse_slurm_duration_s(text: str) -> float:
    """Seconds in Slurm's forms: minutes, minutes:seconds, hours:minutes:seconds, days-hours[:minutes[:seconds]].

    Source: sbatch manual page, option --time.

    >>> parse_slurm_duration_s("1-12:00:00")
    129600.0
    """
    match = _SLURM.fullmatch(text.strip())
    if not match:
        raise BadRequest(f"{text!r} is not a time that Slurm knows. Write it like 30, 4:00:00 or 1-12:00:00.")
    days, first, second, third = (int(part) if part else None for part in match.groups())
    if days is not None:
        return float(days * 86400 + (first or 0) * 3600 + (second or 0) * 60 + (third or 0))
    if third is not None:
        return float((first or 0) * 3600 + (second or 0) * 60 + third)
    return float((first or 0) * 60 + (second or 0))


def say_duration(seconds: float) -> str:
    """A duration in words short enough for a table, in its two largest units.

    >>> say_duration(5400), say_duration(42.4), say_duration(200000), say_duration(0.4)
    ('1h 30min', '42s', '2d 7h', 'under 1s')
    """
    if seconds < 1:
        return "under 1s"
    whole = round(seconds)
    parts = [(whole // 86400, "d"), (whole % 86400 // 3600, "h"), (whole % 3600 // 60, "min"), (whole % 60, "s")]
    first = next(place for place, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count}{unit}" for count, unit in parts[first : first + 2] if count)

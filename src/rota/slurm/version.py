"""Versions of Slurm: year and month of a release, and a number that does not matter between daemons."""

from __future__ import annotations

import re

LEAST_VERSION = (22, 5)  # the oldest whose JSON and configless nodes Rota is tested with


def parse_version(text: str) -> tuple[int, int]:
    """Year and month of a version; (0, 0) when it is none.

    >>> parse_version("22.05.8"), parse_version("slurm-wlm 23.11.4")
    ((22, 5), (23, 11))
    """
    found = re.search(r"(\d{1,3})\.(\d{1,3})", text, re.ASCII)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def say_version(version: tuple[int, int]) -> str:
    """As Slurm writes it.

    >>> say_version((22, 5))
    '22.05'
    """
    return f"{version[0]}.{version[1]:02}"

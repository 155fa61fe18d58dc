"""Answers of `scontrol --oneliner show`: a line for each node or partition, with everything in it as Key=value."""

from __future__ import annotations

import re

#: Keys begin with a capital. A value may have blanks in it (OS, Reason), so it ends where the next key begins.
_FIELD = re.compile(r"(?:^|\s)([A-Z][A-Za-z0-9_/:]*)=")


def parse_lines(answer: str, first_key: str) -> tuple[dict[str, str], ...]:
    """The lines that begin with `first_key`; of a key that is there twice the first counts, "" for (null).

    >>> parse_lines("NodeName=a State=DOWN Reason=no fan [root@now] \\n", "NodeName")
    ({'NodeName': 'a', 'State': 'DOWN', 'Reason': 'no fan [root@now]'},)
    """
    return tuple(_fields(line) for line in answer.splitlines() if line.startswith(f"{first_key}="))


def _fields(line: str) -> dict[str, str]:
    found: dict[str, str] = {}
    keys = list(_FIELD.finditer(line))
    for match, following in zip(keys, [*keys[1:], None], strict=True):
        value = line[match.end() : following.start() if following else len(line)].strip()
        found.setdefault(match[1], "" if value in ("(null)", "N/A") else value)
    return found

"""How a cluster is set: the answer of `scontrol show config`, and the file slurm.conf that stands in for it."""

from __future__ import annotations

import re
from collections.abc import Mapping

WORDS = ("scontrol", "show", "config")
_UNSET = ("(null)", "n/a", "")
_LINE = re.compile(r"^([A-Za-z][\w\[\].]*) *= *(.*?) *$", re.MULTILINE)
_HOST = re.compile(r"([^\s(]+)(?:\(([^)]*)\))?")
_DOWN = re.compile(r"^Slurmctld\((\w+)\) at (\S+) is DOWN", re.MULTILINE)


def parse_config(answer: str) -> dict[str, str]:
    """Settings by name, those of cgroup.conf among them; "" for what is not set.

    >>> parse_config("Configuration data as of 2026-11-24\\nGresTypes               = gpu\\nEpilog = (null)\\n")
    {'GresTypes': 'gpu', 'Epilog': ''}
    """
    return {key: "" if value.lower() in _UNSET else value for key, value in _LINE.findall(answer)}


def parse_file(text: str) -> dict[str, str]:
    """The settings in slurm.conf that stand on lines of their own, by the names that the answer has for them."""
    found: dict[str, str] = {}
    hosts = 0
    for line in text.splitlines():
        key, equals, value = line.partition("#")[0].partition("=")
        name = key.strip()
        if not equals or name.lower() in ("nodename", "partitionname"):
            continue
        if name.lower() in ("slurmctldhost", "controlmachine"):
            name, hosts = f"SlurmctldHost[{hosts}]", hosts + 1
        found[_AS_ANSWERED.get(name.lower(), name)] = value.strip()
    return found


#: Names are written in any case in the file.
_AS_ANSWERED = {name.lower(): name for name in ("SlurmctldPort", "SlurmdPort", "AuthInfo", "ClusterName", "SlurmUser")}


def controllers(config: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """(name, address) of the controller, and of those that stand in for it.

    >>> controllers({"SlurmctldHost[0]": "head(10.0.0.1)", "SlurmctldHost[1]": "spare"})
    (('head', '10.0.0.1'), ('spare', 'spare'))
    """
    keys = sorted(key for key in config if key.startswith("SlurmctldHost["))
    matches = [match for key in keys if (match := _HOST.match(config[key]))]
    return tuple((match[1], match[2] or match[1]) for match in matches)


def controllers_down(answer: str) -> tuple[tuple[str, str], ...]:
    """(role, name) of those that do not answer, from the last lines of the answer."""
    return tuple((role, name) for role, name in _DOWN.findall(answer))


def first_number(value: str, default: int = 0) -> int:
    """The number that a value begins with: of `300 sec`, `6817`, and of ports `6817-6820` the first.

    >>> first_number("300 sec"), first_number("6817-6820"), first_number("INFINITE", 7)
    (300, 6817, 7)
    """
    found = re.match(r"\d{1,9}", value, re.ASCII)
    return int(found[0]) if found else default


def words_of(value: str) -> frozenset[str]:
    """Of a list with commas, in small letters.

    >>> sorted(words_of("CR_CORE_MEMORY,CR_LLN"))
    ['cr_core_memory', 'cr_lln']
    """
    return frozenset(word.strip().lower() for word in value.split(",") if word.strip())


def munge_socket(config: Mapping[str, str]) -> str:
    """Where this cluster's munged listens, if that is not the usual place; "" otherwise."""
    found = re.search(r"(?:^|,)socket=([^,]+)", config.get("AuthInfo", ""))
    return found[1] if found else ""


def account_of(value: str) -> tuple[str, int | None]:
    """Name and number in `slurm(64030)`.

    >>> account_of("slurm(64030)"), account_of("slurm")
    (('slurm', 64030), ('slurm', None))
    """
    name, _, rest = value.partition("(")
    number = rest.rstrip(")")
    return name, int(number) if number.isascii() and number.isdigit() else None

"""Hosts as people write them: `gpu1:h100:8`, `gpu[01-12]:gpu=h100:8,cpus=64,memory=512G`, or a file of them."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rota.domain.sizes import parse_size_bytes
from rota.errors import BadRequest
from rota.slurm.nodelist import node_names

EXAMPLE = "Write it like gpu1 or gpu1:h100:8 or gpu[01-12]:gpu=h100:8,cpus=64,memory=512G."
KEYS = ("gpu", "cpus", "memory", "sockets", "cores", "threads", "address")
MOST_HOSTS = 5000
MOST_GPUS = 64  # of one host
#: No host's name begins with a dash: ssh would take it for an option.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?", re.ASCII)
_TYPE = re.compile(r"(?=[a-z0-9._-]*[a-z])[a-z0-9][a-z0-9._-]{0,40}", re.ASCII)
_PIECE = re.compile(r"(?:[^,\[\]]|\[[^\[\]]*\])+")
_SEVERAL = re.compile(r"[\s;+|]+")


@dataclass(frozen=True, slots=True)
class Stated:
    """What somebody wrote of a host. None and zero: it is to be found out."""

    where: str  #: the name or address by which it is reached
    gpus: tuple[tuple[str, int], ...] | None = None  #: (type, how many)
    cpus: int = 0
    sockets: int = 0
    cores: int = 0  #: of each socket
    threads: int = 0  #: of each core
    memory_mib: int = 0
    address: str = ""  #: by which the other hosts reach it, where that is another


def parse_hosts(text: str) -> tuple[Stated, ...]:
    """Hosts on a command line, separated by commas.

    >>> [(host.where, host.gpus) for host in parse_hosts("a[1-2]:h100:8,b:gpu=t4:1,cpus=8,c")]
    [('a1', (('h100', 8),)), ('a2', (('h100', 8),)), ('b', (('t4', 1),)), ('c', None)]

    Raises BadRequest with an example.
    """
    pieces = _PIECE.findall(text)
    if not pieces or ",".join(pieces) != text:
        raise BadRequest(f"{text!r} is no list of hosts. {EXAMPLE}")
    return checked(host for words in _by_host(piece.strip() for piece in pieces) for host in _hosts(words))


def parse_file(text: str, name: str) -> tuple[Stated, ...]:
    """Hosts in a file: .csv with a header, .toml with [[hosts]], else one in each line. Raises BadRequest."""
    if name.endswith(".csv"):
        return checked(_from_csv(text, name))
    if name.endswith(".toml"):
        return checked(_from_toml(text, name))
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return checked(host for line in lines if line for host in parse_hosts(line))


def checked(hosts: Iterable[Stated]) -> tuple[Stated, ...]:
    """The same, when none is there twice and there are not too many. Raises BadRequest."""
    found: dict[str, Stated] = {}
    for host in hosts:
        if host.where in found:
            raise BadRequest(f"The host {host.where} is written twice. Leave one of them out.")
        found[host.where] = host
        if len(found) > MOST_HOSTS:
            raise BadRequest(f"More than {MOST_HOSTS:,} hosts are too many for one file of hosts.")
    return tuple(found.values())


# --- one host ------------------------------------------------------------------------------------


def _by_host(pieces: Iterable[str]) -> Iterator[list[str]]:
    """`gpu=` and the like after a comma belong to the host before it."""
    words: list[str] = []
    for piece in pieces:
        if words and piece.partition("=")[0].strip() in KEYS:
            words.append(piece)
            continue
        if words:
            yield words
        words = [piece]
    if words:
        yield words


def _hosts(words: Sequence[str]) -> Iterator[Stated]:
    names, colon, first = words[0].partition(":")
    fields = [first, *words[1:]] if colon else list(words[1:])
    stated = _with_fields(Stated(""), (_field(word, words[0]) for word in fields), names)
    for name in node_names(names):
        yield replace(stated, where=_checked_name(name))


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadRequest(f"{name!r} is no host's name. {EXAMPLE}")
    return name


def _field(word: str, host: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not equals:
        return "gpu", word
    if key.strip() not in KEYS:
        raise BadRequest(f"{host}: {key.strip()!r} is not known of a host. Known are: {', '.join(KEYS)}.")
    return key.strip(), value.strip()


def _with_fields(host: Stated, fields: Iterable[tuple[str, str]], name: str) -> Stated:
    for key, value in fields:
        match key:
            case "gpu":
                host = replace(host, gpus=(*(host.gpus or ()), *_gpus(value, name)))
            case "memory":
                host = replace(host, memory_mib=max(parse_size_bytes(value) >> 20, 1))
            case "address":
                host = replace(host, address=_checked_name(value))
            case "cpus":
                host = replace(host, cpus=_count(value, key, name))
            case "sockets":
                host = replace(host, sockets=_count(value, key, name))
            case "cores":
                host = replace(host, cores=_count(value, key, name))
            case "threads":
                host = replace(host, threads=_count(value, key, name))
    total = sum(count for _, count in host.gpus or ())
    if total > MOST_GPUS:
        raise BadRequest(f"{name}: {total} GPUs are more than one host has. {EXAMPLE}")
    product = host.sockets * host.cores * host.threads
    if host.cpus and product and host.cpus != product:
        raise BadRequest(f"{name}: sockets x cores x threads is {product}, and cpus says {host.cpus}. Leave cpus out.")
    return host


def _gpus(text: str, name: str) -> Iterator[tuple[str, int]]:
    """`h100:8`, several with a plus between them; `none` and 0 say that there is none."""
    if text.lower() in ("none", "0"):
        return
    for part in _SEVERAL.split(text):
        kind, _, count = part.rpartition(":")
        if not _TYPE.fullmatch(kind.lower()) or not count.isascii() or not count.isdigit() or not 0 < len(count) < 4:
            raise BadRequest(f"{name}: {part!r} says no GPUs. Write the type and how many, like h100:8.")
        if int(count):
            yield kind.lower(), int(count)


def _count(text: str, key: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 6 or not int(text):
        raise BadRequest(f"{name}: {key}={text} is no number of them. Write it like {key}=64.")
    return int(text)


# --- files ---------------------------------------------------------------------------------------


def _from_csv(text: str, file: str) -> Iterator[Stated]:
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")), skipinitialspace=True)
    try:
        columns = [_column(title, file) for title in next(rows, [])]
        if "host" not in columns:
            raise BadRequest(f"{file} has no column host. Its first line may be: host,gpu,cpus,memory")
        for row in rows:
            cells = {key: cell.strip() for key, cell in zip(columns, row, strict=False) if cell.strip()}
            if name := cells.pop("host", ""):
                yield from _from_cells(name, cells)
    except csv.Error as wrong:
        raise BadRequest(f"{file}, line {rows.line_num}: {wrong}.") from None


def _column(title: str, file: str) -> str:
    """Which key a column's title means."""
    known = {"name": "host", "host": "host", "hostname": "host", "gpus": "gpu", **{key: key for key in KEYS}}
    meant = known.get(title.strip().lower())
    if meant is None:
        raise BadRequest(f"{file}: the column {title.strip()!r} is not known. Known are: host, {', '.join(KEYS)}.")
    return meant


def _from_cells(names: str, cells: dict[str, str]) -> Iterator[Stated]:
    stated = _with_fields(Stated(""), cells.items(), names)
    for name in node_names(names):
        yield replace(stated, where=_checked_name(name))


def _from_toml(text: str, file: str) -> Iterator[Stated]:
    try:
        entries = tomllib.loads(text).get("hosts")
    except tomllib.TOMLDecodeError as wrong:
        raise BadRequest(f"{file} is not TOML: {wrong}. Mend that line.") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadRequest(f'{file} has no hosts. Write each like: [[hosts]] name = "gpu1", gpu = "h100:8" (in lines)')
    for entry in entries:
        cells: dict[str, str] = {}
        for key, value in entry.items():
            cells[_column(key, file)] = " ".join(map(str, value)) if isinstance(value, list) else str(value)
        name = cells.pop("host", "")
        if not name:
            raise BadRequest(f'{file}: one of the hosts has no name. Write: name = "gpu1"')
        yield from _from_cells(name, cells)

"""GRES strings: how many GPUs of which type Slurm says that a node has, or that jobs use there."""

from __future__ import annotations

import re

UNTYPED = ""  #: the type of GPUs to which gres.conf gives none
_ASIDE = re.compile(r"\([^)]*\)")  # sockets, (S:0-1), and places, (IDX:0,2-3): commas in it separate nothing
_COUNT = re.compile(r"\d{1,4}", re.ASCII)


def gpu_counts(text: str) -> dict[str, int]:
    """GPUs by type, in the order of the text; types that have none, and everything else than GPUs, are left out.

    The form is name[:type][:no_consume][:count], a missing count being one (slurm.conf(5), Gres).

    >>> gpu_counts("gpu:h100:2(IDX:0,3),gpu:1g.10gb:7,shard:8")
    {'h100': 2, '1g.10gb': 7}
    >>> gpu_counts("gpu:4"), gpu_counts("(null)")
    ({'': 4}, {})
    """
    counts: dict[str, int] = {}
    for part in _ASIDE.sub("", text).split(","):
        name, *words = part.strip().split(":")
        if name != "gpu":
            continue
        count = int(words.pop()) if words and _COUNT.fullmatch(words[-1]) else 1
        kind = ":".join(word for word in words if word != "no_consume")
        counts[kind] = counts.get(kind, 0) + count  # a type stands there once for each socket
    return {kind: count for kind, count in counts.items() if count}

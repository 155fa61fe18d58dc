"""What a partition allows, from `scontrol show partition`."""

from __future__ import annotations

import re

from rota.slurm.commands import SlurmUnavailable
from rota.slurm.fields import limit_s


def words(partition: str) -> list[str]:
    """The command; without a name it shows all of them."""
    return ["scontrol", "--oneliner", "show", "partition", *([partition] if partition else [])]


def longest_s(text: str) -> float | None:
    """MaxTime of the partition, or of the default one, in seconds; None: unlimited.

    Raises SlurmUnavailable for an answer that is none.
    """
    lines = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in text.splitlines() if line.startswith("PartitionName=")]
    if not lines:
        raise SlurmUnavailable(f"Slurm does not say what its partitions allow: {text[:80]!r}")
    chosen = next((line for line in lines if line.get("Default") == "YES"), lines[0])
    return limit_s(chosen.get("MaxTime", "UNLIMITED"))

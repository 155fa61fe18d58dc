"""Jobs as `squeue` lists them in lines: what is asked every other second, of thousands of jobs.

Not as JSON: until 23.02 squeue ignores every filter with it and prints 3 kB for each job of the cluster (squeue(1)).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rota.slurm.commands import SlurmUnavailable
from rota.slurm.fields import elapsed_s

#: Numbers, state, reason, node list, time used, comment; the comment last, for it may hold anything.
FORMAT = "%A|%T|%r|%N|%M|%k"
_FIELDS = FORMAT.count("|")

#: Of a job of which nothing runs any more and nothing will (squeue(1), JOB STATE CODES).
_OVER = frozenset({
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",
    "SPECIAL_EXIT", "TIMEOUT",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """One job."""

    id: int
    state: str  #: "PENDING", "RUNNING", ...
    reason: str  #: why it is pending, such as "Resources"; "None" when it is not
    nodes: str
    elapsed_s: float  #: that it has run, in whole seconds
    comment: str

    @property
    def is_over(self) -> bool:
        """Whether Slurm has ended it, and what it could reach of it."""
        return self.state in _OVER

    @property
    def is_pending(self) -> bool:
        """Whether it still waits for its resources."""
        return self.state in ("PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED")


def words(is_everybody: bool) -> list[str]:
    """The command: everybody's jobs, or our own."""
    whose = [] if is_everybody else ["--me"]
    return ["squeue", "--noheader", "--states=all", *whose, f"--format={FORMAT}"]


def parse_listing(text: str, prefix: str = "") -> Iterator[Listed]:
    """Jobs whose comment begins with `prefix`. Raises SlurmUnavailable for an answer that is none."""
    for line in text.splitlines():
        fields = line.split("|", _FIELDS)
        if len(fields) <= _FIELDS or not fields[0].strip().isdigit():
            raise SlurmUnavailable(f"Slurm answers what squeue never prints: {line[:80]!r}")
        if fields[_FIELDS].startswith(prefix):
            number, state, reason, nodes, used, comment = fields
            yield Listed(int(number), state, reason, nodes, elapsed_s(used), comment)

"""What follows from what is seen of a turn: pure, so that every case can be tested without a cluster.

Slurm says whether the turn's job is there; the turn's folder says what its keeper does. Neither alone is enough: a job
that Slurm has given up with its node may go on running there, and a keeper that wrote nothing may be dead.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rota.slurm.listing import Listed

#: A file that a node has written is seen by the daemon at the latest after this (nfs(5): acdirmax is 60 s).
FILES_COME_WITHIN_S = 75.0
SETTLE_S = 2.0  # of a job that Slurm itself has ended: its keeper cannot write any more
STUBBORN_S = 60.0  # beyond the time between TERM and KILL, in which a keeper has ended any turn


class Act(Enum):
    """What to do about a turn."""

    NOTHING = "nothing"
    REPORT_END = "report end"  # the keeper has written how it ended
    CANCEL = "cancel"  # its Slurm job is to go
    FENCE = "fence"  # whoever still runs it must stop, before anybody else may
    LOST = "lost"
    NEVER_BEGAN = "never began"


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of one turn. Seconds."""

    has_exit: bool
    has_begun: bool
    listed: Listed | None  #: its Slurm job; None: Slurm knows of none
    gone_s: float = 0.0  #: since its job was first seen gone
    silent_s: float = 0.0  #: since the keeper's last sign of life
    pending_s: float = 0.0  #: since it was handed over, while it is pending
    wants_end: bool = False
    at_once_s: float = 0.0  #: since its end at once was ordered


def act_on(sight: Sight, *, fence_s: float, patience_s: float, term_s: float) -> Act:
    """The one thing to do now."""
    if sight.has_exit:
        return Act.REPORT_END
    is_gone = sight.listed is None or sight.listed.is_over
    if not sight.has_begun:
        if is_gone:
            return Act.NEVER_BEGAN if sight.gone_s >= _settled_s(sight.listed) else Act.NOTHING
        is_overdue = sight.listed is not None and sight.listed.is_pending and sight.pending_s >= patience_s
        return Act.CANCEL if sight.wants_end or is_overdue else Act.NOTHING
    if not is_gone:
        return Act.CANCEL if sight.at_once_s >= term_s + STUBBORN_S else Act.NOTHING
    if sight.gone_s < _settled_s(sight.listed):
        return Act.NOTHING
    if _is_cleared(sight.listed) or sight.silent_s >= fence_s:
        return Act.LOST
    return Act.FENCE


def _settled_s(listed: Listed | None) -> float:
    """How long to wait for what the keeper may have written before its job was gone."""
    if listed is not None and listed.state == "COMPLETED":  # it wrote its last file and went
        return FILES_COME_WITHIN_S
    return SETTLE_S


def _is_cleared(listed: Listed | None) -> bool:
    """Whether Slurm has seen the end of every process of the job; of a failed node it has not."""
    return listed is not None and listed.state not in ("NODE_FAIL", "BOOT_FAIL")


def why_lost(listed: Listed | None) -> str:
    """A sentence for the member."""
    if listed is None:
        return "Slurm knows no more of it."
    where = f" on {listed.nodes}" if listed.nodes else ""
    match listed.state:
        case "NODE_FAIL" | "BOOT_FAIL":
            return f"The node {listed.nodes or ''} failed.".replace("  ", " ")
        case "OUT_OF_MEMORY":
            return f"It took more host memory than it had{where}; more of it: --mem"
        case "TIMEOUT" | "DEADLINE":
            return "The time limit of Slurm's partition was over."
        case "CANCELLED":
            return "Its Slurm job was cancelled by somebody."
        case "PREEMPTED":
            return "Slurm gave its node to somebody else (PREEMPTED)."
    return f"Slurm ended its job{where}: {listed.state}."


def why_not_begun(listed: Listed | None, said: str) -> str:
    """A sentence for the member; `said`: what the job's script printed."""
    if said:
        return f"It could not be started by Slurm: {said}"
    if listed is not None and listed.state == "CANCELLED":
        return "Slurm had not begun it, and its Slurm job was cancelled."
    return f"It could not be started by Slurm: {listed.state if listed else 'its job is gone'}."

"""Two books side by side: Rota's turns, and the jobs that Slurm recorded for them. Differences are named, never mended.

A turn and a job belong together by the turn's id: in the job's comment `rota <site> <turn>` where Slurm keeps comments
(AccountingStoreFlags=job_comment), else in the job's name `rota.<turn>.<name>`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rota.slurm.records import SlurmRecord

#: Slurm keeps whole seconds, so that each of its times is up to 1 s off; a turn's first sign of life comes 0.7 s after
#: the job (measured with 22.05), and slurmctld sees an end when the node has told it.
TOLERANCE_S = 5.0
TOLERANCE_PART = 0.01  # of a turn's GPU-seconds: what a member would notice in a statement
#: Twice KillWait (slurm.conf(5), 30 s), in which Slurm may still be ending a job: younger ends may not be recorded yet.
SETTLE_S = 60.0

_NAME = re.compile(r"rota\.(\d+\.\d+)\..*", re.ASCII | re.DOTALL)
_COMMENT = re.compile(r"rota ([0-9a-f]{12}) (\d+\.\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class BookedTurn:
    """A turn as Rota's record has it. Times are epoch seconds."""

    id: str
    member: str
    project: str
    nodes: tuple[str, ...]
    gpus: int
    began_at: float | None
    ended_at: float | None
    gpu_s: float
    is_of_slurm: bool  #: its GPUs are of a Slurm fleet


@dataclass(frozen=True, slots=True)
class Window:
    """What is compared: turns and jobs that ended in it. Epoch seconds."""

    since: float
    until: float
    now: float
    book_begins_at: float | None = None  #: Slurm's book has nothing older

    def holds(self, ended_at: float | None) -> bool:
        """Whether an end is in it."""
        return ended_at is not None and self.since <= ended_at < self.until


class Kind(StrEnum):
    """What is wrong, in one word."""

    DIFFERS = "differs"  # both have it, and not the same
    DOUBLE = "double"  # several jobs ran for one turn
    NOT_IN_SLURM = "not in slurm"
    NOT_IN_ROTA = "not in rota"
    OPEN_IN_SLURM = "open in slurm"  # ended in Rota's book alone
    OPEN_IN_ROTA = "open in rota"  # ended in Slurm's book alone


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the books have differently."""

    what: str  #: "begin", "end" (epoch seconds), "gpu_s", "gpus", "nodes", "member"
    rota: float | str | None
    slurm: float | str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One turn, or one job that is no turn's."""

    kind: Kind
    turn: str
    jobs: tuple[str, ...]  #: Slurm's numbers
    member: str
    project: str
    ended_at: float | None
    gpu_s: float  #: in the book that has it; in both: in Rota's
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """GPU-seconds of one project and member in both books."""

    project: str
    member: str
    turns: int
    jobs: int
    rota_gpu_s: float
    slurm_gpu_s: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that was found, and what was not compared."""

    turns: int  #: compared
    findings: tuple[Finding, ...]
    accounts: tuple[Account, ...]
    fresh: int  #: turns that ended just now, which Slurm may not have written down yet
    before_book: int  #: turns that ended before Slurm's book begins
    outside: int  #: turns on GPUs that are not Slurm's
    others: int  #: jobs of another Rota on this cluster
    unmeasured: int  #: jobs that ran without Slurm recording their GPUs: counted with those of the turn


def named_turn(record: SlurmRecord) -> tuple[str | None, str] | None:
    """The site and the turn that a job was submitted for; the site is known from the comment alone."""
    if found := _COMMENT.fullmatch(record.comment.strip()):
        return found[1], found[2]
    found = _NAME.fullmatch(record.name)
    return (None, found[1]) if found else None


def reconcile(
    turns: Collection[BookedTurn], records: Iterable[SlurmRecord], window: Window, site: str | None
) -> Comparison:
    """What the books say of each turn and job that ended in the window. `site`: this Rota's; None: not known."""
    known = {turn.id: turn for turn in turns}
    jobs, others = _by_turn(records, site)
    count = {"fresh": 0, "before_book": 0, "outside": 0}
    findings: list[Finding] = []
    compared: list[tuple[BookedTurn | None, Sequence[SlurmRecord]]] = []
    for turn in known.values():
        runs = jobs.get(turn.id, ())
        if not window.holds(turn.ended_at) and not any(window.holds(run.ended_at) for run in runs):
            continue
        if reason := _not_compared(turn, runs, window):
            count[reason] += 1
            continue
        compared.append((turn, runs))
        if finding := _finding(turn, runs):
            findings.append(finding)
    turns_compared = len(compared)
    for id, runs in jobs.items():
        if id not in known and any(_is_open(run) or window.holds(run.ended_at) for run in runs):
            compared.append((None, runs))
            findings.append(_unknown(id, runs))
    findings.sort(key=lambda finding: (finding.ended_at or window.now, _in_order(finding.turn)))
    unmeasured = sum(run.gpus is None for _, runs in compared for run in runs if run.elapsed_s)
    return Comparison(
        turns_compared, tuple(findings), _accounts(compared), others=others, unmeasured=unmeasured, **count
    )


def _by_turn(records: Iterable[SlurmRecord], site: str | None) -> tuple[Mapping[str, Sequence[SlurmRecord]], int]:
    """This Rota's jobs by turn, and how many are another's."""
    found: dict[str, list[SlurmRecord]] = {}
    others = 0
    for record in records:
        named = named_turn(record)
        if named is None:
            continue
        if site is not None and named[0] not in (None, site):
            others += 1
        else:
            found.setdefault(named[1], []).append(record)
    return found, others


def _not_compared(turn: BookedTurn, runs: Sequence[SlurmRecord], window: Window) -> str | None:
    """Why nothing can be said of a turn yet, or at all."""
    ended_at = max((at for at in (turn.ended_at, *(run.ended_at for run in runs)) if at is not None), default=0.0)
    is_whole = turn.ended_at is not None and bool(runs) and not any(_is_open(run) for run in runs)
    if not is_whole and ended_at > window.now - SETTLE_S:
        return "fresh"
    if runs or turn.ended_at is None:
        return None
    if not turn.is_of_slurm:
        return "outside"
    is_before = window.book_begins_at is not None and turn.ended_at < window.book_begins_at
    return "before_book" if is_before and turn.began_at is not None else None


def _finding(turn: BookedTurn, runs: Sequence[SlurmRecord]) -> Finding | None:
    """What is wrong between a turn and the jobs that ran for it."""
    ran = [run for run in runs if run.started_at is not None]
    numbers = tuple(dict.fromkeys(run.job_id for run in ran or runs))

    def found(kind: Kind, *differences: Difference) -> Finding:
        ended_at = turn.ended_at or max((run.ended_at or 0.0 for run in runs), default=None)
        return Finding(kind, turn.id, numbers, turn.member, turn.project, ended_at, turn.gpu_s, differences)

    is_open = any(_is_open(run) for run in runs)
    if turn.ended_at is None and is_open:
        return found(Kind.DOUBLE) if len(ran) > 1 else None
    if turn.ended_at is None:
        return found(Kind.OPEN_IN_ROTA, Difference("end", None, max(run.ended_at or 0.0 for run in runs)))
    if is_open:
        return found(Kind.OPEN_IN_SLURM, Difference("end", turn.ended_at, None))
    if not ran:
        # A turn that never began may or may not have had a job; neither book charges it.
        return found(Kind.NOT_IN_SLURM) if turn.began_at is not None or turn.gpu_s else None
    differences = tuple(_differences(turn, _nearest(turn, ran), ran))
    if len(ran) > 1:
        return found(Kind.DOUBLE, *differences)
    return found(Kind.DIFFERS, *differences) if differences else None


def _nearest(turn: BookedTurn, ran: Sequence[SlurmRecord]) -> SlurmRecord:
    """The run that is most likely the turn itself: its member's, and nearest to its begin."""
    began_at = turn.began_at or turn.ended_at or 0.0
    return min(ran, key=lambda run: (not _is_member(turn, run), abs((run.started_at or 0.0) - began_at)))


def _differences(turn: BookedTurn, run: SlurmRecord, ran: Sequence[SlurmRecord]) -> Iterable[Difference]:
    for what, ours, theirs in (("begin", turn.began_at, run.started_at), ("end", turn.ended_at, run.ended_at)):
        if ours is not None and theirs is not None and abs(ours - theirs) > TOLERANCE_S:
            yield Difference(what, ours, theirs)
    gpu_s = sum(_gpu_s(one, turn) for one in ran)
    if abs(turn.gpu_s - gpu_s) > max(TOLERANCE_PART * max(turn.gpu_s, gpu_s), TOLERANCE_S * max(turn.gpus, 1)):
        yield Difference("gpu_s", turn.gpu_s, gpu_s)
    if run.gpus is not None and run.gpus != turn.gpus:
        yield Difference("gpus", turn.gpus, run.gpus)
    if run.nodes and set(run.nodes) != set(turn.nodes):
        yield Difference("nodes", ",".join(sorted(turn.nodes)), ",".join(sorted(run.nodes)))
    if strangers := sorted({one.user for one in ran if not _is_member(turn, one)}):
        yield Difference("member", turn.member, ",".join(strangers))


def _unknown(id: str, runs: Sequence[SlurmRecord]) -> Finding:
    """Jobs named after a turn that is not in Rota's book."""
    numbers = tuple(dict.fromkeys(run.job_id for run in runs))
    ended_at = max((run.ended_at for run in runs if run.ended_at is not None), default=None)
    gpu_s = sum(_gpu_s(run, None) for run in runs)
    return Finding(Kind.NOT_IN_ROTA, id, numbers, runs[0].user, runs[0].account, ended_at, gpu_s)


def _accounts(compared: Iterable[tuple[BookedTurn | None, Sequence[SlurmRecord]]]) -> tuple[Account, ...]:
    """Sums by project and member; jobs without a turn stand under Slurm's account and user."""
    sums: dict[tuple[str, str], list[float]] = {}
    for turn, runs in compared:
        whose = (turn.project, turn.member) if turn else (runs[0].account, runs[0].user)
        entry = sums.setdefault(whose, [0, 0, 0.0, 0.0])
        entry[0] += turn is not None
        entry[1] += len({run.job_id for run in runs})
        entry[2] += turn.gpu_s if turn else 0.0
        entry[3] += sum(_gpu_s(run, turn) for run in runs)
    return tuple(
        Account(project, member, int(turns), int(jobs), rota, slurm)
        for (project, member), (turns, jobs, rota, slurm) in sorted(sums.items())
    )


def _gpu_s(run: SlurmRecord, turn: BookedTurn | None) -> float:
    """GPU-seconds of a run; where Slurm did not record its GPUs, with as many as the turn had."""
    gpus = run.gpus if run.gpus is not None else turn.gpus if turn else 0
    return run.elapsed_s * gpus


def _is_open(run: SlurmRecord) -> bool:
    """Whether it runs, or waits in Slurm, now."""
    return run.ended_at is None


def _is_member(turn: BookedTurn, run: SlurmRecord) -> bool:
    """Whether it ran as the turn's member. Rota calls an account without a name uid1234, Slurm 1234."""
    return not run.user or run.user in (turn.member, turn.member.removeprefix("uid"))


def _in_order(turn: str) -> tuple[int, ...]:
    return tuple(int(part) for part in turn.split("."))

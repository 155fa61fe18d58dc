"""One future: the live policy decides, in a virtual clock, over jobs whose lengths are taken to be known to it alone.

The policy sees no more than it would: estimates, and what running jobs come to report.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from rota.domain.estimates import Estimate, Source
from rota.domain.jobs import AfterTurn, Job, JobState
from rota.domain.turns import Turn, TurnState
from rota.forecast.never import never_served
from rota.forecast.usage_ahead import UsageAhead
from rota.policy.decide import Decision, decide
from rota.policy.rank import ShortRemaindersFirst
from rota.policy.standing import Standing
from rota.policy.values import Begin, Snapshot

#: In a future, progress tells how long a job takes once it has run so long and so much of it: as in a replay
#: (simulate/replay/information.py). Live it is believed from one percent on (durations.py).
LEAST_REPORT_S, LEAST_REPORT_PART = 60.0, 0.05
#: What lies further ahead is seen less sharply: the policy is asked again after this part of the time gone by, times
#: the jobs there are, and the longer a future has gone on the less often. Turns then begin when their GPUs became free,
#: so that nothing idles between two looks.
LOOK_PART_A_JOB, MOST_LOOK_PART = 6e-5, 0.05
LAST_LOOK_PART = 0.1
#: With so many jobs, not more often than this part of a quantum either.
MANY_JOBS, LEAST_LOOK_QUANTA = 200, 0.125
#: A future goes on for so many looks, and for so many turns and new jobs for each present job.
MOST_LOOKS, EVENTS_A_JOB, LEAST_EVENTS = 300, 4, 1000


class Fate(NamedTuple):
    """What nobody knows of a job yet."""

    total_s: float  #: run time, all its turns together
    reports: bool  #: it tells how far it is


class Coming(NamedTuple):
    """A job that is not there yet."""

    job: Job
    estimate: Estimate | None  #: what is believed of it when it comes
    fate: Fate


class Start:
    """What all futures of one moment have in common."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.jobs = {job.id: job for job in snapshot.jobs}
        self.turns = {turn.job: turn for turn in snapshot.turns if turn.job in self.jobs}
        self._ranking = ShortRemaindersFirst(snapshot.rules)
        self._list = Standing.of(replace(snapshot, turns=()), self._ranking)
        self._running = replace(snapshot, jobs=tuple([self.jobs[job] for job in self.turns]))
        self.never = never_served(snapshot, self._list.bays)

    def standing(self) -> Standing:
        """One that a future may change."""
        standing = Standing.of(self._running, self._ranking)
        standing.line_up_as(self._list)
        return standing


@dataclass(slots=True)
class Way:
    """What one future is made of."""

    saves_s: Callable[[Job], float]  #: from the notice of a turn's end to free GPUs
    repeats_s: float  #: work that is done twice after a stop
    fate_of: Callable[[int], Fate]  #: of the jobs that are there
    coming: Iterator[Coming] = field(default_factory=lambda: iter(()))  #: in the order of their submit


@dataclass(slots=True)
class Told:
    """What came, by job. Epoch seconds."""

    begins: dict[int, float] = field(default_factory=dict)  #: of the first turn from now on
    finishes: dict[int, float] = field(default_factory=dict)
    tiers: dict[int, str] = field(default_factory=dict)  #: of that turn
    until: float = 0.0  #: so far ahead was looked
    is_at_an_end: bool = False  #: nothing would ever happen after that


@dataclass(slots=True)
class _Run:
    """One job on its way."""

    job: Job
    fate: Fate
    left_s: float  #: useful work, on the fastest tier
    turn: Turn | None = None
    useful_from: float = 0.0
    speed: float = 1.0
    was_stopped: bool = False
    number: int = 0  #: events of earlier turns are void
    had_left_s: float = 0.0  #: at the start


class Future:
    """Everything about one future. `run()` once."""

    def __init__(self, start: Start, way: Way) -> None:
        self._start, self._snapshot, self._way, self.at = start, start.snapshot, way, start.snapshot.at
        rules, tiers = start.snapshot.rules, start.snapshot.tiers
        self._standing = start.standing()
        fastest = max((rules.speeds.get(tier, 1.0) for tier in tiers), default=1.0)
        self._speeds = {tier: rules.speeds.get(tier, 1.0) / fastest for tier in tiers}
        self._told = Told()
        self._events: list[tuple[float, int, int, int]] = []  # (when, what, job, number of its turn)
        self._next = next(way.coming, None)
        self._looked_at = self.at
        self._free_since: dict[str, float] = {}  # by GPU
        self._blocked = {job: set(unmet) for job, unmet in start.snapshot.is_blocked_by.items()}
        self._unblocked_at: dict[int, float] = {}
        self._usage = UsageAhead(start.snapshot)
        self._runs: dict[int, _Run] = {}  # of all that have begun
        self._begun = self._came = 0  # turns, new jobs
        for job, turn in start.turns.items():
            self._take(start.jobs[job], turn)

    def run(self, wanted: Collection[int], *, wants_finish: bool) -> Told:
        """Until it is known when each of these begins (and finishes), or it has gone on for long enough."""
        told = self._told
        open_jobs = set(wanted) - self._start.never
        waiting = open_jobs - self._start.turns.keys()
        most_events = EVENTS_A_JOB * len(self._start.jobs) + LEAST_EVENTS
        for looks in range(MOST_LOOKS):
            look_again_at = self._decide()
            waiting.difference_update(told.begins)
            open_jobs.difference_update(told.finishes)
            if not waiting and not (wants_finish and open_jobs):
                break
            if self._begun > most_events or self._came > most_events:
                break
            next_at = min(self._next_at(), look_again_at)
            if next_at == math.inf:
                told.is_at_an_end = True
                break
            self._go_on_until(max(next_at, self.at + self._rest_s(looks)))
        told.until = self.at
        if wants_finish:
            self._expect_finishes(open_jobs - told.finishes.keys())
        return told

    def _rest_s(self, looks: int) -> float:
        jobs, passed_s = len(self._start.jobs), self.at - self._snapshot.at
        least_s = LEAST_LOOK_QUANTA * self._snapshot.rules.quantum_s if jobs >= MANY_JOBS else 0.0
        part = min(LOOK_PART_A_JOB * jobs, MOST_LOOK_PART) + LAST_LOOK_PART * (looks / MOST_LOOKS) ** 2
        return max(part * passed_s, least_s)

    def _next_at(self) -> float:
        arrival_at = self._next.job.submitted_at if self._next is not None else math.inf
        return min(self._events[0][0] if self._events else math.inf, arrival_at)

    def _go_on_until(self, at: float) -> None:
        """Everything that happens up to then, each at its time."""
        while self._events and self._events[0][0] <= at:
            self.at, *event = heapq.heappop(self._events)
            self._happen(*event)
        while self._next is not None and self._next.job.submitted_at <= at:
            self._come(self._next)
            self._next = next(self._way.coming, None)
        self.at = at

    def _come(self, new: Coming) -> None:
        job = new.job
        self._came += 1
        self._runs[job.id] = _Run(job, new.fate, new.fate.total_s)
        if new.estimate is not None:
            self._standing.know(job.id, new.estimate)
        self._standing.add(job)

    def _expect_finishes(self, jobs: Collection[int]) -> None:
        """Those that are not done by now go on as they came along so far."""
        passed_s = self.at - self._snapshot.at
        for job in jobs:
            run = self._runs.get(job)
            if run is None:
                continue  # it never began
            left_s = run.left_s
            if run.turn is not None:
                left_s -= max(self.at - run.useful_from, 0.0) * run.speed
            if run.had_left_s > left_s:
                self._told.finishes[job] = self.at + max(left_s, 0.0) * passed_s / (run.had_left_s - left_s)

    # --- at the start ----------------------------------------------------------------------------

    def _run_of(self, job: Job, ran_s: float) -> _Run:
        fate = self._way.fate_of(job.id)
        left_s = max(fate.total_s - ran_s, 1.0)
        run = self._runs[job.id] = _Run(job, fate, left_s, was_stopped=job.turns > 0, had_left_s=left_s)
        return run

    def _take(self, job: Job, turn: Turn) -> None:
        """A turn that is there."""
        run = self._run_of(job, job.attained_gpu_s / job.request.gpus + self.at - turn.granted_at)
        run.turn, run.speed, run.useful_from = turn, self._speeds.get(turn.tier, 1.0), self.at
        self._usage.begin(job, turn)
        if turn.state is TurnState.ENDING:
            self._push(self.at + self._way.saves_s(job), _STOPPED, run)
        else:
            self._expect(run)

    def _expect(self, run: _Run) -> None:
        """When the present turn would finish its job, or show how long it is."""
        self._push(run.useful_from + run.left_s / run.speed, _FINISHED, run)
        job, standing = run.job, self._standing
        known = standing.estimates.get(job.id)
        if run.fate.reports and not (known and known.is_measured):
            total_s = run.fate.total_s
            done_s = total_s - run.left_s
            shown_s = max(LEAST_REPORT_PART * total_s, LEAST_REPORT_S)
            if done_s < shown_s < total_s:
                self._push(run.useful_from + (shown_s - done_s) / run.speed, _REPORTS, run)

    def _push(self, at: float, what: int, run: _Run) -> None:
        heapq.heappush(self._events, (at, what, run.job.id, run.number))

    # --- what happens ----------------------------------------------------------------------------

    def _happen(self, what: int, job: int, number: int) -> None:
        run = self._runs.get(job)
        if run is None or run.turn is None or run.number != number:
            return
        if what == _REPORTS:
            self._standing.know(job, Estimate(run.fate.total_s, Source.PROGRESS))
        elif what == _FINISHED:
            self._finish(run)
        else:
            self._leave(run)

    def _finish(self, run: _Run) -> None:
        job = run.job
        self._end_turn(run)
        self._standing.forget(job.id)
        del self._runs[job.id]
        self._told.finishes[job.id] = self.at
        for blocked, unmet in list(self._blocked.items()):
            unmet.discard(job.id)
            if not unmet:
                del self._blocked[blocked]
                self._unblocked_at[blocked] = self.at
                self._standing.add(self._start.jobs[blocked])

    def _leave(self, run: _Run) -> None:
        """A stopped turn's GPUs are free, and the job is on the list again, unless it is over or to be held."""
        turn, job = run.turn, run.job
        assert turn is not None, "only a turn is stopped"
        if job.after_turn is AfterTurn.CANCEL or not job.request.is_resumable:
            self._finish(run)
            return
        if job.after_turn is AfterTurn.HOLD:
            self._end_turn(run)
            del self._runs[job.id]
            return
        run.left_s = max(run.left_s - max(self.at - run.useful_from, 0.0) * run.speed, 1.0)
        self._end_turn(run)
        attained_gpu_s = job.attained_gpu_s + (self.at - turn.granted_at) * len(turn.gpus)
        run.job = job = Job(
            job.id, "", job.member, job.project, job.request, job.submitted_at, JobState.WAITING, self.at,
            max(job.turns, turn.number), attained_gpu_s, saving_interval_s=job.saving_interval_s,
        )  # fmt: skip
        run.was_stopped = True
        known = self._standing.estimates.get(job.id)
        if known is not None and known.is_measured:
            self._standing.know(job.id, Estimate(attained_gpu_s / job.request.gpus + run.left_s, Source.PROGRESS))
        self._standing.add(job)

    def _end_turn(self, run: _Run) -> None:
        assert run.turn is not None, "only a running job's turn can end"
        self._standing.end(run.turn.id, self.at)
        self._free_since.update(dict.fromkeys(run.turn.gpus, self.at))
        self._usage.end(run.job, run.turn, self.at)
        run.turn = None

    # --- decisions -------------------------------------------------------------------------------

    def _decide(self) -> float:
        """What the policy says now is done; when it is to be asked again."""
        standing = self._standing
        while True:
            self._usage.tell(standing, self.at)
            decision: Decision = decide(standing, self.at)
            for begin in decision.begins:
                self._begin(begin)
            is_free_at_once = False
            for end in decision.ends:
                run = self._runs[standing.running[end.turn].job.id]
                is_free_at_once |= self._stop(run)
            if not is_free_at_once:
                break
        self._looked_at = self.at
        return math.inf if decision.look_again_at is None else decision.look_again_at

    def _begin(self, begin: Begin) -> None:
        run = self._runs.get(begin.job)
        if run is None:
            job = self._start.jobs[begin.job]
            run = self._run_of(job, job.attained_gpu_s / job.request.gpus)
        free_at = max(self._free_since.get(gpu, 0.0) for gpu in begin.gpus)
        may_since = max(run.job.waiting_since, self._unblocked_at.get(begin.job, 0.0))
        at = min(max(free_at, self._looked_at, may_since), self.at)
        late_s = self.at - at
        self._begun += 1
        self._told.begins.setdefault(begin.job, at)
        self._told.tiers.setdefault(begin.job, begin.tier)
        number = run.job.turns + 1
        turn = Turn(
            f"{begin.job}.{number}", begin.job, number, begin.gpus, begin.node, begin.tier, at,
            begin.guaranteed_until - late_s, None if begin.limit_at is None else begin.limit_at - late_s,
            TurnState.RUNNING, at,
        )  # fmt: skip
        self._standing.remove(run.job)
        self._standing.begin(turn, run.job)
        self._usage.begin(run.job, turn, self.at)
        run.turn, run.number = turn, run.number + 1
        run.useful_from = at + (self._way.repeats_s if run.was_stopped else 0.0)
        run.speed = self._speeds.get(begin.tier, 1.0)
        self._expect(run)

    def _stop(self, run: _Run) -> bool:
        """The turn is told to end; says whether its GPUs are free at once."""
        assert run.turn is not None, "only a turn is stopped"
        saves_s = self._way.saves_s(run.job) if run.job.request.is_resumable else 0.0
        if saves_s <= 0:
            self._leave(run)
            return True
        self._standing.notice(run.turn.id)
        self._push(self.at + saves_s, _STOPPED, run)
        return False


#: What an event is about; at the same moment, in this order.
_FINISHED, _STOPPED, _REPORTS = 0, 1, 2

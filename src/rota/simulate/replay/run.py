"""One trace under one policy, event by event in a virtual clock.

The policy sees jobs, turns and estimates as it would see them live; only the engine is missing: a turn ends the moment
it is told to, and the job pays for it with work done twice when it comes back.
"""

from __future__ import annotations

import gc
import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from rota.domain.estimates import Estimate, Source
from rota.domain.gpus import Fleet
from rota.domain.jobs import Job, JobState, Request
from rota.domain.turns import Turn, TurnState
from rota.ledger.credit import Asks, Credits, Entitlement
from rota.ledger.usage import Account, Accounts
from rota.policy.contract import Policy
from rota.policy.quantum import Pace
from rota.policy.standing import Standing
from rota.policy.values import Begin, Rules
from rota.simulate.replay.information import Information, Knowledge, knowledge_of
from rota.simulate.replay.values import PastJob, PastTurn, Trace, TraceJob

#: What a preemption costs the job in repeated work, seconds: up to 8 GPUs and above (the figures that Lucid's authors
#: use, ASPLOS 2023; Tiresias measured 62 s on average).
COST_S, WIDE_COST_S, WIDE_GPUS = 40.0, 60.0, 8
#: Progress is told so often, in finished jobs.
TOLD_EVERY = 500


@dataclass(slots=True)
class _Run:
    """One job on its way."""

    past: TraceJob
    job: Job
    knowledge: Knowledge
    done_s: float = 0.0  #: useful work, in seconds on the fastest tier of the fleet
    turn: Turn | None = None
    useful_from: float = 0.0  #: when the present turn's repeated work is over
    speed: float = 1.0
    first_turn_s: float = -1.0
    turns: int = 0
    was_stopped: bool = False


class Replay:
    """Everything about one replay. `run()` does it."""

    def __init__(
        self,
        trace: Trace,
        fleet: Fleet,
        policy: Policy,
        information: Information,
        rules: Rules,
        *,
        seed: int,
        pace: Pace | None,
        keeps_turns: bool,
        on_progress: Callable[[int], None],
    ) -> None:
        self._trace, self._policy, self._information, self._seed = trace, policy, information, seed
        self._pace, self._keeps_turns, self._on_progress = pace, keeps_turns, on_progress
        if pace is not None:
            rules = replace(rules, quantum_s=pace.quantum_s)
        self.rules = rules
        self._fleet = fleet
        nodes = {node.name: node for node in fleet.nodes}
        self.standing = Standing(nodes, fleet.gpus, fleet.tiers, rules, policy.ranking(rules))
        self._labels = {gpu.uuid: gpu.label for gpu in fleet.gpus}
        self._speeds = _speeds(fleet, rules)
        self._runs: dict[int, _Run] = {}
        self._requests: dict[tuple[object, ...], Request] = {}  # a trace asks for the same few things again and again
        # When a turn would finish its job, or show how long it is: (at, job, turn number). Neither is ever empty.
        self._ends: list[tuple[float, int, int]] = [(_NEVER, 0, 0)]
        self._learns: list[tuple[float, int, int]] = [(_NEVER, 0, 0)]
        self._accounts = Accounts(rules.half_life_s)
        self._credits = Credits(rules.half_life_s)
        self._has_accounts = len({(job.project, job.member) for job in trace.jobs}) > 1
        self._past: dict[int, PastJob] = {}
        self._turns: list[PastTurn] = []
        self.cost_gpu_s = 0.0
        self.spent_gpu_s = 0.0
        self.at = 0.0

    def run(self) -> tuple[dict[int, PastJob], list[PastTurn]]:
        """Until every job has finished. Raises ValueError when the fleet cannot serve one of them."""
        gc.disable()  # nothing here refers to itself, and looking for what does takes a tenth of the time
        try:
            return self._run()
        finally:
            gc.enable()

    def _run(self) -> tuple[dict[int, PastJob], list[PastTurn]]:
        arrivals, position, count = self._trace.jobs, 0, len(self._trace.jobs)
        next_arrival_s, look_again_at = arrivals[0].submit_s if arrivals else _NEVER, _NEVER
        ends, learns = self._ends, self._learns
        while len(self._past) < count:
            at = self.at = min(next_arrival_s, ends[0][0], learns[0][0], look_again_at)
            if at == _NEVER:
                raise ValueError(f"{count - len(self._past)} jobs never get a turn on this fleet")
            is_news = look_again_at <= at
            while ends[0][0] <= at:
                _, job, number = heapq.heappop(ends)
                is_news |= self._finish(job, number)
            while next_arrival_s <= at:
                self._submit(arrivals[position])
                position, is_news = position + 1, True
                next_arrival_s = arrivals[position].submit_s if position < count else _NEVER
            while learns[0][0] <= at:
                _, job, number = heapq.heappop(learns)
                is_news |= self._learn(job, number)
            if is_news:
                look_again_at = self._decide()
        return self._past, self._turns

    # --- what happens -----------------------------------------------------------------------------

    def _submit(self, past: TraceJob) -> None:
        wanted = past.gpus, past.tiers, past.is_resumable, past.time_s
        request = self._requests.get(wanted)
        if request is None:
            checkpoint = "/checkpoint" if past.is_resumable else None
            request = Request(past.gpus, tiers=past.tiers, checkpoint=checkpoint, time_s=past.time_s)
            self._requests[wanted] = request
        at = self.at
        job = Job(past.id, "", past.member, past.project, request, at, JobState.WAITING, at)
        knowledge = knowledge_of(past, self._information, self._seed)
        self._runs[past.id] = _Run(past, job, knowledge)
        if knowledge.at_submit is not None:
            self.standing.know(job.id, knowledge.at_submit)
        self.standing.add(job)

    def _finish(self, job: int, number: int) -> bool:
        run = self._runs.get(job)
        if run is None or run.turn is None or run.turns != number:
            return False  # the end that a stopped turn would have had
        self._close_turn(run, is_preempted=False)
        self.standing.forget(job)
        del self._runs[job]
        self._past[job] = PastJob(run.past, run.first_turn_s, self.at, run.turns)
        if len(self._past) % TOLD_EVERY == 0:
            self._on_progress(len(self._past))
        return True

    def _learn(self, job: int, number: int) -> bool:
        """Progress tells how long the job takes; that matters at once only to a turn that competes."""
        run = self._runs.get(job)
        if run is None or run.turn is None or run.turns != number:
            return False
        ran_s = run.job.attained_gpu_s / run.past.gpus + self.at - run.turn.granted_at
        self._tell_progress(run, ran_s, run.knowledge.learnt_total_s - self._useful_s(run))
        return run.turn.id in self.standing.open and self.standing.somebody_waits

    def _tell_progress(self, run: _Run, ran_s: float, left_s: float) -> None:
        self.standing.know(run.past.id, Estimate(ran_s + max(left_s, 0.0), Source.PROGRESS))

    def _useful_s(self, run: _Run) -> float:
        return run.done_s + max(self.at - run.useful_from, 0.0) * run.speed

    def _close_turn(self, run: _Run, is_preempted: bool) -> None:
        turn = run.turn
        assert turn is not None, "only a running job's turn can end"
        self.standing.end(turn.id, self.at)
        if self._has_accounts:
            gpus = len(turn.gpus) * self.rules.tier_weights.get(turn.tier, 1.0)
            self._accounts.add((run.past.project, run.past.member), gpus, turn.granted_at, self.at)
        if self._keeps_turns:
            labels = tuple([self._labels[gpu] for gpu in turn.gpus])
            self._turns.append(PastTurn(run.past.id, labels, turn.granted_at, self.at, is_preempted))
        spent_gpu_s = (self.at - turn.granted_at) * len(turn.gpus)
        cost_gpu_s = (min(run.useful_from, self.at) - turn.granted_at) * len(turn.gpus)
        self.cost_gpu_s, self.spent_gpu_s = self.cost_gpu_s + cost_gpu_s, self.spent_gpu_s + spent_gpu_s
        if self._pace is not None:
            self._pace.count(cost_gpu_s, spent_gpu_s)

    def _stop(self, run: _Run) -> None:
        """A turn ends because somebody else's has come: back on the list."""
        turn = run.turn
        assert turn is not None, "only a running job's turn can be stopped"
        self._close_turn(run, is_preempted=True)
        run.done_s = self._useful_s(run)
        attained = run.job.attained_gpu_s + (self.at - turn.granted_at) * run.past.gpus
        run.turn, run.was_stopped = None, True
        job = run.job
        run.job = Job(
            job.id, "", job.member, job.project, job.request, job.submitted_at, JobState.WAITING, self.at, run.turns,
            attained,
        )  # fmt: skip
        if (estimate := self.standing.estimates.get(run.past.id)) and estimate.is_measured:
            is_noisy = self._information is Information.NOISY
            total_s = run.knowledge.learnt_total_s if is_noisy else run.past.duration_s
            self._tell_progress(run, attained / run.past.gpus, total_s - run.done_s)
        self.standing.add(run.job)

    # --- decisions --------------------------------------------------------------------------------

    def _decide(self) -> float:
        """Ask the policy until it has nothing more to say about this moment; when it wants to be asked again."""
        if self._pace is not None and self._pace.is_due(self.at):
            self._change_pace()
        while True:
            if self._has_accounts:
                self._tell_usage()
            decision = self._policy.decide(self.standing, self.at)
            for begin in decision.begins:
                self._begin(begin)
            for end in decision.ends:
                self._stop(self._runs[self.standing.running[end.turn].job.id])
            if not decision.ends:
                return _NEVER if decision.look_again_at is None else decision.look_again_at

    def _begin(self, begin: Begin) -> None:
        run = self._runs[begin.job]
        past, at = run.past, self.at
        run.turns += 1
        if run.turns == 1:
            run.first_turn_s = at
        turn = Turn(
            f"{past.id}.{run.turns}", past.id, run.turns, begin.gpus, begin.node, begin.tier, at,
            begin.guaranteed_until, begin.limit_at, TurnState.RUNNING, at,
        )  # fmt: skip
        self.standing.remove(run.job)
        self.standing.begin(turn, run.job)
        cost_s = (COST_S if past.gpus <= WIDE_GPUS else WIDE_COST_S) if run.was_stopped else 0.0
        run.turn, run.useful_from, run.speed = turn, at + cost_s, self._speeds[begin.tier]
        run.was_stopped = False
        finish_at = run.useful_from + (past.duration_s - run.done_s) / run.speed
        heapq.heappush(self._ends, (finish_at, past.id, run.turns))
        learnt_after_s = run.knowledge.learnt_after_s
        if learnt_after_s is not None and run.done_s < learnt_after_s < past.duration_s:
            learns_at = run.useful_from + (learnt_after_s - run.done_s) / run.speed
            heapq.heappush(self._learns, (learns_at, past.id, run.turns))

    def _tell_usage(self) -> None:
        """Usage by project and member, as the daemon would sum it up."""
        standing = self.standing
        weights = self.rules.tier_weights
        running = [
            ((r.job.project, r.job.member), len(r.turn.gpus) * weights.get(r.turn.tier, 1.0), r.turn.granted_at)
            for r in standing.running.values()
        ]
        by_project, by_member = self._accounts.usage(running, self.at)
        held: Counter[Account] = Counter()
        for one in standing.running.values():
            held[one.job.project, one.job.member] += one.gpus
        waiting = {account for account, line in standing.lines.items() if line}
        asks = {account: Asks(account in waiting, held[account]) for account in held.keys() | waiting}
        entitlement = Entitlement(self.rules.credit_s, len(self._fleet.gpus), self.rules.project_weights)
        standing.project_usage_gpu_s, standing.member_usage_gpu_s = self._credits.counted(
            by_project, by_member, asks, entitlement, self.at
        )

    def _change_pace(self) -> None:
        assert self._pace is not None, "only asked with a pace"
        if self._pace.adapt(self.at):
            self.rules = replace(self.rules, quantum_s=self._pace.quantum_s)
            self.standing.change_rules(self.rules, self._policy.ranking(self.rules))


_NEVER = float("inf")


def _speeds(fleet: Fleet, rules: Rules) -> dict[str, float]:
    """By tier, against the fastest of this fleet: a trace's run times are taken to be those on it."""
    fastest = max((rules.speeds.get(tier, 1.0) for tier in fleet.tiers), default=1.0)
    return {tier: rules.speeds.get(tier, 1.0) / fastest for tier in fleet.tiers}

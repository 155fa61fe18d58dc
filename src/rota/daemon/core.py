"""The daemon without its event loop: three verbs that take the time and do one whole step each.

`recover` once, then `hear` for what people ask and `advance` for everything else. The asyncio service, and the
deterministic simulation with its virtual clock, drive exactly this object.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from rota.daemon.books import Books, Draft
from rota.daemon.carry_out import end_order, start_order, write_plan, write_wishes
from rota.daemon.commands import Answer, Command
from rota.daemon.compared import Compared
from rota.daemon.expected import Expected
from rota.daemon.forecasting.orders import Told
from rota.daemon.forecasts import Forecasts
from rota.daemon.happenings import fail_followers, write_events
from rota.daemon.history import past_turns
from rota.daemon.intake import take
from rota.daemon.laboratory import Laboratory
from rota.daemon.measured import Measured
from rota.daemon.promises import Promises
from rota.daemon.received import Received
from rota.daemon.snapshot import take_snapshot
from rota.domain.gpus import Condition
from rota.domain.jobs import AfterTurn
from rota.domain.turns import Turn, TurnState
from rota.engines.contract import Engine, EngineEvent, Progressed, Saved, StartOrder
from rota.errors import EngineUnavailable, NotLeader, RotaError, StoreUnavailable
from rota.policy.follow import Follower
from rota.policy.values import Plan, Rules, Snapshot
from rota.store.contract import Entries

log = structlog.get_logger()

SHORTEST_REST_S = 0.05  # a plan that asks for the present moment again does not spin the loop
BOARD_PAST_S = 12 * 3600.0  # ended turns that the board shows after a restart
RETRY_S = 2.0  # how soon a store or engine that did not answer is tried again
NOTES_REST_S = 5.0  # saves and progress alone are worth a new plan this often: jobs may report every second


@dataclass(slots=True)
class Core:
    """One daemon's state between two steps. All can be had again from the store but credits and compared tiers."""

    laboratory: Laboratory
    engine: Engine
    books: Books = field(default_factory=Books)
    received: Received = field(default_factory=Received)
    expected: Expected = field(default_factory=Expected)
    measured: Measured = field(init=False)
    compared: Compared = field(init=False)
    forecasts: Forecasts = field(default_factory=Forecasts)
    snapshot: Snapshot | None = None  #: what the latest plan was made from
    trouble: dict[str, str] = field(default_factory=dict)  #: "store" or "engine" -> sentence, while it lasts
    _follower: Follower = field(default_factory=Follower)
    _decided: Plan = field(default_factory=Plan)  #: what to do, without anybody's reason
    _explained: Plan | None = None
    _planned_at: float = -math.inf
    _is_stale: bool = True  #: whether something was recorded since the latest plan
    _unrecorded: list[EngineEvent] = field(default_factory=list)
    _to_adopt: dict[str, bool] = field(default_factory=dict)  #: of a daemon before; had they begun?
    _to_start: dict[str, None] = field(default_factory=dict)  #: granted turns that the engine does not know yet
    _to_end: dict[str, str] = field(default_factory=dict)  #: ending turns that the engine does not know yet, and why

    def __post_init__(self) -> None:
        laboratory = self.laboratory
        self.measured = Measured.from_history(laboratory.quantum_bounds, ())
        self.compared = Compared(laboratory.fleet, laboratory.rules.speeds)

    @property
    def rules(self) -> Rules:
        """The rules in force: the settings, and what was measured."""
        speeds = {tier: known.speed for tier, known in self.compared.speeds.items()}
        return self.laboratory.rules_in_force(self.books.projects, self.measured.pace.quantum_s, speeds)

    @property
    def plan(self) -> Plan:
        """The latest plan, with everybody's reason to wait: worked out when somebody asks."""
        if self._explained is None and self.snapshot is not None:
            self._explained = self._follower.plan(self.snapshot)
        return self._explained or self._decided

    @property
    def decided(self) -> Plan:
        """The latest plan as it was decided and recorded, without anybody's reason to wait."""
        return self._decided

    def usage_by_project(self, at: float) -> dict[str, float]:
        """What each project has received lately, as it is: in the snapshot, credits are counted as well."""
        by_project, _ = self.received.usage(self.books, at)
        return by_project

    # --- recover --------------------------------------------------------------------------------

    def recover(self, at: float) -> None:
        """Take up everything that an earlier daemon left: its running turns, those half begun or half ended."""
        self.books = Books.from_store(self.laboratory.store.remember())
        self.books.recall(self.laboratory.store, at - BOARD_PAST_S)
        self.expected = Expected.from_store(self.laboratory.store, self.books.jobs.values())
        self.forecasts = Forecasts(Promises.from_store(self.laboratory.store, self.books.jobs.keys(), at))
        self.weigh_anew(at)
        for turn in self.books.turns.values():
            self._to_adopt[turn.id] = turn.began_at is not None
            if turn.state is TurnState.ENDING:
                self._to_end[turn.id] = "the turn was ending when Rota was restarted"

    def weigh_anew(self, at: float) -> None:
        """Sum up the past again: after a restart, or after settings such as half-life or quantum were changed."""
        history = past_turns(self.laboratory, at)
        self.received = Received.from_history(self.laboratory, history)
        self.measured = Measured.from_history(self.laboratory.quantum_bounds, history)
        self.compared.restate(self.laboratory.rules.speeds)
        self.forecasts.news += 1
        self._is_stale = True

    # --- hear -----------------------------------------------------------------------------------

    def hear(self, commands: Sequence[Command], at: float) -> list[Answer | RotaError]:
        """Do what people ask, all in one durable transaction; each gets an answer or an error of its own.

        When this returns, what was answered is recorded. A store that fails answers everybody with its error.
        """
        draft = Draft(self.books)
        answers: list[Answer | RotaError] = []
        for command in commands:
            try:
                answers.append(take(command, draft, self.laboratory, at))
            except RotaError as refused:
                answers.append(refused)
        try:
            self._record(draft)
        except RotaError as failed:
            return [answer if isinstance(answer, RotaError) else failed for answer in answers]
        return answers

    # --- advance --------------------------------------------------------------------------------

    def advance(self, at: float) -> float | None:
        """One step: events, snapshot, plan, record, apply. Returns when to come again without an event.

        Raises NotLeader when another daemon leads; nothing was done then.
        """
        self.trouble.pop("store", None)
        try:
            self.laboratory.store.assure_leading()
            is_worth_a_plan = self._take_events(at)
            if not is_worth_a_plan and (rests_until := self._rests_until(at)) is not None:
                return rests_until
            # A turn that is granted now could not begin, and its time would run all the same.
            if not self.engine.trouble():
                self._decide(at)
        except NotLeader:
            raise
        except RotaError as failed:
            self.trouble["store"] = str(failed)
            return at + RETRY_S
        self._apply()
        if "engine" in self.trouble:
            return at + RETRY_S
        again = self._decided.look_again_at
        return None if again is None else max(again, at + SHORTEST_REST_S)

    def _take_events(self, at: float) -> bool:
        """Record what the engine reports. What could not be recorded is kept and taken up again.

        Says whether there was something else than notes (saves and progress), or nothing: then it is time to plan.
        """
        self._unrecorded.extend(self.engine.events())
        draft = Draft(self.books)
        for told in write_events(self._unrecorded, self.books, draft):
            self.expected.hear(told.event, told.turn, told.job, self.compared.against_fastest(told.turn.tier))
            self.compared.hear(told.event, told.turn)
        fail_followers(draft, at)
        write_wishes(draft, at)
        self._record(draft)
        notes = [event for event in self._unrecorded if isinstance(event, Saved | Progressed)]
        is_worth_a_plan = not notes or len(notes) < len(self._unrecorded)
        self._unrecorded.clear()
        return is_worth_a_plan

    def _rests_until(self, at: float) -> float | None:
        """When notes alone had better be looked at; None: now."""
        if self._is_stale or "engine" in self.trouble:
            return None
        rests_until = min(self._planned_at + NOTES_REST_S, self._decided.look_again_at or math.inf)
        return rests_until if self._planned_at <= at < rests_until else None

    def _decide(self, at: float) -> None:
        """Ask the policy and record its decisions before any of them is carried out."""
        self.snapshot = take_snapshot(self.books, self.laboratory, self.received, self.expected, self.rules, at)
        self.forecasts.pictured = self.forecasts.news
        self._decided, self._explained = self._follower.plan(self.snapshot, wants_reasons=False), None
        draft = Draft(self.books)
        write_plan(self._decided, draft, at)
        self._record(draft)
        self._planned_at, self._is_stale = at, False

    def _record(self, draft: Draft) -> None:
        entries = draft.entries()
        if not entries:
            return
        entries = replace(entries, promises=self.forecasts.promises.settled(entries, self.books))
        self.laboratory.store.record(entries)
        self._owe(entries)
        self.forecasts.take_over(entries, self.books)
        self.books.take_over(entries)
        self._learn(entries, draft)
        self._is_stale = True
        for step in entries.transitions:
            log.info("step", subject=step.subject, id=step.id, before=step.before, after=step.after, why=step.reason)

    def _learn(self, entries: Entries, draft: Draft) -> None:
        """What follows from turns and jobs that have ended."""
        self.received.take_over(entries, draft)
        self.expected.take_over(entries)
        self.compared.take_over(entries)
        for change in self.measured.count(sorted(entries.turns, key=lambda turn: turn.ended_at or 0.0)):
            log.info("quantum", before_s=change.before_s, after_s=change.after_s, cost_part=round(change.cost_part, 4))

    def _owe(self, entries: Entries) -> None:
        """Remember what the engine has to be told about these changes."""
        whys = {step.id: json.dumps(step.reason.to_dict()) for step in entries.transitions if step.subject == "turn"}
        for turn in entries.turns:
            known = self.books.turns.get(turn.id)
            if turn.state is TurnState.GRANTED and known is None:
                self._to_start[turn.id] = None
            elif turn.state is TurnState.ENDING and turn.id in whys:
                self._to_end[turn.id] = whys[turn.id]
        # A turn that is ending politely ends at once when it is cancelled or its GPU fails meanwhile.
        cancelled = {job.id for job in entries.jobs if job.after_turn is AfterTurn.CANCEL}
        failed = {mark.gpu for mark in entries.marks if mark.condition is Condition.FAILED}
        for turn in self.books.turns.values():
            if turn.state is TurnState.ENDING and (turn.job in cancelled or not failed.isdisjoint(turn.gpus)):
                self._to_end[turn.id] = ""

    # --- forecasts ------------------------------------------------------------------------------

    def take_forecasts(self, found: Mapping[int, Told], snapshot: Snapshot) -> None:
        """Forecasts that were made from this snapshot, while the daemon went on. Raises StoreUnavailable."""
        promises = self.forecasts.promises.new(found, snapshot, self.books)
        if promises:
            entries = Entries(promises=promises)
            self.laboratory.store.record(entries)
            self.forecasts.take_over(entries, self.books)
        self.forecasts.arrived(found, promises, snapshot, self.books)
        self.books.version += 1

    # --- apply ----------------------------------------------------------------------------------

    def _apply(self) -> None:
        """Tell the engine. What it could not take is told again later; nothing is forgotten meanwhile.

        The lead is made sure of before each word, and not once: a daemon that wakes from a long freeze in the midst of
        this says at most the one word that was on its tongue (docs/failover.md).
        """
        self.trouble.pop("engine", None)
        for owed, tell in ((self._to_adopt, self._adopt), (self._to_start, self._start), (self._to_end, self._end)):
            for turn_id in list(owed):
                turn = self.books.turns.get(turn_id)
                try:
                    if turn is not None:
                        self.laboratory.store.assure_leading()
                        tell(turn)
                    del owed[turn_id]
                except (EngineUnavailable, StoreUnavailable) as failed:
                    self.trouble["engine"] = str(failed)
        if trouble := self.engine.trouble():
            self.trouble["engine"] = trouble

    def _adopt(self, turn: Turn) -> None:
        self.engine.adopt(self._start_order(turn), self._to_adopt[turn.id])

    def _start(self, turn: Turn) -> None:
        self.engine.start(self._start_order(turn))

    def _end(self, turn: Turn) -> None:
        job = self.books.jobs[turn.job]
        self.engine.end(end_order(turn, job, self.books, self.laboratory, self._to_end[turn.id]))

    def _start_order(self, turn: Turn) -> StartOrder:
        return start_order(turn, self.books.jobs[turn.job], self.laboratory)

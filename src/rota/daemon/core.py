"""The daemon without its event loop: three verbs that take the time and do one whole step each.

`recover` once, then `hear` for what people ask and `advance` for everything else. The asyncio service, and the
deterministic simulation with its virtual clock, drive exactly this object.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from rota.daemon.books import Books, Draft
from rota.daemon.carry_out import end_order, start_order, write_plan, write_wishes
from rota.daemon.commands import Answer, Command
from rota.daemon.happenings import fail_followers, write_events
from rota.daemon.intake import take
from rota.daemon.laboratory import Laboratory
from rota.daemon.received import Received
from rota.daemon.snapshot import take_snapshot
from rota.domain.gpus import Condition
from rota.domain.jobs import AfterTurn
from rota.domain.turns import Turn, TurnState
from rota.engines.contract import Engine, EngineEvent, StartOrder
from rota.errors import EngineUnavailable, RotaError, StoreUnavailable
from rota.policy.plan import plan as make_plan
from rota.policy.values import Plan, Snapshot
from rota.store.contract import Entries

log = structlog.get_logger()

SHORTEST_REST_S = 0.05  # a plan that asks for the present moment again does not spin the loop
BOARD_PAST_S = 12 * 3600.0  # ended turns that the board shows after a restart
RETRY_S = 2.0  # how soon a store or engine that did not answer is tried again


@dataclass(slots=True)
class Core:
    """One daemon's state between two steps. Everything in it can be had again from the store."""

    laboratory: Laboratory
    engine: Engine
    books: Books = field(default_factory=Books)
    received: Received = field(default_factory=Received)
    plan: Plan = field(default_factory=Plan)
    snapshot: Snapshot | None = None  #: what the latest plan was made from
    trouble: dict[str, str] = field(default_factory=dict)  #: "store" or "engine" -> sentence, while it lasts
    _unrecorded: list[EngineEvent] = field(default_factory=list)
    _to_adopt: dict[str, bool] = field(default_factory=dict)  #: turns of an earlier daemon; whether they had begun
    _to_start: dict[str, None] = field(default_factory=dict)  #: granted turns that the engine does not know yet
    _to_end: dict[str, str] = field(default_factory=dict)  #: ending turns that the engine does not know yet, and why

    # --- recover --------------------------------------------------------------------------------

    def recover(self, at: float) -> None:
        """Take up everything that an earlier daemon left: its running turns, those half begun or half ended."""
        self.books = Books.from_store(self.laboratory.store.remember())
        self.books.recall(self.laboratory.store, at - BOARD_PAST_S)
        self.received = Received.from_store(self.laboratory, at)
        for turn in self.books.turns.values():
            self._to_adopt[turn.id] = turn.state is not TurnState.GRANTED
            if turn.state is TurnState.ENDING:
                self._to_end[turn.id] = "the turn was ending when Rota was restarted"

    def weigh_anew(self, at: float) -> None:
        """Sum up usage again after half-life or tier weights were changed."""
        self.received = Received.from_store(self.laboratory, at)

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
        """One step: events, snapshot, plan, record, apply. Returns when to come again without an event."""
        self.trouble.pop("store", None)
        try:
            self._take_events(at)
            self._decide(at)
        except RotaError as failed:
            self.trouble["store"] = str(failed)
            return at + RETRY_S
        self._apply()
        if "engine" in self.trouble:
            return at + RETRY_S
        again = self.plan.look_again_at
        return None if again is None else max(again, at + SHORTEST_REST_S)

    def _take_events(self, at: float) -> None:
        """Record what the engine reports. What could not be recorded is kept and taken up again."""
        self._unrecorded.extend(self.engine.events())
        draft = Draft(self.books)
        write_events(self._unrecorded, self.books, draft)
        fail_followers(draft, at)
        write_wishes(draft, at)
        self._record(draft)
        self._unrecorded.clear()

    def _decide(self, at: float) -> None:
        """Ask the policy and record its decisions before any of them is carried out."""
        self.snapshot = take_snapshot(self.books, self.laboratory, self.received, at)
        self.plan = make_plan(self.snapshot)
        draft = Draft(self.books)
        write_plan(self.plan, draft, at)
        self._record(draft)

    def _record(self, draft: Draft) -> None:
        entries = draft.entries()
        if not entries:
            return
        self.laboratory.store.record(entries)
        self._owe(entries)
        self.books.take_over(entries)
        self.received.take_over(entries, draft)
        for step in entries.transitions:
            log.info("step", subject=step.subject, id=step.id, before=step.before, after=step.after, why=step.reason)

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

    # --- apply ----------------------------------------------------------------------------------

    def _apply(self) -> None:
        """Tell the engine. What it could not take is told again later; nothing is forgotten meanwhile."""
        self.trouble.pop("engine", None)
        for owed, tell in ((self._to_adopt, self._adopt), (self._to_start, self._start), (self._to_end, self._end)):
            for turn_id in list(owed):
                turn = self.books.turns.get(turn_id)
                try:
                    if turn is not None:
                        tell(turn)
                    del owed[turn_id]
                except (EngineUnavailable, StoreUnavailable) as failed:
                    self.trouble["engine"] = str(failed)

    def _adopt(self, turn: Turn) -> None:
        self.engine.adopt(self._start_order(turn), self._to_adopt[turn.id])

    def _start(self, turn: Turn) -> None:
        self.engine.start(self._start_order(turn))

    def _end(self, turn: Turn) -> None:
        job = self.books.jobs[turn.job]
        self.engine.end(end_order(turn, job, self.books, self.laboratory, self._to_end[turn.id]))

    def _start_order(self, turn: Turn) -> StartOrder:
        return start_order(turn, self.books.jobs[turn.job], self.laboratory)

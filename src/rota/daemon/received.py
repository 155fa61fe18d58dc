"""What projects and members have received, and when: the ledger's sums, kept up to date turn by turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rota.daemon.books import Books, Draft
from rota.daemon.history import PastTurn
from rota.daemon.laboratory import Laboratory
from rota.domain.turns import Turn, TurnState
from rota.ledger.credit import Asks, Credits, Entitlement
from rota.ledger.deadlines import debtors
from rota.ledger.usage import Account, Accounts, weighted
from rota.store.contract import Entries

NEVER_S = 100 * 365 * 86400.0
Usage = tuple[dict[str, float], dict[Account, float]]  #: by project and by (project, member); GPU-seconds


@dataclass(slots=True)
class Received:
    """Usage of the turns that have ended; that of the running ones is added when it is asked for.

    Usage and `served_until` are the same after a restart. The lifts of `credits` are not in the store: whoever was
    lifted before is lifted anew, and so can gain once what a credit is worth. To follow who waited and ran over two
    months only to spare that would be a second daemon in the first.
    """

    accounts: Accounts = field(default_factory=lambda: Accounts(NEVER_S))
    credits: Credits = field(default_factory=lambda: Credits(NEVER_S))
    tier_weights: dict[str, float] = field(default_factory=dict)
    served_until: dict[str, float] = field(default_factory=dict)  #: by member: when a turn of theirs last ended

    @staticmethod
    def from_history(laboratory: Laboratory, history: Sequence[PastTurn]) -> Received:
        """The sums after a restart, or after the half-life was changed."""
        rules = laboratory.rules
        received = Received(Accounts(rules.half_life_s), Credits(rules.half_life_s), dict(rules.tier_weights))
        for turn, project, member in history:
            received._add((project, member), turn)
        return received

    def take_over(self, entries: Entries, draft: Draft) -> None:
        """Charge the turns that have ended."""
        for turn in entries.turns:
            job = draft.job(turn.job)
            if turn.state is TurnState.ENDED and job is not None:
                self._add((job.project, job.member), turn)

    def usage(self, books: Books, at: float) -> Usage:
        """By project and by (project, member), running turns included; decayed and weighted."""
        running = []
        for turn in books.turns.values():
            job = books.jobs[turn.job]
            running.append(((job.project, job.member), weighted(turn, self.tier_weights), turn.granted_at))
        return self.accounts.usage(running, at)

    def counted(
        self,
        usage: Usage,
        asks: Mapping[Account, Asks],
        laboratory: Laboratory,
        weights: Mapping[str, float],
        at: float,
    ) -> Usage:
        """Usage as the policy counts it between those who run or wait now: nobody's credit is endless."""
        entitlement = Entitlement(laboratory.rules.credit_s, len(laboratory.fleet.gpus), weights)
        return self.credits.counted(*usage, asks, entitlement, at, debtors(laboratory.deadlines, at))

    def _add(self, account: Account, turn: Turn) -> None:
        if turn.ended_at is None:
            return
        self.served_until[account[1]] = max(turn.ended_at, self.served_until.get(account[1], turn.ended_at))
        if turn.began_at is not None:
            self.accounts.add(account, weighted(turn, self.tier_weights), turn.began_at, turn.ended_at)

"""What projects and members have received: the ledger's sums, kept up to date turn by turn."""

from __future__ import annotations

from dataclasses import dataclass, field

from rota.daemon.books import Books, Draft
from rota.daemon.laboratory import Laboratory
from rota.domain.turns import Turn, TurnState
from rota.ledger.usage import Account, Accounts, weighted
from rota.store.contract import Entries

HALF_LIVES_REMEMBERED = 8  # what is older counts less than half a percent
NEVER_S = 100 * 365 * 86400.0


@dataclass(slots=True)
class Received:
    """Usage of the turns that have ended; that of the running ones is added when it is asked for."""

    accounts: Accounts = field(default_factory=lambda: Accounts(NEVER_S))
    tier_weights: dict[str, float] = field(default_factory=dict)

    @staticmethod
    def from_store(laboratory: Laboratory, at: float) -> Received:
        """The sums after a restart, or after the half-life was changed."""
        rules = laboratory.rules
        received = Received(Accounts(rules.half_life_s), dict(rules.tier_weights))
        turns = laboratory.store.turns_since(at - HALF_LIVES_REMEMBERED * rules.half_life_s)
        ended = [entry for entry in turns if entry[0].state is TurnState.ENDED]
        for turn, project, member in sorted(ended, key=lambda entry: entry[0].ended_at or 0.0):
            received._add((project, member), turn)
        return received

    def take_over(self, entries: Entries, draft: Draft) -> None:
        """Charge the turns that have ended."""
        for turn in entries.turns:
            job = draft.job(turn.job)
            if turn.state is TurnState.ENDED and job is not None:
                self._add((job.project, job.member), turn)

    def usage(self, books: Books, at: float) -> tuple[dict[str, float], dict[Account, float]]:
        """By project and by (project, member), running turns included. GPU-seconds, decayed and weighted."""
        running = []
        for turn in books.turns.values():
            job = books.jobs[turn.job]
            running.append(((job.project, job.member), weighted(turn, self.tier_weights), turn.granted_at))
        return self.accounts.usage(running, at)

    def _add(self, account: Account, turn: Turn) -> None:
        if turn.began_at is not None and turn.ended_at is not None:
            self.accounts.add(account, weighted(turn, self.tier_weights), turn.began_at, turn.ended_at)

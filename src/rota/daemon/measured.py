"""What stopping and resuming really costs here, and the quantum that follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rota.daemon.history import PastTurn
from rota.domain.turns import Turn, TurnState
from rota.ledger.cost import STOPPED, spent_gpu_s, stop_cost_gpu_s
from rota.policy.quantum import Bounds, Pace


@dataclass(frozen=True, slots=True)
class QuantumChange:
    """The quantum became another one, because of what was measured under the one before."""

    at: float
    before_s: float
    after_s: float
    cost_part: float  #: of the GPU time measured, what went into stopping and resuming
    spent_gpu_s: float  #: that GPU time


@dataclass(slots=True)
class Measured:
    """The pace of turns. It depends on the turns that have ended and on nothing else, so a restart changes nothing."""

    pace: Pace
    latest: QuantumChange | None = None
    _stopped: set[int] = field(default_factory=set)  #: jobs whose latest turn Rota has ended

    @staticmethod
    def from_history(bounds: Bounds, history: Sequence[PastTurn]) -> Measured:
        """As it stands after these turns."""
        measured = Measured(Pace.at_first(bounds))
        measured.count(turn for turn, _, _ in history)
        return measured

    @property
    def cost_part(self) -> float | None:
        """The part of GPU time that went into stopping and resuming since the quantum last changed."""
        return self.pace.cost_gpu_s / self.pace.spent_gpu_s if self.pace.spent_gpu_s else None

    def count(self, turns: Iterable[Turn]) -> list[QuantumChange]:
        """Turns that have ended, in the order of their end, and the changes of the quantum that follow."""
        changes = []
        for turn in turns:
            if turn.state is TurnState.ENDED and (change := self._count(turn)):
                self.latest = change
                changes.append(change)
        return changes

    def _count(self, turn: Turn) -> QuantumChange | None:
        pace, at = self.pace, turn.ended_at or turn.granted_at
        pace.count(stop_cost_gpu_s(turn, turn.job in self._stopped), spent_gpu_s(turn))
        if turn.outcome in STOPPED:
            self._stopped.add(turn.job)
        else:
            self._stopped.discard(turn.job)
        if not pace.is_due(at):
            return None
        before_s, cost_part, spent = pace.quantum_s, self.cost_part or 0.0, pace.spent_gpu_s
        return QuantumChange(at, before_s, pace.quantum_s, cost_part, spent) if pace.adapt(at) else None

"""What a replay asks of any policy, Rota's own and those it is held against."""

from __future__ import annotations

from typing import Protocol

from rota.policy.decide import Decision, decide
from rota.policy.rank import Ranking, ShortRemaindersFirst
from rota.policy.standing import Standing
from rota.policy.values import Rules


class Policy(Protocol):
    """Whose turn it is. It holds no state of its own: all it knows is in the Standing."""

    def ranking(self, rules: Rules) -> Ranking:
        """The order in which a Standing keeps each account's waiting jobs."""
        ...

    def decide(self, standing: Standing, at: float) -> Decision:
        """What to do at this moment; epoch seconds."""
        ...


class Rota:
    """The policy that runs live."""

    def ranking(self, rules: Rules) -> Ranking:
        return ShortRemaindersFirst(rules)

    def decide(self, standing: Standing, at: float) -> Decision:
        return decide(standing, at)

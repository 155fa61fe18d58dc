"""The turns of the past, as far as they still count, in the order in which they ended."""

from __future__ import annotations

from collections.abc import Sequence

from rota.daemon.laboratory import Laboratory
from rota.domain.turns import Turn, TurnState

HALF_LIVES_REMEMBERED = 8  # what is older counts less than half a percent
LEAST_REMEMBERED_S = 14 * 86400.0  # the quantum adapts twice a day at most, and to a tenth or more

PastTurn = tuple[Turn, str, str]  #: the turn, its job's project and member


def past_turns(laboratory: Laboratory, at: float) -> Sequence[PastTurn]:
    """What a daemon learns from when it starts, or when the settings have changed."""
    since = at - max(HALF_LIVES_REMEMBERED * laboratory.rules.half_life_s, LEAST_REMEMBERED_S)
    ended = [entry for entry in laboratory.store.turns_since(since) if entry[0].state is TurnState.ENDED]
    return sorted(ended, key=lambda entry: (entry[0].ended_at or 0.0, entry[0].job, entry[0].number))

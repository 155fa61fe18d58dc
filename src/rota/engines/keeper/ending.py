"""How a turn ends, as a pure state machine: what is seen goes in, what to do comes out (design.md, Turns 3-5).

RUNNING --polite order--> GRACE --nothing saved--> EXTENDED --> TERM --> KILL --> GONE
    any --AT_ONCE order--> TERM                   a save during the grace leads to TERM at once
    any --nothing alive--> GONE                   the main process has left others behind --> TERM
"""

from __future__ import annotations

import math
from enum import Enum
from typing import NamedTuple

from rota.engines.keeper.order import EndWish

KILL_AGAIN_S = 0.05  # a process that was being forked when the others were killed is met by the next round
LEFTOVERS_S = 2.0  # what outlives the main process by itself gets this long after TERM


class Phase(Enum):
    """Where the turn is on its way to the end."""

    RUNNING = "running"
    GRACE = "grace"
    EXTENDED = "extended"
    TERM = "term"
    KILL = "kill"
    GONE = "gone"


class Act(Enum):
    """What the keeper does to the job."""

    NOTICE = "notice"
    TERM = "term"
    KILL = "kill"
    FINISH = "finish"


class Sight(NamedTuple):
    """What the keeper sees at one moment."""

    now: float  #: monotonic seconds
    is_main_alive: bool
    is_any_alive: bool  #: any process of the turn, the main one included
    wish: EndWish | None = None
    is_saved: bool = False  #: the checkpoint was renewed after the notice and is complete
    has_checkpoint: bool = False


class Ending(NamedTuple):
    """The state of the machine."""

    phase: Phase = Phase.RUNNING
    deadline: float = math.inf  #: monotonic; when the phase ends by itself
    grace_s: float = 0.0
    was_terminated: bool = False  #: TERM or KILL was sent while the main process lived


def step(ending: Ending, sight: Sight, term_s: float) -> tuple[Ending, tuple[Act, ...]]:
    """The next state, and what to do now. Call again at `deadline`, or when anything seen has changed."""
    if ending.phase is Phase.GONE:
        return ending, ()
    if not sight.is_any_alive:
        return ending._replace(phase=Phase.GONE, deadline=math.inf), (Act.FINISH,)
    if ending.phase is Phase.KILL:
        return _again(ending, sight)
    if ending.phase is Phase.TERM:
        return _kill(ending, sight) if sight.now >= ending.deadline else (ending, ())
    if not sight.is_main_alive:
        return _terminate(ending, sight, min(term_s, LEFTOVERS_S))
    if sight.wish is None:
        return ending, ()
    if sight.wish.is_at_once:
        return _terminate(ending, sight, term_s)
    if ending.phase is Phase.RUNNING:
        grace_s = max(sight.wish.grace_s, 0.0)
        return ending._replace(phase=Phase.GRACE, deadline=sight.now + grace_s, grace_s=grace_s), (Act.NOTICE,)
    return _wait_for_the_save(ending, sight, term_s)


def _wait_for_the_save(ending: Ending, sight: Sight, term_s: float) -> tuple[Ending, tuple[Act, ...]]:
    if sight.is_saved:
        return _terminate(ending, sight, term_s)
    if sight.now < ending.deadline:
        return ending, ()
    if ending.phase is Phase.GRACE and sight.has_checkpoint:
        return ending._replace(phase=Phase.EXTENDED, deadline=ending.deadline + ending.grace_s), ()
    return _terminate(ending, sight, term_s)


def _terminate(ending: Ending, sight: Sight, patience_s: float) -> tuple[Ending, tuple[Act, ...]]:
    after = ending._replace(
        phase=Phase.TERM,
        deadline=sight.now + patience_s,
        was_terminated=ending.was_terminated or sight.is_main_alive,
    )
    return after, (Act.TERM,)


def _kill(ending: Ending, sight: Sight) -> tuple[Ending, tuple[Act, ...]]:
    after = ending._replace(phase=Phase.KILL, deadline=sight.now + KILL_AGAIN_S)
    return after._replace(was_terminated=ending.was_terminated or sight.is_main_alive), (Act.KILL,)


def _again(ending: Ending, sight: Sight) -> tuple[Ending, tuple[Act, ...]]:
    return _kill(ending, sight) if sight.now >= ending.deadline else (ending, ())

"""Watches the GPUs: one that fails, is drained, or is taken by others gets no further turn until it is well again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import structlog

from rota.daemon.books import Books
from rota.daemon.commands import Mark
from rota.daemon.core import Core
from rota.daemon.service import Service
from rota.domain.gpus import Condition
from rota.domain.members import Member
from rota.errors import RotaError
from rota.fleet.health import WATCHER, Look, Ours, Seen, compare

log = structlog.get_logger()

#: For so long it is unclear whether a turn that was granted, or has ended, is seen on its GPUs. With Slurm a begin is
#: known here two seconds after the grant, and an end one second after it; longer than between two looks would hide
#: others on a node where turns follow each other.
UNCLEAR_S = 4.0


async def watch(service: Service, look: Look, every_s: float) -> None:
    """Look at the GPUs every so many seconds and mark what is seen. Runs until it is cancelled."""
    while True:
        await asyncio.sleep(every_s)
        try:
            # In a thread: a driver or a controller in trouble can block for seconds, and the loop must not.
            seen = await asyncio.to_thread(look, what_is_ours(service.core.books, service.clock()))
            # All at once, so that they are recorded together and planned with once.
            await asyncio.gather(*(service.ask(mark) for mark in marks_for(seen, service.core)))
        except RotaError as failed:
            log.warning("health not recorded", why=str(failed))
        except Exception:  # a defect in one look must not end the watch
            log.exception("defect", step="watch")


def look_first(core: Core, look: Look, at: float) -> None:
    """One look after `recover` and before the first plan, so that no turn begins on a node that has been down for days.

    May wait for as long as a look may. What cannot be recorded now is seen again by `watch`.
    """
    core.hear(list(marks_for(look(what_is_ours(core.books, at)), core)), at)


def marks_for(seen: Seen | None, core: Core) -> Iterator[Mark]:
    """The marks that follow from a look; none when nobody answered."""
    if seen is None:
        return
    watcher = Member(WATCHER, 0, is_admin=True)
    marks = {gpu: (mark.condition, mark.why, mark.by) for gpu, mark in core.books.marks.items()}
    change = compare(seen, marks, (gpu.uuid for gpu in core.laboratory.fleet.gpus))
    for (condition, why), gpus in change.marks.items():
        yield Mark(watcher, gpus, condition, why)
    if change.back:
        yield Mark(watcher, change.back, Condition.HEALTHY)


def what_is_ours(books: Books, at: float) -> Ours:
    """What turns hold, as the books have it at this moment."""
    held, begins, waits = set[str](), set[str](), set[str]()
    for turn in books.turns.values():
        is_unclear = at - turn.granted_at < UNCLEAR_S
        (held if turn.began_at is not None else begins if is_unclear else waits).update(turn.gpus)
    # A turn that never began has left nothing behind.
    ended = (turn for turn, _ in books.past if turn.began_at is not None and at - (turn.ended_at or 0.0) < UNCLEAR_S)
    unsure = begins.union(*(turn.gpus for turn in ended)) - held
    taken = (gpu for gpu, mark in books.marks.items() if mark.condition is Condition.TAKEN)
    return Ours(frozenset(held), frozenset(unsure), frozenset(waits), frozenset(taken))

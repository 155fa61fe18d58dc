"""Which GPUs are not well, as somebody saw it, and what that changes in their marks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rota.domain.gpus import Condition

#: Who marks GPUs for what was seen of them; only such marks are changed and taken away again by itself.
WATCHER = "rota"

Seen = Mapping[str, tuple[Condition, str]]  #: by UUID, of the GPUs that are not well: how they are, and why


@dataclass(frozen=True, slots=True)
class Ours:
    """What the daemon knows of its GPUs while somebody looks at them. All are UUIDs."""

    held: frozenset[str] = frozenset()  #: by turns that have begun
    unsure: frozenset[str] = frozenset()  #: by turns that begin or have just ended: they may be seen there or not
    waiting: frozenset[str] = frozenset()  #: by turns that were granted, but have not begun for long
    taken: frozenset[str] = frozenset()  #: that are marked as taken


#: One look at all GPUs, in a thread, since it may wait. None: nobody answered, and nothing is known.
Look = Callable[[Ours], Seen | None]


@dataclass(frozen=True, slots=True)
class HealthChange:
    """Marks to make, by condition and reason, and GPUs that are well again."""

    marks: Mapping[tuple[Condition, str], tuple[str, ...]]
    back: tuple[str, ...] = ()


def compare(seen: Seen, marks: Mapping[str, tuple[Condition, str, str]], known: Iterable[str]) -> HealthChange:
    """What to change in the present marks (condition, why, by whom), given what was seen.

    A mark that somebody else made stays, whatever is seen: who drained a GPU to mend it says when it is mended.
    """
    wanted: dict[tuple[Condition, str], list[str]] = {}
    back = []
    for uuid in known:
        mark, found = marks.get(uuid), seen.get(uuid)
        if mark is not None and mark[2] != WATCHER:
            continue
        if found is not None and (mark is None or mark[:2] != found):
            wanted.setdefault(found, []).append(uuid)
        elif found is None and mark is not None:
            back.append(uuid)
    return HealthChange({what: tuple(uuids) for what, uuids in wanted.items()}, tuple(back))

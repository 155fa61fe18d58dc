"""Time that passes only when it is told to."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count


@dataclass(slots=True)
class VirtualClock:
    """A monotonic time in seconds, a wall clock that can be set wrong, and what is to happen when."""

    now: float = 0.0
    wall_offset_s: float = 1_700_000_000.0
    _agenda: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def wall(self) -> float:
        """Epoch seconds as the simulated machine believes them."""
        return self.now + self.wall_offset_s

    def at(self, when: float, happening: Callable[[], None]) -> None:
        """Let something happen at a monotonic time; equal times happen in the order in which they were asked."""
        heapq.heappush(self._agenda, (max(when, self.now), next(self._order), happening))

    def after(self, delay_s: float, happening: Callable[[], None]) -> None:
        """Let something happen in a while."""
        self.at(self.now + delay_s, happening)

    def next_at(self) -> float | None:
        """When something is to happen next."""
        return self._agenda[0][0] if self._agenda else None

    def run_until(self, when: float) -> None:
        """Let everything happen that is due until then."""
        while self._agenda and self._agenda[0][0] <= when:
            self.now, _, happening = heapq.heappop(self._agenda)
            happening()
        self.now = max(self.now, when)

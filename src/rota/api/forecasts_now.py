"""The daemon's forecasts as the pages and commands show them."""

from __future__ import annotations

from dataclasses import dataclass

from rota.api.shift_words import shift_sentence
from rota.daemon.core import Core
from rota.domain.forecasts import Forecast

DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class ForecastsNow:
    """As of one moment."""

    core: Core
    at: float

    @property
    def made_at(self) -> float | None:
        """When all of them were last made; None: not yet."""
        return self.core.forecasts.made_at

    def of(self, job: int) -> Forecast | None:
        """What is expected of an open job; None: nothing can be said, or not yet."""
        found = self.core.books.jobs.get(job)
        return self.core.forecasts.of(found) if found else None

    def kept(self, days: float = 30.0) -> tuple[int, int]:
        """Of the turns that began in the last days and had been forecast: how many began by then, and how many."""
        return self.core.forecasts.promises.kept_since(self.at - days * DAY_S)

    def shift_of(self, job: int) -> str:
        """Why its turn is no longer expected when it was promised; "" while it is."""
        shift = self.core.forecasts.shift_of(job)
        return shift_sentence(shift, self.at) if shift else ""

"""What the API serves: the daemon, and the facts around it that a page or a terminal shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from rota.api.forecasts_now import ForecastsNow
from rota.api.identity import Identity
from rota.daemon.core import Core
from rota.daemon.forecasting.service import ForecastService
from rota.daemon.service import Service
from rota.domain.forecasts import Forecast
from rota.domain.reasons import Reason
from rota.forecast.walk import latest_begins
from rota.policy.values import Plan

#: Reads what a turn has printed: (turn id, offset, tail lines) -> (text, where to go on, whether all so far was read).
LogReader = Callable[[str, int, int | None], tuple[str, int, bool]]


@dataclass(slots=True)
class Site:
    """One running Rota."""

    service: Service
    identity: Identity
    name: str
    state_dir: str
    turns_dir: str
    store_name: str  #: "SQLite" or "PostgreSQL", without any password
    read_log: LogReader
    clock: Callable[[], float]
    web_url: str | None = None
    role: Literal["leader", "alone"] = "alone"
    forecasting: ForecastService | None = None  #: None: no forecasts are made
    is_closing: bool = False  #: the server is going down: live connections end themselves
    _outlook: Outlook | None = field(default=None)

    @property
    def core(self) -> Core:
        return self.service.core

    @property
    def forecasts(self) -> ForecastsNow:
        """What the daemon says of when turns begin, and how good that was lately."""
        return ForecastsNow(self.core, self.clock())

    def outlook(self) -> Outlook:
        """What the latest plan says of every waiting job; worked out once per plan."""
        plan = self.core.plan
        if self._outlook is None or self._outlook.plan is not plan:
            places = {wait.job: (wait.place, wait.reason) for wait in plan.waits}
            begins = latest_begins(self.core.snapshot, plan) if self.core.snapshot else {}
            self._outlook = Outlook(plan, places, begins, self.forecasts.of)
        return self._outlook


@dataclass(frozen=True, slots=True)
class Outlook:
    """The waiting list as the pages show it."""

    plan: Plan
    places: dict[int, tuple[int, Reason]]  #: job -> place on the list and why it waits
    latest_begins: dict[int, float]
    forecast_of: Callable[[int], Forecast | None]

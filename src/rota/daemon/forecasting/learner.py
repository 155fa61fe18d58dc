"""What a forecasting process knows, and the forecasts that it makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rota.daemon.forecasting.orders import Begun, Ended, Lesson, Order, Submitted, Told
from rota.domain.forecasts import END, Forecast, Range
from rota.forecast.calibration import Calibration
from rota.forecast.forecaster import Forecaster


@dataclass(slots=True)
class Learner:
    """Learns in the order in which things happened."""

    forecaster: Forecaster = field(default_factory=Forecaster)
    of_begins: Calibration = field(default_factory=Calibration)
    of_ends: Calibration = field(default_factory=Calibration)

    def answer(self, order: Order) -> Mapping[int, Told]:
        """Learn what is new and forecast; by job."""
        for lesson in order.lessons:
            self._learn(lesson)
        if order.snapshot is None:
            return {}
        raw = self.forecaster.forecast(order.snapshot, seed=order.seed, futures=order.futures, only=order.only)
        return {
            job.id: Told(self._told(raw[job.id], job.request.gpus), raw[job.id].begin, raw[job.id].finish)
            for job in order.snapshot.jobs
            if job.id in raw
        }

    def _learn(self, lesson: Lesson) -> None:
        match lesson:
            case Submitted(job):
                self.forecaster.submitted(job)
            case Ended(job):
                self.forecaster.ended(job)
            case Begun(promise) if promise.turn == END:
                self.of_ends.learn(promise)
            case Begun(promise):
                self.of_begins.learn(promise)

    def _told(self, raw: Forecast, gpus: int) -> Forecast:
        """Begin and end corrected by what earlier promises of each were worth."""
        begin = self.of_begins.told(raw.begin, raw.made_at, gpus) if raw.begin is not None else None
        finish = self.of_ends.told(raw.finish, raw.made_at, gpus) if raw.finish is not None else None
        if begin is not None and finish is not None:  # nothing is done before it begins
            finish = Range(
                max(finish.early, begin.early), max(finish.likely, begin.likely), max(finish.late, begin.late)
            )
        return replace(raw, begin=begin, finish=finish)

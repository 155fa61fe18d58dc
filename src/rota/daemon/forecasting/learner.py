"""What a forecasting process knows, and the forecasts that it makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rota.daemon.forecasting.orders import Begun, Ended, Lesson, Order, Submitted, Told
from rota.domain.forecasts import Forecast, Range
from rota.forecast.calibration import Calibration
from rota.forecast.forecaster import Forecaster


@dataclass(slots=True)
class Learner:
    """Learns in the order in which things happened."""

    forecaster: Forecaster = field(default_factory=Forecaster)
    calibration: Calibration = field(default_factory=Calibration)

    def answer(self, order: Order) -> Mapping[int, Told]:
        """Learn what is new and forecast; by job."""
        for lesson in order.lessons:
            self._learn(lesson)
        if order.snapshot is None:
            return {}
        raw = self.forecaster.forecast(order.snapshot, seed=order.seed, futures=order.futures, only=order.only)
        return {
            job.id: Told(calibrated(raw[job.id], job.request.gpus, self.calibration), raw[job.id].begin)
            for job in order.snapshot.jobs
            if job.id in raw
        }

    def _learn(self, lesson: Lesson) -> None:
        match lesson:
            case Submitted(job):
                self.forecaster.submitted(job)
            case Ended(job):
                self.forecaster.ended(job)
            case Begun(promise):
                self.calibration.learn(promise)


def calibrated(forecast: Forecast, gpus: int, calibration: Calibration) -> Forecast:
    """The begin corrected by what earlier promises were worth, the end moved by as much and never before it."""
    if forecast.begin is None:
        return forecast
    begin = calibration.told(forecast.begin, forecast.made_at, gpus)
    finish, later_s = forecast.finish, begin.likely - forecast.begin.likely
    if finish is not None:
        finish = Range(
            max(finish.early + later_s, begin.early),
            max(finish.likely + later_s, begin.likely),
            max(finish.late + later_s, begin.late),
        )
    return replace(forecast, begin=begin, finish=finish)

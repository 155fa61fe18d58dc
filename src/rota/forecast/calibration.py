"""Forecasts held against what came: ranges are widened, narrowed and shifted so that nine of ten bounds hold."""

from __future__ import annotations

from rota.domain.forecasts import Promise, Range


class Calibration:
    """Learns from promises in the order in which it is known what came of them. Can be pickled."""

    def told(self, raw: Range, made_at: float, gpus: int) -> Range:
        """The range as it is told to people."""
        return raw

    def learn(self, promise: Promise) -> None:
        """One whose turn has begun."""

"""The quantum in force: as short as stops may be frequent.

A short quantum brings first turns soon and lets short jobs pass; each stop costs what saving, starting anew and
repeated work take. The measured part of GPU time that goes into this is inversely proportional to the quantum, so
that the quantum that would just spend `COST_PART` follows from what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass

#: At most so much of the GPU time goes into stopping and resuming (design.md, The policy).
COST_PART = 0.02
#: What one stop and resume is taken to cost before any was measured; seconds (Tiresias, NSDI 2019, measured 62 s).
EXPECTED_COST_S = 60.0
#: A measurement of less GPU time than this says little; GPU-seconds.
LEAST_MEASURED_GPU_S = 24 * 3600.0
#: How often the measurement is looked at; seconds.
CHECK_EVERY_S = 12 * 3600.0
#: How much of the allowance is used at most: what follows is a forecast.
CAUTION = 0.8


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which the quantum adapts; seconds. Equal bounds: it is fixed."""

    least_s: float
    most_s: float

    def first_s(self) -> float:
        """The quantum while nothing has been measured: even if every turn were stopped at its end, the cost fits."""
        return self.clip(EXPECTED_COST_S / COST_PART)

    def clip(self, quantum_s: float) -> float:
        return min(max(quantum_s, self.least_s), self.most_s)


#: In force where a laboratory says nothing else: as long as first turns may be waited for, as short as saves are worth.
DEFAULT_BOUNDS = Bounds(5 * 60.0, 4 * 3600.0)


def next_quantum_s(quantum_s: float, cost_gpu_s: float, spent_gpu_s: float, bounds: Bounds) -> float:
    """The quantum from now on, from the cost and the whole GPU time measured under the present one.

    It at most halves or doubles at a time, and stays where the change would be less than a tenth.
    """
    if spent_gpu_s < LEAST_MEASURED_GPU_S:
        return quantum_s
    wanted_s = quantum_s * (cost_gpu_s / spent_gpu_s) / (COST_PART * CAUTION)
    wanted_s = bounds.clip(min(max(wanted_s, quantum_s / 2), quantum_s * 2))
    return wanted_s if abs(wanted_s - quantum_s) > 0.1 * quantum_s else quantum_s


@dataclass(slots=True)
class Pace:
    """The quantum in force, and what stopping has cost under it."""

    bounds: Bounds
    quantum_s: float
    checked_at: float = -1.0
    cost_gpu_s: float = 0.0
    spent_gpu_s: float = 0.0

    @staticmethod
    def at_first(bounds: Bounds) -> Pace:
        """Before anything was measured."""
        return Pace(bounds, bounds.first_s())

    def count(self, cost_gpu_s: float, spent_gpu_s: float) -> None:
        """A turn has ended: how much of its GPU time went into stopping and resuming, and all of it."""
        self.cost_gpu_s += cost_gpu_s
        self.spent_gpu_s += spent_gpu_s

    def is_due(self, at: float) -> bool:
        """Whether it is time to look at the measurement."""
        return at - self.checked_at >= CHECK_EVERY_S and self.bounds.least_s < self.bounds.most_s

    def adapt(self, at: float) -> bool:
        """Take the quantum that follows from the measurement; says whether it has changed."""
        self.checked_at = at
        wanted_s = next_quantum_s(self.quantum_s, self.cost_gpu_s, self.spent_gpu_s, self.bounds)
        is_new = wanted_s != self.quantum_s
        self.quantum_s = wanted_s
        if is_new:
            self.cost_gpu_s = self.spent_gpu_s = 0.0
        elif self.spent_gpu_s >= LEAST_MEASURED_GPU_S:  # old measurements count less and less
            self.cost_gpu_s, self.spent_gpu_s = self.cost_gpu_s / 2, self.spent_gpu_s / 2
        return is_new

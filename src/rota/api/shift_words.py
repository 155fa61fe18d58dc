"""That a turn comes at another time than was promised, and why, in one sentence for its member."""

from __future__ import annotations

from rota.api.wording import clock
from rota.daemon.shifts import Shift
from rota.domain.counts import say_count
from rota.domain.ranges import step_s

NAMED = 2  # jobs of one kind; more are counted
LEAST_STEP_S, MOST_STEP_S = 60, 1800


def shift_sentence(shift: Shift, now: float) -> str:
    """When it is expected now, when it was to come, and what has changed since, as far as that is known."""
    # As it was told: to the minutes that were known, outwards.
    step = min(max(step_s(shift.promised, shift.made_at), LEAST_STEP_S), MOST_STEP_S)
    first = clock(shift.promised.early // step * step, now)
    last = clock(-(-shift.promised.late // step) * step, now)
    promised = first if first == last else f"{first}-{last}"
    causes = _causes(shift)
    return f"Its turn is now expected about {clock(shift.likely, now)} instead of {promised}{causes and ': '}{causes}."


def _causes(shift: Shift) -> str:
    parts = []
    if shift.came_before:
        parts.append(f"{_jobs(shift.came_before)} came before it")
    if shift.ends_later:
        takes, was = ("takes", "it was") if len(shift.ends_later) == 1 else ("take", "they were")
        parts.append(f"{_jobs(shift.ends_later)} {takes} longer than {was} expected to")
    if shift.out_of_service:
        parts.append(f"{_gpus(shift.out_of_service)} out of service")
    if shift.ends_sooner:
        parts.append(f"{_jobs(shift.ends_sooner)} ended sooner than expected, or will")
    if shift.back_in_service:
        parts.append(f"{_gpus(shift.back_in_service)} back in service")
    return ", and ".join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])}, and {parts[-1]}"


def _jobs(jobs: tuple[int, ...]) -> str:
    """`job 31`, `jobs 31 and 33`, `4 jobs`."""
    if len(jobs) > NAMED:
        return say_count(len(jobs), "job")
    return f"job {jobs[0]}" if len(jobs) == 1 else f"jobs {' and '.join(map(str, jobs))}"


def _gpus(number: int) -> str:
    return f"{say_count(number, 'GPU')} {'is' if number == 1 else 'are'}"

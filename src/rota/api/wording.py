"""Reasons as sentences: whoever decided wrote down the numbers, here they become text. Why jobs wait: waiting.py."""

from __future__ import annotations

import time

from rota.domain.counts import say_count
from rota.domain.durations import say_duration
from rota.domain.reasons import (
    Asked,
    Backfilled,
    EngineSays,
    GpuOutOfService,
    MovesUp,
    PredecessorFailed,
    Reason,
    Recovered,
    ReservationBegins,
    SomebodyWaits,
    TimeIsOver,
    TurnEnded,
    YourTurn,
)


def clock(at: float, now: float) -> str:
    """A time as short as it is clear: 14:02, Thu 14:02, 23 Nov 14:02."""
    then = time.localtime(at)
    if abs(at - now) < 12 * 3600 or time.localtime(now)[:3] == then[:3]:
        return time.strftime("%H:%M:%S" if abs(at - now) < 120 else "%H:%M", then)
    return time.strftime("%a %H:%M" if abs(at - now) < 6 * 86400 else "%d %b %H:%M", then)


def other_sentence(reason: Reason, now: float) -> str:
    """Why a turn began or ended, and what people did."""
    match reason:
        case YourTurn(attained_gpu_s, waiting):
            had = f"{say_duration(attained_gpu_s)} of GPU time so far" if attained_gpu_s >= 1 else "its first GPU time"
            return f"Its turn: first among {say_count(waiting, 'waiting job')}, {had}."
        case Backfilled(kept_for, gap_s):
            return f"Fits into the {say_duration(gap_s)} before job {kept_for} needs these GPUs."
        case SomebodyWaits(job, member, quantum_s):
            return f"Its quantum of {say_duration(quantum_s)} is over and job {job} of {member} is entitled to the GPU."
        case ReservationBegins(reservation):
            return f"Its quantum is over and the GPU is reserved for {reservation} now."
        case MovesUp(tier, times_faster):
            return f"Its quantum is over and {tier}, {times_faster:.1f} times as fast, is free: it goes on there."
        case GpuOutOfService(gpu, condition):
            return f"GPU {gpu} is {condition}."
        case TimeIsOver(limit_s):
            return f"Its {say_duration(limit_s)} are over, and it cannot be continued without a --checkpoint."
        case Asked(member, what):
            return f"{member} asked for it: {what}."
        case TurnEnded():
            return ending_sentence(reason, now)
        case EngineSays(what) | Recovered(what):
            return f"{what[:1].upper()}{what[1:]}."
        case PredecessorFailed(job, state):
            return f"Job {job}, which it follows, is {state}."
    return type(reason).__name__


def ending_sentence(end: TurnEnded, now: float) -> str:
    """How a turn ended, for its member."""
    lost = f"; {say_duration(end.lost_s)} of work are lost" if end.lost_s >= 1 else ""
    saved = f"nothing newer than {clock(end.saved_at, now)} was saved" if end.saved_at else "nothing was saved"
    match end.outcome:
        case "finished":
            return "Finished."
        case "saved":
            return "Turn over, work saved."
        case "unsaved":
            return f"Turn over: {saved}{lost}."
        case "again":
            return "It asked for another turn."
        case "lost":
            return f"The turn was lost with its node: {saved}{lost}."
        case "cancelled":
            return "Cancelled."
        case "time over":
            return f"Its time was over; without a --checkpoint it cannot go on{lost}."
    how = f"exit code {end.exit_code}" if end.exit_code is not None else "killed by a signal"
    return f"Failed: {end.detail or how}"[:600].rstrip(".") + "."

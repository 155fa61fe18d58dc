"""Small traces and fleets: a test names only what it is about."""

from __future__ import annotations

import random
from dataclasses import replace

from rota.domain.gpus import Fleet
from rota.fleet.notation import parse_fleet
from rota.policy.quantum import Bounds
from rota.policy.values import Rules
from rota.simulate.replay.compare import Setting, replay_one
from rota.simulate.replay.information import Information
from rota.simulate.replay.values import PastJob, PastTurn, Replayed, Trace, TraceJob


def a_trace(*jobs: TraceJob | tuple[float, int, float], name: str = "small") -> Trace:
    """From jobs, or from (submit_s, gpus, duration_s); numbered 1, 2, 3."""
    made = [
        job if isinstance(job, TraceJob) else TraceJob(number, float(job[0]), job[1], float(job[2]))
        for number, job in enumerate(jobs, 1)
    ]
    return Trace(name, tuple(made))


def a_busy_trace(jobs: int = 120, seed: int = 7) -> Trace:
    """More work than eight GPUs have time for, of every size and length; two members in each of two projects."""
    chance = random.Random(seed)
    submit_s, made = 0.0, []
    for number in range(1, jobs + 1):
        gpus = chance.choice((1, 1, 1, 2, 4, 8))
        member = chance.randrange(4)
        duration_s = round(chance.lognormvariate(7.5, 1.5), 1)
        made.append(TraceJob(number, submit_s, gpus, duration_s, f"m{member}", f"p{member % 2}"))
        submit_s += round(chance.expovariate(1 / 900), 1)
    return Trace("busy", tuple(made))


def a_setting(trace: Trace, fleet: str = "h100:1", **changes: object) -> Setting:
    """A fixed quantum of 15 min, and each policy's usual information."""
    rules = Rules()
    setting = Setting(trace, a_fleet(fleet), fleet, rules, Bounds(900.0, 900.0), None, 0)
    return replace(setting, **changes)  # type: ignore[arg-type]  # names checked at run time


def a_fleet(text: str) -> Fleet:
    return parse_fleet(text)


def replayed(trace: Trace, policy: str, fleet: str = "h100:1", information: str | None = None) -> Replayed:
    """The trace under a policy, with its turns."""
    setting = a_setting(trace, fleet, information=Information(information) if information else None)
    return replay_one(setting, policy, keeps_turns=True)


def a_past(job: TraceJob, first_turn_s: float, finish_s: float, turns: int = 1) -> PastJob:
    return PastJob(job, first_turn_s, finish_s, turns)


def a_replay(*jobs: PastJob, turns: tuple[PastTurn, ...] = (), gpus: int = 2, **changes: object) -> Replayed:
    """What a replay under fifo might have left."""
    labels = tuple(f"h100-1:{index}" for index in range(gpus))
    work_gpu_s = sum(past.job.duration_s * past.job.gpus for past in jobs)
    made = Replayed("small", f"h100:{gpus}", "fifo", "noisy", jobs, turns, labels, 0.0, work_gpu_s, 0.5)
    return replace(made, **changes)  # type: ignore[arg-type]  # as above

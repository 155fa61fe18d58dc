"""One trace under one policy by its name: the replay with the rules of a laboratory."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rota.domain.gpus import Fleet
from rota.errors import BadRequest
from rota.policy.baselines import POLICIES
from rota.policy.quantum import Bounds, Pace
from rota.policy.values import Rules
from rota.simulate.replay.information import Information
from rota.simulate.replay.run import Replay
from rota.simulate.replay.values import Replayed, Trace

#: What a policy may know of run times, unless it is said: the yardsticks all, those that never ask nothing.
USUAL = {
    "fifo": Information.NONE,
    "tiresias": Information.NONE,
    "sjf": Information.ORACLE,
    "srtf": Information.ORACLE,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for every policy that is compared."""

    trace: Trace
    fleet: Fleet
    fleet_text: str  #: as it was written
    rules: Rules
    bounds: Bounds  #: of the quantum
    information: Information | None  #: none stated: each policy's usual one
    seed: int

    @property
    def fastest_gpus(self) -> float:
        """So many GPUs of the fastest tier would do as much in a second as all of the fleet's."""
        speeds = [self.rules.speeds.get(gpu.tier, 1.0) for gpu in self.fleet.gpus]
        return sum(speeds) / max(speeds)


def information_of(policy: str, stated: Information | None) -> Information:
    """What is stated, else what the policy usually knows."""
    return stated or USUAL.get(policy, Information.NOISY)


def replay_one(
    setting: Setting, policy: str, on_progress: Callable[[int], None] = lambda finished: None, *, keeps_turns: bool
) -> Replayed:
    """The trace under this policy. Raises BadRequest when it cannot serve a job at all."""
    information = information_of(policy, setting.information)
    pace = Pace.at_first(setting.bounds) if policy == "rota" else None
    replay = Replay(
        setting.trace,
        setting.fleet,
        POLICIES[policy](),
        information,
        setting.rules,
        seed=setting.seed,
        pace=pace,
        keeps_turns=keeps_turns,
        on_progress=on_progress,
    )
    began = time.perf_counter()
    try:
        past, turns = replay.run()
    except ValueError as stuck:
        raise BadRequest(
            f"Under {policy}, {stuck}: the GPUs that they ask for are never free together. "
            "Replay on a --fleet of equal nodes, or leave the largest jobs out of the trace."
        ) from None
    return Replayed(
        trace=setting.trace.name,
        fleet=setting.fleet_text,
        policy=policy,
        information=information.value,
        jobs=tuple([past[job.id] for job in setting.trace.jobs]),
        turns=tuple(turns),
        gpus=tuple([gpu.label for gpu in setting.fleet.gpus]),
        cost_gpu_s=replay.cost_gpu_s,
        spent_gpu_s=replay.spent_gpu_s,
        wall_s=time.perf_counter() - began,
    )

"""What a laboratory would otherwise have: small policies with the signature of Rota's, to be replayed beside it."""

from __future__ import annotations

from collections.abc import Callable

from rota.policy.baselines.backfill import Backfill
from rota.policy.baselines.fifo import Fifo
from rota.policy.baselines.multifactor import Multifactor
from rota.policy.baselines.shortest import ShortestJob, ShortestRemaining
from rota.policy.baselines.tiresias import Tiresias
from rota.policy.contract import Policy, Rota

#: By the name that `rota replay --policy` takes.
POLICIES: dict[str, Callable[[], Policy]] = {
    "rota": Rota,
    "fifo": Fifo,
    "backfill": Backfill,
    "multifactor": Multifactor,
    "tiresias": Tiresias,
    "sjf": ShortestJob,
    "srtf": ShortestRemaining,
}

#: What each is, in half a sentence.
ABOUT = {
    "rota": "Rota's own, the very code that runs live",
    "fifo": "first in, first out; the first in line holds up everybody behind it",
    "backfill": "FIFO with EASY backfill: a later job may begin early if it does not delay the first in line",
    "multifactor": "like Slurm's priority/multifactor: age, fair share and size, with backfill",
    "tiresias": "two queues by attained service, divided at 18,000 GPU-seconds, with preemption (NSDI 2019)",
    "sjf": "shortest job first, without preemption",
    "srtf": "shortest remaining time first, with preemption at once",
}

__all__ = ["ABOUT", "POLICIES"]

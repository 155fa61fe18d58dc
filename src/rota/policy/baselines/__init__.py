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

__all__ = ["POLICIES"]

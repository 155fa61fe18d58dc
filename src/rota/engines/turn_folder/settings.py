"""What a laboratory may set for the keepers of this machine."""

from __future__ import annotations

from dataclasses import dataclass

from rota.engines.keeper.order import DEFAULT_LOG_KEEP_BYTES


@dataclass(frozen=True, slots=True)
class KeeperSettings:
    """[turns] of rota.toml, as far as keepers read it."""

    term_s: float = 10.0
    settle_s: float = 0.5
    log_keep_bytes: int = DEFAULT_LOG_KEEP_BYTES

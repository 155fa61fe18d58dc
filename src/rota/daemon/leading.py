"""A leading daemon says to the database that it is alive, and hears within seconds when another one leads."""

from __future__ import annotations

import asyncio

from rota.daemon.service import Service
from rota.errors import NotLeader, StoreUnavailable

#: Well within the lease that the database gives (store/leading.py), and sooner than a standby takes what is free
#: after the database itself was away (standby.py).
BEAT_S = 2.0


async def keep_leading(service: Service) -> None:
    """Until another daemon leads, or it is cancelled. A database that is away is told as trouble, and asked again."""
    trouble, is_away = service.core.trouble, False
    while True:
        await asyncio.sleep(BEAT_S)
        try:
            service.core.laboratory.store.assure_leading()
        except StoreUnavailable as away:
            trouble["store"], is_away = str(away), True
        except NotLeader as lost:
            service.depose(lost)
            return
        else:
            if is_away:
                trouble.pop("store", None)
                service.wake()
            is_away = False

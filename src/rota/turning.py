"""Where the turns of this daemon run: on this machine, on a simulated one, or in a Slurm cluster."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rota.domain.gpus import Fleet
from rota.engines.contract import Engine
from rota.engines.local.engine import LocalEngine
from rota.engines.slurm.engine import SlurmEngine
from rota.engines.slurm.settings import SlurmSite
from rota.engines.turn_folder.settings import KeeperSettings
from rota.errors import BadSettings
from rota.fleet.health import Look
from rota.fleet.inventory import find_fleet
from rota.fleet.nvml import EVERY_S, driver_look
from rota.fleet.slurm import find_slurm_fleet
from rota.fleet.slurm_health import EVERY_S as SLURM_EVERY_S
from rota.fleet.slurm_health import slurm_look
from rota.settings import Settings
from rota.slurm.commands import Run, SlurmUnavailable, commands
from rota.slurm.leading import while_leading

ASK_AGAIN_S = 2.0  # a Slurm that does not answer when the daemon starts


class Attached(Engine, Protocol):
    """An engine that hears of news in an event loop."""

    wake: Callable[[], None]

    def attach(self, loop: asyncio.AbstractEventLoop) -> None: ...

    def detach(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Turning:
    """All that depends on where turns run."""

    fleet: Fleet
    engine: Attached
    turns_dir: Path  #: with a folder for each turn
    look: Look | None  #: how the GPUs are; None: nobody to ask
    look_every_s: float = EVERY_S


async def find_turning(
    simulate: str | None, has_slurm: bool, settings: Settings, state_dir: Path, surely_leads: Callable[[], bool]
) -> Turning:
    """As the command line and the settings say. Raises RotaError when there is no GPU, BadSettings."""
    turns = settings.turns
    keeper = KeeperSettings(turns.term_s, turns.settle_s, turns.log_keep_bytes)
    if has_slurm or (settings.slurm.enabled and simulate is None):
        if simulate is not None:
            raise BadSettings("A fleet is either simulated or Slurm's. Leave out --simulate or --slurm.")
        return await _in_slurm(settings, state_dir, keeper, commands(), surely_leads)
    fleet = find_fleet(simulate, settings.tiers.order)
    look = None if fleet.is_simulated else driver_look(tuple(gpu.uuid for gpu in fleet.gpus))
    engine = LocalEngine(state_dir, clock=time.time, settings=keeper)
    return Turning(fleet, engine, state_dir / "turns", look)


async def _in_slurm(
    settings: Settings, state_dir: Path, keeper: KeeperSettings, run: Run, surely_leads: Callable[[], bool]
) -> Turning:
    slurm = settings.slurm
    fleet = await _slurm_fleet(run, slurm.partition, settings.tiers.order)
    turns_dir = Path(slurm.turns_dir) if slurm.turns_dir else state_dir / "turns"
    site = SlurmSite(
        turns_dir, slurm.partition, slurm.python, slurm.options, slurm.poll_s, slurm.post, Path(slurm.node_dir),
        keeper=keeper,
    )  # fmt: skip
    engine = SlurmEngine(site, fleet, while_leading(run, surely_leads), time.time)
    return Turning(fleet, engine, turns_dir, slurm_look(run, fleet), SLURM_EVERY_S)


async def _slurm_fleet(run: Run, partition: str, order: Sequence[str]) -> Fleet:
    """After a power cut Slurm may need longer to come back than we do: it is waited for."""
    is_told = False
    while True:
        try:
            return await asyncio.to_thread(find_slurm_fleet, run, partition, order)
        except SlurmUnavailable as away:
            if away.is_for_good:
                raise
            if not is_told:
                print(f"rota: {away}\nrota: waiting for Slurm. To look: scontrol ping", file=sys.stderr, flush=True)
            is_told = True
        await asyncio.sleep(ASK_AGAIN_S)

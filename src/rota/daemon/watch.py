"""Watches real GPUs: one that stops answering takes no further turn, and its turn is ended."""

from __future__ import annotations

import asyncio

import structlog

from rota.daemon.commands import Mark
from rota.daemon.service import Service
from rota.domain.gpus import Condition
from rota.domain.members import Member
from rota.errors import RotaError
from rota.fleet.health import EVERY_S, WATCHER, compare
from rota.fleet.nvml import lost_gpus

log = structlog.get_logger()


async def watch_health(service: Service) -> None:
    """Ask the driver now and then; simulated GPUs never fail by themselves. Runs until it is cancelled."""
    fleet = service.core.laboratory.fleet
    if fleet.is_simulated:
        return
    watcher = Member(WATCHER, 0, is_admin=True)
    known = tuple(gpu.uuid for gpu in fleet.gpus)
    while True:
        await asyncio.sleep(EVERY_S)
        # In a thread: a driver in trouble can block for seconds, and the loop must not.
        lost = await asyncio.to_thread(lost_gpus, known)
        marks = {gpu: (mark.condition, mark.by) for gpu, mark in service.core.books.marks.items()}
        change = compare(lost, marks, known)
        try:
            if change.failed:
                await service.ask(Mark(watcher, change.failed, Condition.FAILED, "the driver does not answer for it"))
            if change.back:
                await service.ask(Mark(watcher, change.back, Condition.HEALTHY))
        except RotaError as failed:
            log.warning("health not recorded", why=str(failed))

"""The fleet of this daemon: what NVML finds, or what `--simulate` says."""

from __future__ import annotations

from collections.abc import Sequence

from rota.domain.gpus import Fleet
from rota.errors import RotaError
from rota.fleet.notation import parse_fleet
from rota.fleet.nvml import NoDriver, read_inventory
from rota.fleet.tiers import order_tiers


def find_fleet(simulate: str | None, stated_order: Sequence[str] = ()) -> Fleet:
    """The GPUs to share. Raises BadRequest for a bad notation, RotaError when there is no GPU."""
    if simulate is not None:
        return parse_fleet(simulate, stated_order)
    found = read_inventory()
    if isinstance(found, NoDriver) or not found.gpus:
        why = found.why if isinstance(found, NoDriver) else "the driver knows of none"
        raise RotaError(
            f"No NVIDIA GPU was found on this machine: {why}.\n"
            "To see Rota work without one: rota up --simulate h100:4\n"
            "If there should be one: nvidia-smi"
        )
    tiers = order_tiers((gpu.tier for gpu in found.gpus), stated_order)
    return Fleet((found.node,), found.gpus, tiers)

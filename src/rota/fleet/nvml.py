"""GPUs as the NVIDIA driver knows them, through nvidia-ml-py. A missing driver is an answer, never a traceback."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pynvml

from rota.domain.gpus import Condition, Gpu, Node
from rota.fleet.health import Look, Ours, Seen
from rota.fleet.tiers import tier_of

EVERY_S = 15.0  # a lost GPU is noticed within this; one look costs about a millisecond


@dataclass(frozen=True, slots=True)
class Inventory:
    """What was found on this machine."""

    node: Node
    gpus: tuple[Gpu, ...]
    trouble: tuple[str, ...] = ()  #: GPUs that are there but do not answer, one sentence each


@dataclass(frozen=True, slots=True)
class NoDriver:
    """There is no driver to ask, and why."""

    why: str


def read_inventory() -> Inventory | NoDriver:
    """Every GPU and slice of this machine, in PCI bus order."""
    try:
        with _driver():
            return _inventory()
    except pynvml.NVMLError as missing:
        return NoDriver(_say(missing))


def lost_gpus(known: tuple[str, ...]) -> frozenset[str]:
    """Which of these UUIDs do not answer now; all of them when the driver itself is gone."""
    try:
        with _driver():
            return frozenset(uuid for uuid in known if not _answers(uuid))
    except pynvml.NVMLError:
        return frozenset(known)


def driver_look(known: tuple[str, ...]) -> Look:
    """What looks at these GPUs through the driver: one that does not answer has failed."""

    def look(_: Ours) -> Seen:
        return dict.fromkeys(lost_gpus(known), (Condition.FAILED, "the driver does not answer for it"))

    return look


def foreign_processes() -> dict[str, tuple[int, ...]]:
    """Process ids with work on each GPU, by UUID; empty without a driver."""
    try:
        with _driver():
            found = {}
            for handle in _handles():
                processes = _ask(partial(pynvml.nvmlDeviceGetComputeRunningProcesses, handle)) or []
                found[str(pynvml.nvmlDeviceGetUUID(handle))] = tuple(process.pid for process in processes)
            return found
    except pynvml.NVMLError:
        return {}


# --- asking --------------------------------------------------------------------------------------


@contextmanager
def _driver() -> Iterator[None]:
    pynvml.nvmlInit()
    try:
        yield
    finally:
        pynvml.nvmlShutdown()


def _inventory() -> Inventory:
    name = socket.gethostname().partition(".")[0]
    found: list[tuple[str, list[Gpu]]] = []
    trouble = []
    for number in range(pynvml.nvmlDeviceGetCount()):
        try:
            handle = pynvml.nvmlDeviceGetHandleByIndex(number)
            bus = str(pynvml.nvmlDeviceGetPciInfo(handle).busId)
            found.append((bus, _gpus_of(handle, name, bus)))
        except pynvml.NVMLError as lost:  # one that fell off the bus must not hide the others
            trouble.append(f"GPU {number} does not answer ({_say(lost)}). Look at: dmesg | grep -i xid")
    in_bus_order = [gpu for _, gpus in sorted(found, key=lambda entry: entry[0]) for gpu in gpus]
    gpus = tuple(_numbered(gpu, index) for index, gpu in enumerate(in_bus_order))
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Inventory(Node(name, os.cpu_count() or 1, memory_bytes), gpus, tuple(trouble))


def _gpus_of(handle: Any, node: str, bus: str) -> list[Gpu]:
    """The GPU itself, or its slices when it is in MIG mode."""
    uuid, model = str(pynvml.nvmlDeviceGetUUID(handle)), str(pynvml.nvmlDeviceGetName(handle))
    mode = _ask(partial(pynvml.nvmlDeviceGetMigMode, handle))
    if not mode or mode[0] != pynvml.NVML_DEVICE_MIG_ENABLE:
        memory_bytes = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
        return [Gpu(uuid, 0, node, tier_of(model), model, memory_bytes, bus)]
    slices = []
    for number in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        part = _ask(partial(pynvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, number))
        if part is not None:
            slices.append(_slice(part, uuid, node, bus))
    return slices


def _slice(handle: Any, parent: str, node: str, bus: str) -> Gpu:
    """A MIG device, a tier of its own: `h100-1g.10gb`."""
    model = str(pynvml.nvmlDeviceGetName(handle))
    profile = model.rpartition("MIG ")[2].lower() if "MIG " in model else "mig"
    memory_bytes = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
    uuid = str(pynvml.nvmlDeviceGetUUID(handle))
    return Gpu(uuid, 0, node, f"{tier_of(model)}-{profile}", model, memory_bytes, bus, slice_of=parent)


def _numbered(gpu: Gpu, index: int) -> Gpu:
    return Gpu(gpu.uuid, index, gpu.node, gpu.tier, gpu.model, gpu.memory_bytes, gpu.pci_bus_id, gpu.slice_of)


def _handles() -> Iterator[Any]:
    for number in range(pynvml.nvmlDeviceGetCount()):
        handle = _ask(partial(pynvml.nvmlDeviceGetHandleByIndex, number))
        if handle is not None:
            yield handle


def _answers(uuid: str) -> bool:
    def look() -> bool:
        pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByUUID(uuid))
        return True

    return bool(_ask(look))


def _ask(question: Callable[[], Any]) -> Any:
    """The answer, or None where this driver or GPU has none."""
    try:
        return question()
    except pynvml.NVMLError:
        return None


def _say(error: pynvml.NVMLError) -> str:
    if isinstance(error, pynvml.NVMLError_LibraryNotFound):
        return "the driver's library libnvidia-ml.so.1 is missing"
    return str(error)

"""The real nvidia-ml-py over a driver of our own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.missing import is_missing

ASK = """
import ctypes, json, sys
if len(sys.argv) > 1: ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
from dataclasses import asdict
from rota.fleet.nvml import lost_gpus, read_inventory
found = read_inventory()
print(json.dumps({**asdict(found), "lost": sorted(lost_gpus(("GPU-0", "GPU-1")))}))
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our driver, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        why = "no C compiler here: apt install gcc"
        is_missing(why)
    library = tmp_path_factory.mktemp("nvml") / "libnvidia-ml.so.1"
    source = Path(__file__).parent / "fake_nvml.c"
    made = [compiler, "-shared", "-fPIC", "-w", "-Wl,-soname,libnvidia-ml.so.1", "-o", str(library), str(source)]
    subprocess.run(made, check=True)
    return library


def ask(*words: str, **environment: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", ASK, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_gpus_are_numbered_by_bus_and_a_sliced_one_contributes_its_slices(driver: Path) -> None:
    found = ask(str(driver))
    assert [(gpu["uuid"], gpu["index"], gpu["tier"], gpu["slice_of"]) for gpu in found["gpus"]] == [
        ("MIG-2", 0, "h100-1g.10gb", "GPU-1"),
        ("MIG-3", 1, "h100-2g.20gb", "GPU-1"),
        ("GPU-0", 2, "rtx3090", None),
    ]
    assert [gpu["memory_bytes"] >> 30 for gpu in found["gpus"]] == [10, 20, 24]
    assert found["lost"] == []


def test_one_lost_gpu_does_not_hide_the_others(driver: Path) -> None:
    found = ask(str(driver), FAKE_LOST="1")
    assert [gpu["uuid"] for gpu in found["gpus"]] == ["GPU-0"]
    assert "dmesg" in found["trouble"][0]
    assert found["lost"] == ["GPU-1"]


def test_a_missing_driver_is_an_answer() -> None:
    if Path("/dev/nvidiactl").exists():
        pytest.skip("this machine has NVIDIA GPUs")
    assert "libnvidia-ml.so.1 is missing" in ask()["why"]

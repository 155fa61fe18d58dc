"""Each example prints the same checksum with rotation as without."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rota.engines.on_path import rota_turn
from tests.end_to_end.session import EXAMPLES, Rota

CASES = {
    "count.py": ("--target", "40", "--pace", "0.1"),
    "digits_numpy.py": ("--epochs", "30", "--pace", "0.15"),
    "count.sh": ("40", "0.1"),
    "periodic.py": ("{checkpoint}", "80", "0.05"),
    "train_torch.py": ("--steps", "120", "--pace", "0.08", "--save-every", "10"),
}


@pytest.mark.parametrize(
    "script",
    [pytest.param(name, marks=[pytest.mark.long] if name in ("count.sh", "periodic.py") else []) for name in CASES],
)
def test_the_checksum_is_the_same_with_and_without_rotation(
    make_rota: Callable[..., Rota], tmp_path: Path, script: str
) -> None:
    if "torch" in script and importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed here (it is large): pip install torch")
    quantum = "5s" if "torch" in script else "1s"  # importing PyTorch alone takes seconds
    rota = make_rota(fleet="h100:1", quantum=quantum).up()
    alone = run(rota, tmp_path / "alone", script)
    rota.wait_for(alone, "finished", timeout_s=60)
    first, second = (run(rota, tmp_path / name, script) for name in ("first", "second"))
    turns = [rota.wait_for(job, "finished", timeout_s=90)["job"]["turns"] for job in (first, second)]
    assert sum(turns) >= 3, f"they did not rotate: {turns}"
    assert checksum(rota, first) == checksum(rota, second) == checksum(rota, alone)


def run(rota: Rota, checkpoint: Path, script: str) -> int:
    command = ["bash" if script.endswith(".sh") else sys.executable, str(EXAMPLES / script)]
    words = [word.format(checkpoint=checkpoint) for word in CASES[script]]
    return rota.submit("--checkpoint", str(checkpoint), "--", *command, *words)


def checksum(rota: Rota, job: int) -> str:
    """A script that has never heard of Rota, and is done in its grace, says it again in one last short turn."""
    found = set(re.findall(r"^checksum (\w+)$", rota("logs", str(job)), re.MULTILINE))
    assert len(found) == 1, rota("logs", str(job))
    return str(found.pop())


def test_outside_rota_the_library_does_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("ROTA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    assert rota_turn.ending() is False
    assert rota_turn.checkpoint_path("mine") == "mine"
    assert rota_turn.turn_ends() is None
    rota_turn.progress(1, 2)
    rota_turn.done()
    assert list(tmp_path.iterdir()) == []

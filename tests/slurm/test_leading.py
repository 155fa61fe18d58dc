"""What is said to Slurm is said by the daemon that leads."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rota.slurm.commands import SlurmUnavailable
from rota.slurm.leading import while_leading


def test_slurm_hears_from_the_leader_and_from_nobody_else() -> None:
    heard: list[tuple[str, str]] = []
    leads = [True, False, True]

    def run(words: Sequence[str], given: str = "") -> str:
        heard.append((words[0], given))
        return "4711"

    led = while_leading(run, lambda: leads.pop(0))
    assert led(["sbatch"], "#!/bin/sh") == "4711"
    with pytest.raises(SlurmUnavailable, match="waits for its database"):
        led(["scancel", "4711"], "")
    assert led(["squeue"], "") == "4711"
    assert heard == [("sbatch", "#!/bin/sh"), ("squeue", "")]

"""Each test gets a Rota of its own in a short path (Unix sockets allow 107 bytes)."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.session import Rota, processes_with


@pytest.fixture
def make_rota() -> Iterator[Callable[..., Rota]]:
    """Builds Rotas; at the end of the test none of their processes is left."""
    made: list[Rota] = []

    def make(**options: str) -> Rota:
        rota = Rota(Path(tempfile.mkdtemp(prefix="rota-")), **options)
        rota.state.chmod(0o755)
        made.append(rota)
        return rota

    yield make
    for rota in made:
        with contextlib.suppress(Exception):
            rota.down()
        for pid in processes_with(str(rota.state)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(rota.state, ignore_errors=True)


@pytest.fixture
def rota(make_rota: Callable[..., Rota]) -> Rota:
    """A Rota with two simulated GPUs that is up."""
    return make_rota().up()

"""A local engine on a folder of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rota.engines.contract import EngineEvent, StartOrder
from rota.engines.local.engine import KeeperSettings, LocalEngine
from tests.builders import a_gpu
from tests.end_to_end.session import processes_with
from tests.engines.contract import Does, real_order, real_runs

FAST = KeeperSettings(term_s=0.5, settle_s=0.1, log_keep_bytes=4 * 2**20)


class LocalBench:
    """A LocalEngine without an event loop, looked at by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.work = folder, folder / "work"
        self.work.mkdir()
        self.engine = LocalEngine(folder, time.time, FAST)
        self.seen: list[EngineEvent] = []

    def look(self) -> list[EngineEvent]:
        self.engine.poll()
        self.seen.extend(self.engine.events())
        return self.seen

    def crash(self) -> None:
        self.engine.detach()
        self.seen = []
        self.engine = LocalEngine(self.folder, time.time, FAST)

    def output(self, turn: str) -> str:
        log = self.folder / "turns" / turn / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def order(self, turn: str, does: Does) -> StartOrder:
        return real_order(turn, does, self.work, a_gpu(0))

    def runs(self, job: int) -> int:
        return real_runs(self.work)

    def left(self) -> list[int]:
        """Processes of this engine's turns that are alive."""
        return processes_with(f"ROTA_TURN_DIR={self.folder}")


@pytest.fixture
def bench() -> Iterator[LocalBench]:
    folder = Path(tempfile.mkdtemp(prefix="rota-engine-"))
    folder.chmod(0o755)
    made = LocalBench(folder)
    yield made
    made.engine.detach()
    for pid in processes_with(str(folder)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)

"""How far a job is, read from what it prints."""

from __future__ import annotations

import sys

from tests.end_to_end.session import Rota
from tests.waiting import wait_until

EPOCHS = """
import sys, time
for epoch in (1, 2):
    for batch in range(1 if epoch == 1 else 0, 31):
        name, part = f"Epoch {epoch}/3", 100 * batch // 30
        sys.stderr.write(f"\\r{name}: {part:3}%|#####     | {batch}/30 [00:01<00:01, 30.0it/s, loss=0.31]")
        if (epoch, batch) == (2, 15):
            time.sleep(1000)
"""


def test_a_script_that_never_heard_of_rota_shows_its_progress(rota: Rota) -> None:
    number = rota.submit("--", sys.executable, "-c", EPOCHS)
    wait_until(lambda: rota.job(number)["job"]["progress"] == [45, 90], 30, 0.2, "its progress")
    assert "45 of 90" in rota("show", str(number))
    rota.kill_daemon()
    rota.up()
    wait_until(lambda: rota.job(number)["job"]["progress"] == [45, 90], 30, 0.2, "its progress after a restart")

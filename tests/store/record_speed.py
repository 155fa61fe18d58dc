"""How long one durable submit takes on SQLite: `python -m tests.store.record_speed [FOLDER]`."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from rota.domain.jobs import Transition
from rota.domain.reasons import Asked
from rota.store.contract import Entries
from rota.store.open import open_store, sqlite_url
from tests.builders import a_job, a_launch

SUBMITS = 500
WARM_UP = 50
#: As large as a researcher's usually is: about 4 kB.
ENVIRONMENT = {f"VARIABLE_{n}": "/opt/conda/envs/vision/lib" for n in range(80)}


def a_submit(number: int) -> Entries:
    """What the daemon writes down for one `rota run`: the job, how to start it, and its first step."""
    launch = a_launch("python", "train.py", "--seed", str(number), environment=ENVIRONMENT)
    step = Transition("job", str(number), "", "waiting", float(number), Asked("kim", "submit"))
    return Entries(jobs=(a_job(number),), launches=((number, launch),), transitions=(step,))


def measure_record_s(folder: Path) -> list[float]:
    """Seconds of each record, after a warm-up, in a new database in that folder."""
    store = open_store(sqlite_url(folder))
    taken = []
    for number in range(1, WARM_UP + SUBMITS + 1):
        submit = a_submit(number)
        began = time.perf_counter()
        store.record(submit)
        taken.append(time.perf_counter() - began)
    store.close()
    return taken[WARM_UP:]


def main() -> None:
    """Print the median, and how many submits a second that makes."""
    beside = sys.argv[1] if len(sys.argv) > 1 else "."  # a disk, not /tmp, which may be memory
    with tempfile.TemporaryDirectory(dir=beside) as folder:
        taken = measure_record_s(Path(folder))
    median, slow = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
    print(f"record: median {median * 1e3:.2f} ms, 95 % under {slow * 1e3:.2f} ms, {1 / median:.0f} a second (SQLite)")


if __name__ == "__main__":
    main()

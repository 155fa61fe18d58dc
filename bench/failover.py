"""`python -m bench.failover`: how long a laboratory is without a Rota when its head node is lost.

From what happens to the first answer of the other head node, both on this machine. Targets stand beside the figures;
nothing fails when a machine is slow. As root it also cuts the power of a host, which is a network namespace.
"""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.end_to_end.far_host import far_host
from tests.end_to_end.heads import Heads, two_heads
from tests.end_to_end.session import Rota, processes_with
from tests.postgres import own_postgres

RUNS = 5
WAITING = 1000  # jobs that the next leader takes up


@contextmanager
def heads(also_at: str = "") -> Iterator[Heads]:
    """Two head nodes over a PostgreSQL of their own; nothing of them is left."""
    made: list[Rota] = []

    def make(**options: str) -> Rota:
        made.append(Rota(Path(tempfile.mkdtemp(prefix="rota-bench-")), **options))
        return made[-1]

    with own_postgres(also_at) as postgres, two_heads(make, postgres) as pair:
        yield pair
        for rota in made:
            for pid in processes_with(str(rota.state)):
                os.kill(pid, signal.SIGKILL)
    for rota in made:
        shutil.rmtree(rota.state, ignore_errors=True)


def to_and_fro(pair: Heads, end: Callable[[Rota], None]) -> float:
    """Median seconds until the other one leads, with a thousand jobs waiting; each is started again as a standby."""
    leader, other, took = pair.first, pair.second, []
    for _ in range(RUNS):
        end(leader)
        took.append(pair.await_lead(other))
        assert leader.daemon is not None
        leader.daemon.wait()
        pair.begin(leader)
        pair.await_standby(leader)
        leader, other = other, leader
    return statistics.median(took)


def signalled(sign: signal.Signals) -> Callable[[Rota], None]:
    def end(rota: Rota) -> None:
        assert rota.daemon is not None
        rota.daemon.send_signal(sign)

    return end


def say(what: str, seconds: float, target: str) -> None:
    print(f"{what:<58}{seconds:>6.1f} s   {target}", flush=True)


def main() -> None:
    """Measure."""
    with heads() as pair:
        pair.begin_both()
        pair.first("run", "--array", f"1-{WAITING}", "--", "sleep", "100000")
        say("the daemon is killed (kill -9)", to_and_fro(pair, signalled(signal.SIGKILL)), "<= 5 s")
        say("the daemon is stopped (SIGTERM)", to_and_fro(pair, signalled(signal.SIGTERM)), "<= 5 s")
    with heads() as pair:
        pair.begin_both()
        signalled(signal.SIGSTOP)(pair.first)
        say("the daemon hangs (SIGSTOP): the lease", pair.await_lead(pair.second, 60), "<= 35 s")
    if os.geteuid() == 0 and shutil.which("ip"):
        with far_host() as host, heads(host.address_here) as pair:
            pair.begin_far(pair.first, host)
            pair.await_lead(pair.first)
            pair.begin(pair.second)
            pair.await_standby(pair.second)
            host.cut()
            say("the head node loses its power, or its network", pair.await_lead(pair.second, 60), "<= 20 s")


if __name__ == "__main__":
    main()

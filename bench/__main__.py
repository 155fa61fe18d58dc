"""`python -m bench`: prints one table. Targets stand beside the figures; nothing fails when a machine is slow."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.end_to_end.session import Rota
from tests.waiting import wait_until

from bench.table import Row, show

RUNS = 15
MANY_WAITING = 1000


def median_ms(action: Callable[[], object], runs: int = RUNS) -> float:
    """Median wall time of the action in milliseconds, after one that does not count."""
    action()
    spent = []
    for _ in range(runs):
        began = time.perf_counter()
        action()
        spent.append((time.perf_counter() - began) * 1e3)
    return statistics.median(spent)


def main() -> None:
    """Measure on a fresh Rota with eight simulated GPUs."""
    folder = Path(tempfile.mkdtemp(prefix="rota-bench-"))
    rota = Rota(folder, fleet="h100:8").up()
    try:
        python_ms = median_ms(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
        rows = [
            Row("python -c pass (the baseline)", python_ms, "ms", "", "1.0x"),
            timed("rota run, whole process", lambda: rota("run", "--", "true"), "<= 150 ms", python_ms),
            Row("submit to first line of output", first_line_ms(rota), "ms", "<= 300 ms", "gflow 1,170; Slurm 740"),
            Row("durable submits/s, one connection", submits_per_s(rota, 1), "/s", ">= 300 /s", ""),
            Row("durable submits/s, 8 connections", submits_per_s(rota, 8), "/s", ">= 300 /s", ""),
        ]
        fill(rota)
        rows += [
            timed(f"rota list, {len(rota.jobs())} jobs", lambda: rota("list"), "<= 250 ms", python_ms),
            Row("daemon at rest, 1,000 waiting", resting_percent(rota), "% core", "< 1 %", "over 10 s"),
        ]
        show(rows)
    finally:
        assert rota.daemon is not None
        rota.daemon.kill()
        subprocess.run(["pkill", "-9", "-f", str(folder)], check=False)
        subprocess.run(["rm", "-rf", str(folder)], check=False)


def timed(what: str, action: Callable[[], object], target: str, baseline_ms: float) -> Row:
    spent_ms = median_ms(action)
    return Row(what, spent_ms, "ms", target, f"{spent_ms / baseline_ms:.1f}x")


def first_line_ms(rota: Rota) -> float:
    """From typing `rota run` to the first byte in the job's log, on an idle GPU."""

    def once() -> None:
        number = rota.submit("--", "echo", "first line")
        log = rota.state / "turns" / f"{number}.1" / "log"
        wait_until(lambda: log.exists() and log.stat().st_size > 0, 10, 0.001)

    return median_ms(once)


def submits_per_s(rota: Rota, connections: int, seconds: float = 3.0) -> float:
    """Acknowledged submits over kept-alive connections to the Unix socket; each is on disk when it is answered."""
    body = json.dumps({"argv": ["true"], "cwd": "/", "checkpoint": "/tmp/none", "after": []}).encode()
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
    head = f"POST /api/v1/jobs HTTP/1.1\r\nHost: rota\r\n{kind}\r\n\r\n"
    stop_at = time.monotonic() + seconds

    def client(_: int) -> int:
        done = 0
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(rota.state / "rota.sock"))
            answers = connection.makefile("rb")
            while time.monotonic() < stop_at:
                connection.sendall(head.encode() + body)
                assert b"201" in answers.readline()
                length = 0
                while (line := answers.readline().strip()) != b"":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                answers.read(length)
                done += 1
        return done

    with ThreadPoolExecutor(connections) as pool:
        total = sum(pool.map(client, range(connections)))
    empty(rota)
    return total / seconds


def empty(rota: Rota) -> None:
    """Cancel what is left, so that the next figure starts from rest."""
    while jobs := rota.jobs():
        for start in range(0, len(jobs), 500):
            rota.run("cancel", *(str(job["job"]) for job in jobs[start : start + 500]))


def fill(rota: Rota) -> None:
    """Eight turns that do nothing, and a thousand jobs that wait for them."""
    rota("run", "--array", f"1-{MANY_WAITING + 8}", "--", "sleep", "1000")
    wait_until(lambda: sum(job["state"] == "running" for job in rota.jobs()) == 8, 30)


def resting_percent(rota: Rota, seconds: float = 10.0) -> float:
    """Processor time of the daemon while nothing happens, in percent of one core."""
    assert rota.daemon is not None
    stat = Path(f"/proc/{rota.daemon.pid}/stat")

    def cpu_s() -> float:
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    time.sleep(1.0)  # let the last plan settle; what is measured is rest
    before = cpu_s()
    time.sleep(seconds)
    return (cpu_s() - before) / seconds * 100


if __name__ == "__main__":
    main()

"""What every engine must do, as a suite: subclass it and give `bench`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from rota.domain.gpus import Gpu
from rota.domain.jobs import Launch
from rota.engines.contract import Began, Ended, EndOrder, Engine, EngineEvent, Noticed, Patience, Saved, StartOrder
from rota.errors import EngineUnavailable
from tests.builders import a_gpu
from tests.waiting import wait_until

COUNT = """
import json, os, signal, sys, time
path, pace, target = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
n = json.load(open(path)) if os.path.exists(path) else 0
def save(*_):
    open(path + ".new", "w").write(json.dumps(n)); os.rename(path + ".new", path)
def stop(*_):
    save(); sys.exit(0)
signal.signal(signal.SIGUSR1, stop)
print("from", n, flush=True)
while n < target:
    time.sleep(pace); n += 1
save()
"""


@dataclass(frozen=True)
class Does:
    """What a job does, whether it is a process or a simulated one."""

    lasts_s: float = 0.0
    exit_code: int = 0
    saves_every_s: float | None = None
    saves_on_notice: bool = False  #: and exits then
    has_checkpoint: bool = False  #: has told a path, whether or not it ever saves


LONG = Does(lasts_s=1000)
COUNTS = Does(lasts_s=1000, saves_on_notice=True, has_checkpoint=True)
DEAF = Does(lasts_s=1000, has_checkpoint=True)


class Bench(Protocol):
    """An engine under test, and what it has reported so far."""

    engine: Engine
    seen: list[EngineEvent]

    def look(self) -> list[EngineEvent]: ...

    def crash(self) -> None:
        """The daemon dies and a new one comes."""

    def order(self, turn: str, does: Does) -> StartOrder:
        """A turn of a job that does this, on the first GPU."""

    def runs(self, job: int) -> int:
        """How often the job's command was executed."""


DOER = """
import os, signal, sys, time
folder, lasts_s, code, every_s, on_notice = sys.argv[1], *map(float, sys.argv[2:])
with open(folder + "/runs", "a") as runs:
    runs.write("x")
def save(*_):
    with open(folder + "/c.new", "w") as file:
        file.write(str(time.time()))
    os.rename(folder + "/c.new", folder + "/c")
def stop(*_):
    save(); sys.exit(0)
if on_notice:
    signal.signal(signal.SIGUSR1, stop)
print("ready", flush=True)
ends, saves = time.monotonic() + lasts_s, time.monotonic() + every_s
while (now := time.monotonic()) < ends:
    if every_s and now >= saves:
        save(); saves += every_s
    time.sleep(min(ends - now, 0.02))
sys.exit(int(code))
"""


def real_order(turn: str, does: Does, folder: Path, gpu: Gpu) -> StartOrder:
    """The job as a process that works in `folder`."""
    numbers = (does.lasts_s, does.exit_code, does.saves_every_s or 0, int(does.saves_on_notice))
    has_checkpoint = does.has_checkpoint or does.saves_every_s is not None
    return an_order(
        turn, sys.executable, "-c", DOER, str(folder), *map(str, numbers),
        checkpoint=str(folder / "c") if has_checkpoint else None, gpus=(gpu,),
    )  # fmt: skip


def real_runs(folder: Path) -> int:
    """How often a job of `real_order` was executed."""
    runs = folder / "runs"
    return len(runs.read_text()) if runs.exists() else 0


def an_order(turn: str = "1.1", *argv: str, cwd: str = "/", **changes: Any) -> StartOrder:
    """One simulated GPU; the command is `true` unless given."""
    job, number = (int(part) for part in turn.split("."))
    import os

    launch = Launch(argv or ("true",), cwd, dict(os.environ), uid=os.geteuid(), gid=os.getegid())
    return replace(
        StartOrder(turn, job, number, f"job-{job}", "vision", launch, (a_gpu(0),), guaranteed_until=4e9), **changes
    )


def counting(turn: str, path: Path, target: int = 100_000) -> StartOrder:
    """Counts for a long time, and saves on the notice."""
    return an_order(turn, sys.executable, "-c", COUNT, str(path), "0.005", str(target), checkpoint=str(path))


def wait_for(bench: Bench, kind: type, turn: str = "1.1", timeout_s: float = 20) -> Any:
    """The first report of that kind about the turn."""

    def found() -> EngineEvent | None:
        return next((e for e in bench.look() if isinstance(e, kind) and e.turn == turn), None)

    return wait_until(found, timeout_s, 0.01, f"{kind.__name__} of {turn}; seen {bench.seen}")


def adopt(bench: Bench, order: StartOrder, was_started: bool) -> None:
    """As the daemon does: an engine that cannot say yet is asked again."""

    def is_adopted() -> bool:
        try:
            bench.engine.adopt(order, was_started)
        except EngineUnavailable:
            return False
        return True

    wait_until(is_adopted, 10)


class EngineContract:
    """The suite. `bench` is a fixture of the subclass."""

    def test_a_turn_begins_and_ends_with_its_exit_code(self, bench: Bench) -> None:
        bench.engine.start(bench.order("1.1", Does(exit_code=3)))
        assert wait_for(bench, Began).turn == "1.1"
        ended: Ended = wait_for(bench, Ended)
        assert (ended.exit_code, ended.signal, ended.was_terminated, ended.is_lost) == (3, None, False, False)

    def test_started_twice_it_runs_once(self, bench: Bench) -> None:
        order = bench.order("1.1", Does(lasts_s=0.3))
        for _ in range(3):
            bench.engine.start(order)
        wait_for(bench, Ended)
        bench.engine.start(order)
        bench.look()
        assert bench.runs(1) == 1

    def test_a_polite_end_waits_for_the_checkpoint(self, bench: Bench) -> None:
        bench.engine.start(bench.order("1.1", COUNTS))
        wait_for(bench, Began)
        _until_it_says(bench, "ready")
        bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=10))
        assert wait_for(bench, Noticed).turn == "1.1"
        ended: Ended = wait_for(bench, Ended)
        assert ended.saved_after_notice
        assert ended.notice_at is not None
        assert ended.saved_at is not None

    def test_a_deaf_job_is_ended_when_its_grace_has_run_out_twice(self, bench: Bench) -> None:
        bench.engine.start(bench.order("1.1", DEAF))
        wait_for(bench, Began)
        bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=0.4))
        ended: Ended = wait_for(bench, Ended)
        assert ended.was_terminated
        assert not ended.saved_after_notice
        assert ended.notice_at is not None
        assert ended.at - ended.notice_at >= 0.7

    def test_at_once_overrides_a_polite_end(self, bench: Bench) -> None:
        bench.engine.start(bench.order("1.1", DEAF))
        wait_for(bench, Began)
        bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=1000))
        wait_for(bench, Noticed)
        bench.engine.end(EndOrder("1.1", Patience.AT_ONCE))
        assert wait_for(bench, Ended).was_terminated

    def test_ending_what_has_ended_or_never_was_is_no_error(self, bench: Bench) -> None:
        bench.engine.start(bench.order("1.1", Does()))
        wait_for(bench, Ended)
        bench.engine.end(EndOrder("1.1", Patience.AT_ONCE))
        bench.engine.end(EndOrder("7.7", Patience.AT_ONCE))
        bench.look()

    def test_a_turn_that_was_granted_but_never_started_is_started_by_adoption(self, bench: Bench) -> None:
        bench.engine.adopt(bench.order("1.1", Does()), was_started=False)
        assert wait_for(bench, Ended).exit_code == 0

    def test_a_turn_that_runs_is_found_again_and_not_started_anew(self, bench: Bench) -> None:
        order = bench.order("1.1", Does(lasts_s=1.5))
        bench.engine.start(order)
        wait_for(bench, Began)
        bench.crash()
        adopt(bench, order, was_started=True)
        wait_for(bench, Began)
        assert wait_for(bench, Ended).exit_code == 0
        assert bench.runs(1) == 1

    def test_a_turn_that_ended_while_nobody_listened_is_reported(self, bench: Bench) -> None:
        order = bench.order("1.1", Does(exit_code=5))
        bench.engine.start(order)
        bench.crash()
        adopt(bench, order, was_started=False)
        assert wait_for(bench, Ended).exit_code == 5

    def test_a_turn_of_which_nothing_is_left_is_lost(self, bench: Bench) -> None:
        bench.engine.adopt(bench.order("9.4", Does()), was_started=True)
        assert wait_for(bench, Ended, "9.4").is_lost
        assert bench.runs(9) == 0

    def test_saves_are_reported_with_the_jobs_own_interval(self, bench: Bench) -> None:
        bench.engine.start(bench.order("1.1", Does(lasts_s=1000, saves_every_s=1.1)))

        def saved_with_interval() -> Saved | None:
            return next((e for e in bench.look() if isinstance(e, Saved) and e.interval_s), None)

        saved = wait_until(saved_with_interval, 15)
        assert saved.interval_s is not None
        assert 0.5 < saved.interval_s < 3.0
        bench.engine.end(EndOrder("1.1", Patience.AT_ONCE))
        wait_for(bench, Ended)


def _until_it_says(bench: Bench, word: str) -> None:
    read: Callable[[str], str] = getattr(bench, "output", lambda turn: word)
    wait_until(lambda: word in read("1.1"), 10, 0.01)

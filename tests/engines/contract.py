"""What every engine must do, as a suite: subclass it and give `engine`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

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


class Bench(Protocol):
    """An engine under test, and what it has reported so far."""

    engine: Engine
    seen: list[EngineEvent]

    def look(self) -> list[EngineEvent]: ...

    def crash(self) -> None:
        """The daemon dies and a new one comes."""


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
    """The suite. `bench` is a fixture of the subclass; `work` makes orders that the engine can run."""

    def test_a_turn_begins_and_ends_with_its_exit_code(self, bench: Bench) -> None:
        bench.engine.start(an_order("1.1", "sh", "-c", "exit 3"))
        assert wait_for(bench, Began).turn == "1.1"
        ended: Ended = wait_for(bench, Ended)
        assert (ended.exit_code, ended.signal, ended.was_terminated, ended.is_lost) == (3, None, False, False)

    def test_started_twice_it_runs_once(self, bench: Bench, tmp_path: Path) -> None:
        order = an_order("1.1", "sh", "-c", f"echo x >> {tmp_path}/runs; sleep 0.3")
        for _ in range(3):
            bench.engine.start(order)
        wait_for(bench, Ended)
        bench.engine.start(order)
        wait_until(lambda: True, 1)
        assert (tmp_path / "runs").read_text() == "x\n"

    def test_a_polite_end_waits_for_the_checkpoint(self, bench: Bench, tmp_path: Path) -> None:
        bench.engine.start(counting("1.1", tmp_path / "c"))
        wait_for(bench, Began)
        _until_it_says(bench, "from")
        bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=10))
        assert wait_for(bench, Noticed).turn == "1.1"
        ended: Ended = wait_for(bench, Ended)
        assert ended.saved_after_notice
        assert ended.notice_at is not None
        assert (tmp_path / "c").exists()

    def test_a_deaf_job_is_ended_when_its_grace_has_run_out_twice(self, bench: Bench, tmp_path: Path) -> None:
        bench.engine.start(an_order("1.1", "sleep", "100", checkpoint=str(tmp_path / "never")))
        wait_for(bench, Began)
        bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=0.4))
        ended: Ended = wait_for(bench, Ended)
        assert ended.was_terminated
        assert not ended.saved_after_notice
        assert ended.notice_at is not None
        assert ended.at - ended.notice_at >= 0.7

    def test_at_once_overrides_a_polite_end(self, bench: Bench, tmp_path: Path) -> None:
        bench.engine.start(an_order("1.1", "sleep", "100", checkpoint=str(tmp_path / "never")))
        wait_for(bench, Began)
        bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=1000))
        wait_for(bench, Noticed)
        bench.engine.end(EndOrder("1.1", Patience.AT_ONCE))
        assert wait_for(bench, Ended).was_terminated

    def test_ending_what_has_ended_or_never_was_is_no_error(self, bench: Bench) -> None:
        bench.engine.start(an_order("1.1"))
        wait_for(bench, Ended)
        bench.engine.end(EndOrder("1.1", Patience.AT_ONCE))
        bench.engine.end(EndOrder("7.7", Patience.AT_ONCE))

    def test_a_turn_that_was_granted_but_never_started_is_started_by_adoption(self, bench: Bench) -> None:
        bench.engine.adopt(an_order("1.1"), was_started=False)
        assert wait_for(bench, Ended).exit_code == 0

    def test_a_turn_that_runs_is_found_again_and_not_started_anew(self, bench: Bench, tmp_path: Path) -> None:
        order = an_order("1.1", "sh", "-c", f"echo x >> {tmp_path}/runs; sleep 1")
        bench.engine.start(order)
        wait_for(bench, Began)
        bench.crash()
        adopt(bench, order, was_started=True)
        wait_for(bench, Began)
        assert wait_for(bench, Ended).exit_code == 0
        assert (tmp_path / "runs").read_text() == "x\n"

    def test_a_turn_that_ended_while_nobody_listened_is_reported(self, bench: Bench, tmp_path: Path) -> None:
        order = an_order("1.1", "sh", "-c", f"touch {tmp_path}/done; exit 5")
        bench.engine.start(order)
        bench.crash()
        adopt(bench, order, was_started=False)
        assert wait_for(bench, Ended).exit_code == 5

    def test_a_turn_of_which_nothing_is_left_is_lost(self, bench: Bench) -> None:
        bench.engine.adopt(an_order("9.4"), was_started=True)
        assert wait_for(bench, Ended, "9.4").is_lost

    def test_saves_are_reported_with_the_jobs_own_interval(self, bench: Bench, tmp_path: Path) -> None:
        save = f"echo $i > {tmp_path}/s.new; mv {tmp_path}/s.new {tmp_path}/s"
        script = f"for i in 1 2 3 4 5 6 7 8; do {save}; sleep 1.1; done"
        bench.engine.start(an_order("1.1", "sh", "-c", script, checkpoint=str(tmp_path / "s")))

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

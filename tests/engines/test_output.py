"""What the keeper reads of a job's output, and what it does not let a job's output do to it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rota.engines.contract import Ended, Progressed
from rota.engines.keeper.order import TurnOrder
from rota.engines.keeper.output import HEAD_BYTES, REST_S, TAIL_BYTES, Output
from rota.forecast.outputs import Reader
from tests.engines.conftest import LocalBench
from tests.engines.contract import adopt, an_order, wait_for
from tests.waiting import wait_until

#: Draws a bar of 200 steps to 40 and waits there, as a training in the middle of an epoch.
BAR = """
import sys, time
for step in range(41):
    sys.stderr.write(f"\\rSteps: {step // 2:3}%|##        | {step}/200 [00:10<00:12, 4.0it/s]")
    sys.stderr.flush()
time.sleep(1000)
"""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[int]:
    file = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    yield file
    os.close(file)


def an_output(log: int, output: Path | None = None, before: tuple[int, int] | None = None) -> Output:
    """Of a turn that is about to start."""
    order = TurnOrder(
        "1.1", ("train.py",), "/", {}, 0o022, os.getuid(), os.getgid(), (), "kim", (),
        output=str(output) if output else None, progress_before=before,
    )  # fmt: skip
    return Output(order, log)


# --- what is read ----------------------------------------------------------------------------------


def test_a_log_is_read_as_it_grows_and_not_at_every_look(log: int) -> None:
    output = an_output(log)
    assert not output.look(0.0)
    os.write(log, b"Epoch 1/90\n")
    assert not output.look(REST_S / 2)
    assert output.look(REST_S)
    assert output.progress == (0, 90)
    os.write(log, b"Epoch 2/90\nEpoch 3/90\n")
    assert output.look(2 * REST_S)
    assert output.progress == (2, 90)
    assert not output.look(3 * REST_S)


def test_of_a_members_own_file_only_what_this_turn_wrote_is_read(log: int, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("Epoch 80/90\n")
    output = an_output(log, own)
    output.look(0.0)
    with own.open("a") as file:
        file.write("Epoch 1/50\nEpoch 2/50\n")
    assert output.look(REST_S)
    assert output.progress == (1, 50)


def test_a_file_that_its_member_empties_is_read_on_from_its_beginning(log: int, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    output = an_output(log, own)
    own.write_text("Epoch 1/50\nsome words\n")
    output.look(0.0)
    own.write_text("Epoch 7/50\n")
    output.look(REST_S)
    assert output.progress == (6, 50)


def test_of_a_flood_the_beginning_and_the_end_are_read(log: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[int] = []
    feed = Reader.feed
    monkeypatch.setattr(Reader, "feed", lambda reader, chunk: (fed.append(len(chunk)), feed(reader, chunk)))
    output = an_output(log)
    os.write(log, b"max_epochs=90\n" + b"noise 1/2\n" * 500_000 + b"Epoch 3\n")
    assert output.look(0.0)
    assert output.progress == (2, 90)
    assert sum(fed) <= HEAD_BYTES + TAIL_BYTES


@pytest.mark.parametrize("kind", ["missing", "pipe", "device", "folder"])
def test_what_cannot_be_read_again_is_left_alone(log: int, tmp_path: Path, kind: str) -> None:
    path = {"device": Path("/dev/null"), "folder": tmp_path}.get(kind, tmp_path / kind)
    if kind == "pipe":
        os.mkfifo(path)
    output = an_output(log, path)
    for look in range(3):
        assert not output.look(look * REST_S)
    assert output.progress is None


def test_whatever_the_reader_stumbles_over_the_keeper_lives_on(log: int, monkeypatch: pytest.MonkeyPatch) -> None:
    output = an_output(log)
    os.write(log, b"Epoch 3/90\n")
    output.look(0.0)

    def stumble(_: Reader, __: bytes) -> None:
        raise IndexError

    monkeypatch.setattr(Reader, "feed", stumble)
    os.write(log, b"Epoch 4/90\n")
    assert output.look(REST_S)
    assert output.progress is None


# --- as the engine reports it ------------------------------------------------------------------------


def test_a_bar_that_a_job_draws_is_its_progress_also_for_the_next_daemon(bench: LocalBench) -> None:
    order = an_order("1.1", sys.executable, "-c", BAR)
    bench.engine.start(order)
    progressed = wait_for(bench, Progressed)
    assert progressed.progress == (40, 200)
    bench.crash()
    adopt(bench, order, was_started=True)
    assert wait_for(bench, Progressed) == progressed


def test_what_the_job_itself_tells_comes_before_what_it_prints(bench: LocalBench) -> None:
    code = (
        "import rota_turn, time\nprint('Epoch 3/4', flush=True)\nrota_turn.progress(1, 1000)\n"
        f"time.sleep({2 * REST_S})\nrota_turn.progress(1000, 1000)\ntime.sleep(1000)"
    )
    bench.engine.start(an_order("1.1", sys.executable, "-c", code))

    def told() -> list[tuple[int, int] | None]:
        return [event.progress for event in bench.look() if isinstance(event, Progressed)]

    wait_until(lambda: (1000, 1000) in told())
    assert told() == [(1, 1000), (1000, 1000)]


def test_a_job_that_prints_no_counter_has_no_progress(bench: LocalBench) -> None:
    bench.engine.start(an_order("1.1", "echo", "hello 3 of the 4"))
    wait_for(bench, Ended)
    assert not [event for event in bench.seen if isinstance(event, Progressed)]

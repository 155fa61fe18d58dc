"""The local engine: the contract, and what real processes can do to it."""

from __future__ import annotations

import json
import os
import pwd
import signal
import stat
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rota.domain.gpus import Gpu
from rota.engines.contract import Began, Ended, EndOrder, Noticed, Patience, Progressed
from rota.engines.turn_folder.logs import read_log
from rota.engines.turn_folder.orders import turn_environment
from tests.engines.conftest import LocalBench
from tests.engines.contract import EngineContract, an_order, counting, wait_for
from tests.waiting import wait_until

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to start jobs as another account")


class TestContract(EngineContract):
    """The suite that every engine passes."""


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


DAEMONS = """
import os, signal, sys, time
def daemon():
    if os.fork(): return
    os.setsid()
    if os.fork(): os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
    time.sleep(1000)
for _ in range(3): daemon()
while len(open(sys.argv[1]).readlines() if os.path.exists(sys.argv[1]) else []) < 3: time.sleep(0.01)
"""


def test_daemons_that_a_job_leaves_behind_end_with_its_turn(bench: LocalBench, tmp_path: Path) -> None:
    bench.engine.start(an_order("1.1", *python(DAEMONS), str(tmp_path / "pids")))
    assert wait_for(bench, Ended).exit_code == 0
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        assert not Path(f"/proc/{pid}").exists()
    assert bench.left() == []


def test_a_killed_keeper_loses_the_turn_and_leaves_no_process(bench: LocalBench, tmp_path: Path) -> None:
    bench.engine.start(an_order("1.1", *python(DAEMONS + "\ntime.sleep(1000)"), str(tmp_path / "pids")))
    wait_until(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().count("\n") == 3, 10)
    begun = json.loads((bench.folder / "turns/1.1/begun.json").read_text())
    os.kill(begun["keeper_pid"], signal.SIGKILL)
    ended = wait_for(bench, Ended)
    assert ended.is_lost
    assert bench.left() == []


def test_a_keeper_killed_while_no_daemon_lived_is_found_out_by_the_next(bench: LocalBench) -> None:
    order = an_order("1.1", "sleep", "1000")
    bench.engine.start(order)
    wait_for(bench, Began)
    begun = json.loads((bench.folder / "turns/1.1/begun.json").read_text())
    bench.crash()
    os.kill(begun["keeper_pid"], signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{begun['keeper_pid']}/exe").exists(), 5)
    bench.engine.adopt(order, was_started=True)
    assert wait_for(bench, Ended).is_lost
    assert bench.left() == []


def test_a_job_that_ignores_term_is_killed_in_time(bench: LocalBench) -> None:
    ignore = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    code = ignore + "print('deaf', flush=True)\ntime.sleep(1000)"
    bench.engine.start(an_order("1.1", *python(code)))
    wait_until(lambda: "deaf" in bench.output("1.1"), 10)
    began = time.monotonic()
    bench.engine.end(EndOrder("1.1", Patience.AT_ONCE))
    ended = wait_for(bench, Ended)
    assert ended.signal == signal.SIGKILL
    assert time.monotonic() - began < 5


def test_the_notice_goes_only_to_those_who_catch_it(bench: LocalBench, tmp_path: Path) -> None:
    """A shell without a trap would die of SIGUSR1; its child, which catches it, saves."""
    script = f'{sys.executable} -c "$CODE" {tmp_path}/c; echo shell lives on, exit $?'
    order = counting("1.1", tmp_path / "c")
    launch = replace(order.launch, argv=("sh", "-c", script), environment={**os.environ, "CODE": _saver()})
    bench.engine.start(replace(order, launch=launch))
    wait_until(lambda: "ready" in bench.output("1.1"), 10)
    bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=10))
    ended = wait_for(bench, Ended)
    assert ended.saved_after_notice
    assert (tmp_path / "c").read_text() == "saved"


def _saver() -> str:
    return (
        "import os, signal, sys, time\n"
        "def save(*_):\n open(sys.argv[1], 'w').write('saved'); sys.exit(0)\n"
        "signal.signal(signal.SIGUSR1, save)\nprint('ready', flush=True)\ntime.sleep(1000)"
    )


def test_a_script_that_catches_only_usr2_gets_that(bench: LocalBench, tmp_path: Path) -> None:
    code = _saver().replace("SIGUSR1", "SIGUSR2")
    bench.engine.start(an_order("1.1", *python(code), str(tmp_path / "c"), checkpoint=str(tmp_path / "c")))
    wait_until(lambda: "ready" in bench.output("1.1"), 10)
    bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=10))
    assert wait_for(bench, Ended).saved_after_notice


def test_a_checkpoint_being_written_is_not_taken_for_whole(bench: LocalBench, tmp_path: Path) -> None:
    """In place, over more than the settling time: the turn ends only after the last byte."""
    code = (
        "import signal, sys, time\n"
        "def save(*_):\n"
        " with open(sys.argv[1], 'w') as f:\n"
        "  for n in range(10): f.write('x'); f.flush(); time.sleep(0.15)\n"
        "signal.signal(signal.SIGUSR1, save)\nprint('ready', flush=True)\n"
        "while True: time.sleep(1)"
    )
    bench.engine.start(an_order("1.1", *python(code), str(tmp_path / "c"), checkpoint=str(tmp_path / "c")))
    wait_until(lambda: "ready" in bench.output("1.1"), 10)
    bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=10))
    assert wait_for(bench, Ended).saved_after_notice
    assert (tmp_path / "c").read_text() == "x" * 10


def test_rota_turn_tells_progress_the_notice_and_done(bench: LocalBench, tmp_path: Path) -> None:
    code = (
        "import rota_turn, time\n"
        "rota_turn.progress(3, 10)\n"
        "while not rota_turn.ending(): time.sleep(0.01)\n"
        "open(rota_turn.checkpoint_path(), 'w').write('all')\n"
        "rota_turn.done()\n"
    )
    bench.engine.start(an_order("1.1", *python(code), checkpoint=str(tmp_path / "c")))
    progressed = wait_for(bench, Progressed)
    assert (progressed.step, progressed.total) == (3, 10)
    bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=10, why="kim waits"))
    wait_for(bench, Noticed)
    assert json.loads((bench.folder / "turns/1.1/member/notice").read_text())["why"] == "kim waits"
    ended = wait_for(bench, Ended)
    assert ended.said_done
    assert ended.saved_after_notice


@pytest.mark.parametrize(
    ("argv", "cwd", "code", "said"),
    [
        (("no-such-command-here",), "/", 127, "cannot be executed"),
        (("/etc/passwd",), "/", 126, "permission denied"),
        (("true",), "/no/such/folder", 126, "cannot be entered"),
    ],
)
def test_what_cannot_be_started_is_said_in_a_sentence(
    bench: LocalBench, argv: tuple[str, ...], cwd: str, code: int, said: str
) -> None:
    bench.engine.start(an_order("1.1", *argv, cwd=cwd))
    ended = wait_for(bench, Ended)
    assert (ended.exit_code, ended.began_at, ended.clock_s) == (code, None, 0.0)
    assert said in ended.error


def test_a_long_log_keeps_its_beginning_and_its_end_and_little_disk(bench: LocalBench) -> None:
    code = "print('first line')\nfor n in range(30_000): print(n, 'x' * 1000)\nprint('last line', flush=True)"
    bench.engine.start(an_order("1.1", *python(code)))
    wait_for(bench, Ended)
    log = bench.folder / "turns/1.1/log"
    assert log.stat().st_size > 28 * 2**20
    assert log.stat().st_blocks * 512 < 12 * 2**20
    text, next_offset, _ = read_log(log, 0)
    assert text.startswith("first line\n")
    while next_offset < log.stat().st_size:
        piece, next_offset, _ = read_log(log, next_offset)
        text += piece
    assert "were let go here" in text
    assert text.endswith("last line\n")
    assert read_log(log, 0, tail_lines=1)[0] == "last line\n"


@AS_ROOT
def test_a_job_runs_as_its_member_with_all_that_belongs_to_it(bench: LocalBench, tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    order = an_order("1.1", "sh", "-c", "id -u; id -g; umask; pwd; touch $HOME/x || echo refused", cwd="/tmp")
    launch = replace(order.launch, uid=nobody.pw_uid, gid=nobody.pw_gid, groups=(nobody.pw_gid,), umask=0o027)
    bench.engine.start(
        replace(order, launch=replace(launch, environment={"HOME": "/root", "PATH": os.environ["PATH"]}))
    )
    assert wait_for(bench, Ended).exit_code == 0
    lines = bench.output("1.1").splitlines()
    assert lines[:2] == [str(nobody.pw_uid), str(nobody.pw_gid)]
    assert lines[2] == "0027"
    assert lines[3] == "/tmp"
    assert lines[-1] == "refused"


@AS_ROOT
def test_a_member_cannot_borrow_roots_rights_by_a_symbolic_link(bench: LocalBench, tmp_path: Path) -> None:
    """The member replaces their folder's notice by a link to root's file; the keeper must not write through it."""
    secret = tmp_path / "secret"
    secret.write_text("root's")
    secret.chmod(0o600)
    nobody = pwd.getpwnam("nobody")
    script = f'ln -s {secret} "$ROTA_NOTICE"; ln -s {secret} "$ROTA_RESULT"; echo linked; sleep 100'
    order = an_order("1.1", "sh", "-c", script, cwd="/tmp", checkpoint=str(secret))
    launch = replace(order.launch, uid=nobody.pw_uid, gid=nobody.pw_gid, environment={"PATH": os.environ["PATH"]})
    bench.engine.start(replace(order, launch=launch))
    wait_until(lambda: "linked" in bench.output("1.1"), 10)
    bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=0.2))
    wait_for(bench, Ended)
    assert secret.read_text() == "root's"


def test_a_members_environment_is_for_root_and_the_member_alone(bench: LocalBench) -> None:
    bench.engine.start(an_order("1.1"))
    wait_for(bench, Ended)
    mode = (bench.folder / "turns/1.1/order.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_real_gpus_are_named_by_uuid_and_simulated_ones_by_number() -> None:
    real = Gpu("GPU-aaaa", 3, "lab", "h100", "NVIDIA H100", 80 * 2**30)
    order = replace(an_order("1.1"), gpus=(real, replace(real, uuid="GPU-bbbb")))
    seen = turn_environment(order, Path("/turn"), Path("/lib"))
    assert seen["CUDA_VISIBLE_DEVICES"] == "GPU-aaaa,GPU-bbbb"
    assert turn_environment(an_order("1.1"), Path("/turn"), Path("/lib"))["CUDA_VISIBLE_DEVICES"] == "0"


def test_a_job_submitted_from_inside_a_turn_does_not_inherit_its_checkpoint() -> None:
    order = an_order("2.1")
    inside = replace(
        order, launch=replace(order.launch, environment={"ROTA_CHECKPOINT": "/outer", "PYTHONPATH": "/own"})
    )
    seen = turn_environment(inside, Path("/turn"), Path("/lib"))
    assert "ROTA_CHECKPOINT" not in seen
    assert seen["PYTHONPATH"] == "/lib:/own"

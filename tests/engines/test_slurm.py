"""The Slurm engine on a real Slurm: the suite that every engine must pass, and what only Slurm does."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from examples.slurm_cluster import Cluster

from rota.domain.gpus import Gpu
from rota.engines.contract import Began, Ended, EndOrder, EngineEvent, Patience, StartOrder
from rota.engines.slurm.engine import SlurmEngine
from rota.engines.slurm.held import HANDING_OVER, JOB
from rota.engines.slurm.settings import SlurmSite
from rota.engines.turn_folder.settings import KeeperSettings
from rota.errors import EngineUnavailable
from rota.fleet.slurm import find_slurm_fleet
from rota.slurm.commands import commands
from tests.end_to_end.session import processes_with
from tests.engines.contract import (
    COUNTS,
    LONG,
    Does,
    EngineContract,
    adopt,
    an_order,
    real_order,
    real_runs,
    wait_for,
)
from tests.slurm.cluster import booted_cluster, cluster
from tests.waiting import wait_until

__all__ = ["booted_cluster", "cluster"]


class SlurmBench:
    """A SlurmEngine without a thread of its own, looked at by hand."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.folder, self.cluster, self.work = folder, cluster, folder / "work"
        self.work.mkdir()
        self.run = commands(timeout_s=3, environment=cluster.environment)
        self.fleet = find_slurm_fleet(self.run)
        self.site = SlurmSite(
            folder / "turns",
            poll_s=0.2,
            fence_s=3.0,
            leaves_s=2.0,
            patience_s=3.0,
            keeper=KeeperSettings(term_s=0.5, settle_s=0.1),
        )
        self.seen: list[EngineEvent] = []
        self.engine = self.an_engine()

    def an_engine(self) -> SlurmEngine:
        return SlurmEngine(self.site, self.fleet, self.run, time.time)

    def look(self) -> list[EngineEvent]:
        self.engine.poll()
        self.seen.extend(self.engine.events())
        return self.seen

    def crash(self) -> None:
        self.look()
        self.seen = []
        self.engine = self.an_engine()

    def output(self, turn: str) -> str:
        log = self.site.turns_dir / turn / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def gpus(self, node: str) -> tuple[Gpu, ...]:
        return tuple(gpu for gpu in self.fleet.gpus if gpu.node == node)

    def order(self, turn: str, does: Does, node: str = "h100a") -> StartOrder:
        return real_order(turn, does, self.work, self.gpus(node)[0])

    def runs(self, job: int) -> int:
        return real_runs(self.work)

    def jobs(self) -> list[str]:
        """Slurm's jobs that are not over."""
        return self.cluster.run("squeue", "--noheader", "--format=%A").split()


@contextlib.contextmanager
def work_folder() -> Iterator[Path]:
    """That every account may enter; in the end neither it nor a process of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="rota-slurm-"))
    folder.chmod(0o755)
    yield folder
    for pid in processes_with(str(folder)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bench(cluster: Cluster) -> Iterator[SlurmBench]:
    with work_folder() as folder:
        yield SlurmBench(folder, cluster)


class TestContract(EngineContract):
    """The suite that every engine passes."""


# --- what a turn finds ---------------------------------------------------------------------------


def test_a_turn_on_one_node_finds_its_gpus_and_no_task_of_slurms(bench: SlurmBench) -> None:
    names = "CUDA_VISIBLE_DEVICES SLURM_JOB_ID SLURM_NTASKS SLURM_PROCID ROTA_TURN SLURMD_NODENAME FROM_ITS_MEMBER"
    script = f"import os, json; print(json.dumps({{n: os.environ.get(n) for n in {names.split()!r}}}))"
    order = an_order("5.2", sys.executable, "-c", script, gpus=bench.gpus("h100b"))
    own = {**order.launch.environment, "FROM_ITS_MEMBER": "yes", "SLURM_NTASKS": "99", "CUDA_VISIBLE_DEVICES": "7"}
    bench.engine.start(replace(order, launch=replace(order.launch, environment=own)))
    wait_for(bench, Ended, "5.2")
    found = json.loads(bench.output("5.2"))
    assert found.pop("SLURM_JOB_ID").isdigit()
    assert found == {
        "CUDA_VISIBLE_DEVICES": "0,1", "SLURM_NTASKS": None, "SLURM_PROCID": None, "ROTA_TURN": "2",
        "SLURMD_NODENAME": "h100b", "FROM_ITS_MEMBER": "yes",
    }  # fmt: skip


def test_a_gang_over_two_nodes_runs_through_srun(bench: SlurmBench) -> None:
    gpus = bench.gpus("h100a") + bench.gpus("h100b")
    bench.engine.start(an_order("6.1", "srun", "sh", "-c", "echo $SLURMD_NODENAME $SLURM_PROCID", gpus=gpus))
    assert wait_for(bench, Ended, "6.1").exit_code == 0
    assert sorted(bench.output("6.1").split("\n")[:-1]) == ["h100a 0", "h100a 1", "h100b 2", "h100b 3"]


def test_slurms_own_listing_shows_which_turn_a_job_is(bench: SlurmBench) -> None:
    bench.engine.start(replace(bench.order("7.3", LONG), job_name="my bert/1"))
    wait_until(lambda: bench.look() and "ready" in bench.output("7.3"), 20)
    assert bench.cluster.run("squeue", "--noheader", "--format=%j %N").strip() == "rota.7.3.my_bert_1 h100a"
    bench.engine.end(EndOrder("7.3", Patience.AT_ONCE))
    wait_for(bench, Ended, "7.3")
    assert bench.work.joinpath("runs").read_text() == "x"


# --- what goes wrong -----------------------------------------------------------------------------


def test_a_daemon_that_died_between_sbatch_and_its_note_hands_nothing_over_twice(bench: SlurmBench) -> None:
    order = bench.order("1.1", LONG)
    bench.engine.start(order)
    wait_until(lambda: bench.look() or bench.jobs(), 10)
    (bench.site.turns_dir / "1.1" / JOB).unlink()
    assert (bench.site.turns_dir / "1.1" / HANDING_OVER).exists()
    bench.crash()
    adopt(bench, order, was_started=False)
    wait_for(bench, Began)
    assert len(bench.jobs()) == 1
    bench.engine.end(EndOrder("1.1", Patience.AT_ONCE))
    wait_for(bench, Ended)
    assert bench.runs(1) == 1


def test_a_turn_goes_on_when_its_slurmd_was_killed_and_its_end_still_saves(bench: SlurmBench) -> None:
    bench.engine.start(bench.order("1.1", COUNTS))
    wait_for(bench, Began)
    wait_until(lambda: "ready" in bench.output("1.1"), 10)
    bench.cluster.kill_node("h100a")
    bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=10))
    ended: Ended = wait_for(bench, Ended)
    assert ended.saved_after_notice
    assert not ended.is_lost


@pytest.mark.long
def test_a_turn_whose_node_lost_its_power_is_lost_with_the_reason(bench: SlurmBench) -> None:
    bench.engine.start(bench.order("1.1", LONG))
    began: Began = wait_for(bench, Began)
    bench.cluster.lose_node("h100a")
    ended: Ended = wait_for(bench, Ended, timeout_s=60)
    assert ended.is_lost
    assert "h100a failed" in ended.error
    assert ended.clock_s <= time.time() - began.at


@pytest.mark.long
def test_a_keeper_that_lives_on_a_node_that_slurm_gave_up_ends_its_turn_before_it_is_told_as_over(
    bench: SlurmBench,
) -> None:
    bench.engine.start(bench.order("1.1", LONG))
    wait_for(bench, Began)
    bench.cluster.kill_node("h100a")  # its jobs run on
    wait_for(bench, Ended, timeout_s=60)
    assert processes_with(f"ROTA_TURN_DIR={bench.site.turns_dir}/1.1") == []


def test_a_slurm_job_that_somebody_cancels_loses_the_turn_and_says_so(bench: SlurmBench) -> None:
    bench.engine.start(bench.order("1.1", LONG))
    wait_for(bench, Began)
    bench.cluster.run("scancel", *bench.jobs())
    ended: Ended = wait_for(bench, Ended, timeout_s=30)
    assert ended.is_lost
    assert "cancelled" in ended.error


def test_what_slurm_refuses_is_told_in_its_own_words(bench: SlurmBench) -> None:
    bench.site = replace(bench.site, options=("--qos=nothing-like-that",), partition="nowhere")
    bench.engine = bench.an_engine()
    bench.engine.start(bench.order("1.1", LONG))
    ended: Ended = wait_for(bench, Ended)
    assert ended.is_lost
    assert "nowhere" in ended.error or "partition" in ended.error.lower()
    assert bench.jobs() == []


def test_a_node_without_the_python_that_is_set_says_so(bench: SlurmBench) -> None:
    bench.site = replace(bench.site, python="python-of-nowhere")
    bench.engine = bench.an_engine()
    bench.engine.start(bench.order("1.1", LONG))
    ended: Ended = wait_for(bench, Ended)
    assert ended.is_lost
    assert "python-of-nowhere" in ended.error


def test_gpus_that_somebody_else_has_are_waited_for_a_while_and_then_left(bench: SlurmBench) -> None:
    bench.cluster.run("sbatch", "--gres=gpu:h100:2", "--nodelist=h100a", "--wrap=sleep 1000", "--output=/dev/null")
    bench.engine.start(bench.order("1.1", LONG))
    ended: Ended = wait_for(bench, Ended)
    assert ended.began_at is None
    assert not ended.is_lost  # it does not count against the job
    assert "Resources" in ended.error
    assert len(bench.jobs()) == 1


def test_a_turn_that_has_not_begun_is_withdrawn_when_its_end_is_wanted(bench: SlurmBench) -> None:
    bench.cluster.run("sbatch", "--gres=gpu:h100:2", "--nodelist=h100a", "--wrap=sleep 1000", "--output=/dev/null")
    bench.engine.start(bench.order("1.1", LONG))
    wait_until(lambda: bench.look() or len(bench.jobs()) == 2, 10)
    bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=10))
    assert wait_for(bench, Ended).began_at is None
    assert bench.runs(1) == 0


def test_while_slurm_hangs_turns_go_on_their_ends_are_heard_and_all_resumes_by_itself(bench: SlurmBench) -> None:
    bench.engine.start(bench.order("1.1", Does(lasts_s=6, exit_code=3)))
    wait_for(bench, Began)
    bench.cluster.freeze_controller()
    trouble = wait_until(lambda: bench.look() is not None and bench.engine.trouble(), 20)
    assert "unreachable since" in trouble
    with pytest.raises(EngineUnavailable, match="unreachable since"):
        bench.engine.start(bench.order("2.1", Does()))
    assert wait_for(bench, Ended).exit_code == 3
    bench.cluster.thaw_controller()
    wait_until(lambda: bench.look() is not None and not bench.engine.trouble(), 20)
    bench.engine.start(bench.order("2.1", Does()))
    assert wait_for(bench, Ended, "2.1").exit_code == 0


def test_a_stopped_controller_is_waited_for_with_what_was_handed_to_us(bench: SlurmBench) -> None:
    bench.site = replace(bench.site, patience_s=60)  # nodes register anew with a controller that comes back
    bench.engine = bench.an_engine()
    bench.look()
    bench.cluster.stop_controller()
    bench.engine.start(bench.order("1.1", Does()))  # nobody has noticed yet
    wait_until(lambda: bench.look() is not None and bench.engine.trouble(), 30)
    assert bench.runs(1) == 0
    bench.cluster.start_controller()
    assert wait_for(bench, Ended, timeout_s=30).exit_code == 0
    assert bench.runs(1) == 1


def test_an_answer_that_is_none_is_trouble_and_changes_nothing(bench: SlurmBench) -> None:
    bench.engine.start(bench.order("1.1", Does(lasts_s=3)))
    wait_for(bench, Began)
    real, bench.run = bench.run, lambda words, given: "<html>502 Bad Gateway</html>"
    bench.engine._cluster._run = bench.run
    trouble = wait_until(lambda: bench.look() is not None and bench.engine.trouble(), 10)
    assert "what squeue never prints" in trouble
    bench.engine._cluster._run = real
    assert wait_for(bench, Ended).exit_code == 0
    assert bench.engine.trouble() == ""


def test_a_turn_that_was_ending_before_it_began_when_the_daemon_died_is_found_in_slurm(bench: SlurmBench) -> None:
    bench.cluster.run("sbatch", "--gres=gpu:h100:2", "--nodelist=h100a", "--wrap=sleep 1000", "--output=/dev/null")
    order = bench.order("1.1", LONG)
    bench.engine.start(order)
    wait_until(lambda: bench.look() or len(bench.jobs()) == 2, 10)
    bench.crash()
    adopt(bench, order, was_started=True)
    bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=10))
    ended: Ended = wait_for(bench, Ended)
    assert (ended.began_at, ended.is_lost) == (None, False)
    assert len(bench.jobs()) == 1


def test_a_turn_whose_end_is_wanted_before_it_was_handed_over_never_comes_to_slurm(bench: SlurmBench) -> None:
    bench.engine.start(bench.order("1.1", LONG))
    bench.engine.end(EndOrder("1.1", Patience.POLITE))
    assert wait_for(bench, Ended).began_at is None
    assert bench.jobs() == []


def test_no_more_time_is_recorded_than_slurm_has_counted_whatever_a_member_writes(bench: SlurmBench) -> None:
    bench.engine.start(bench.order("1.1", COUNTS))
    began: Began = wait_for(bench, Began)
    wait_until(lambda: "ready" in bench.output("1.1"), 10)
    forged = {
        "turn": "1.1", "at": time.time() + 1e6, "clock_s": 1e6, "began_at": began.at, "exit_code": 0, "signal": None,
        "notice_at": None, "was_terminated": False, "said_done": True, "saved_at": None, "saved_after_notice": False,
        "error": "",
    }  # fmt: skip
    (bench.site.turns_dir / "1.1" / "exit.json").write_text(json.dumps(forged))
    ended: Ended = wait_for(bench, Ended)
    assert ended.clock_s < 30
    assert ended.at <= time.time()
    wait_until(lambda: bench.look() and not bench.jobs(), 60, 0.1, "and its Slurm job is sent away")


@pytest.mark.parametrize("written", ['{"at": "yesterday"}', '{"turn": "1.1"}', '{"clock_s": []}'])
def test_a_turn_whose_files_are_damaged_is_ended_and_told_as_lost_and_others_go_on(
    bench: SlurmBench, written: str
) -> None:
    bench.engine.start(bench.order("1.1", LONG))
    wait_for(bench, Began)
    bench.engine.start(bench.order("2.1", Does(lasts_s=2), node="h100b"))
    (bench.site.turns_dir / "1.1" / "exit.json").write_text(written)
    assert wait_for(bench, Ended).is_lost
    assert wait_for(bench, Ended, "2.1").exit_code == 0
    assert bench.engine.trouble() == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to hand turns over in another account's name")
def test_a_turn_runs_as_its_member_and_what_it_was_ordered_is_nobody_elses_to_read(bench: SlurmBench) -> None:
    account = pwd.getpwnam("games")
    order = an_order("1.1", "sh", "-c", "id -un; umask", gpus=bench.gpus("h100a")[:1])
    launch = replace(order.launch, uid=account.pw_uid, gid=account.pw_gid, umask=0o027, environment={"PATH": "/bin"})
    bench.engine.start(replace(order, launch=launch))
    assert wait_for(bench, Ended).exit_code == 0
    assert bench.output("1.1") == "games\n0027\n"
    folder = bench.site.turns_dir / "1.1"
    assert (folder / "order.json").stat().st_mode & 0o077 == 0
    assert {path.owner() for path in (folder, folder / "order.json", folder / "exit.json")} == {"games"}

"""The Slurm engine where the daemon and the nodes share no folder: the turns' couriers and the daemon's post."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from examples.slurm_cluster import Cluster, free_ports

from rota.engines.contract import Began, Ended, EndOrder, Patience
from rota.engines.keeper import files
from rota.engines.keeper.unpack import MARK
from rota.engines.slurm.arrivals import take_file, take_log
from rota.engines.slurm.parcel import MOST_SCRIPT_BYTES, carrying_script, site_secret, token
from rota.engines.slurm.post import Post
from rota.engines.slurm.settings import SlurmSite
from rota.engines.turn_folder.library import install_keeper
from rota.engines.turn_folder.orders import turn_order
from rota.errors import EngineUnavailable
from rota.slurm.commands import SlurmRefused
from tests.end_to_end.session import processes_with
from tests.engines.contract import COUNTS, LONG, EngineContract, adopt, an_order, wait_for
from tests.engines.test_slurm import SlurmBench, work_folder
from tests.slurm.cluster import booted_cluster, cluster
from tests.waiting import wait_until

__all__ = ["booted_cluster", "cluster"]

NOBODY = 65534


class PostBench(SlurmBench):
    """A SlurmBench whose nodes have a folder of their own."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        super().__init__(folder, cluster)
        self.nodes = folder / "on-the-nodes"
        self.nodes.mkdir(mode=0o1777)
        self.site = replace(self.site, post=f"127.0.0.1:{free_ports(1)[0]}", node_dir=self.nodes)
        self.engine = self.an_engine()

    def crash(self) -> None:
        self.look()
        self.seen = []
        self.engine.detach()
        self.engine = self.an_engine()

    def on_node(self) -> list[Path]:
        """Folders of turns."""
        return [path for path in self.nodes.iterdir() if path.is_dir()]


@pytest.fixture
def bench(cluster: Cluster) -> Iterator[PostBench]:
    with work_folder() as folder:
        bench = PostBench(folder, cluster)
        yield bench
        bench.engine.detach()


class TestContract(EngineContract):
    """The suite that every engine passes."""


# --- on a real Slurm -----------------------------------------------------------------------------


def test_a_turn_runs_in_a_folder_of_its_node_of_which_nothing_is_left(bench: PostBench) -> None:
    script = "import os, rota_turn, time; rota_turn.progress(3, 4); print(os.environ['ROTA_TURN_DIR']); time.sleep(1.5)"
    bench.engine.start(an_order("1.1", sys.executable, "-c", script, gpus=bench.gpus("h100a")))
    wait_for(bench, Began)
    (there,) = bench.on_node()
    assert (there / files.BEGUN).exists()
    assert there.stat().st_mode & 0o777 == 0o700
    given = (there / files.ORDER).read_text()
    assert wait_for(bench, Ended).exit_code == 0
    assert bench.output("1.1") == f"{there}\n"
    assert str(bench.site.turns_dir) not in given
    assert json.loads((bench.site.turns_dir / "1.1" / files.STATE).read_text())["progress"] == [3, 4]
    wait_until(lambda: not list(bench.nodes.iterdir()), 10)


def test_while_the_daemon_is_away_a_turn_goes_on_and_all_is_told_afterwards(bench: PostBench) -> None:
    script = "import time; [(print('line', n, flush=True), time.sleep(0.02)) for n in range(150)]; raise SystemExit(7)"
    order = an_order("1.1", sys.executable, "-c", script, gpus=bench.gpus("h100a"))
    bench.engine.start(order)
    wait_for(bench, Began)
    bench.engine.detach()
    (there,) = bench.on_node()
    wait_until((there / files.EXIT).exists, 15)
    assert len(bench.jobs()) == 1  # its courier waits for a daemon
    bench.seen, bench.engine = [], bench.an_engine()
    adopt(bench, order, was_started=True)
    wait_for(bench, Began)
    assert wait_for(bench, Ended).exit_code == 7
    assert bench.output("1.1") == "".join(f"line {n}\n" for n in range(150))


def test_an_end_that_was_wanted_while_the_courier_was_cut_off_comes_to_the_job(bench: PostBench) -> None:
    order = bench.order("1.1", COUNTS)
    bench.engine.start(order)
    wait_for(bench, Began)
    wait_until(lambda: bench.look() is not None and "ready" in bench.output("1.1"), 10)
    bench.crash()
    adopt(bench, order, was_started=True)
    bench.engine.end(EndOrder("1.1", Patience.POLITE, grace_s=10))
    assert wait_for(bench, Ended).saved_after_notice


def test_a_log_of_many_pieces_arrives_whole(bench: PostBench) -> None:
    script = "import sys; sys.stdout.write(''.join(f'{n:099d}\\n' for n in range(50_000)))"
    bench.engine.start(an_order("1.1", sys.executable, "-c", script, gpus=bench.gpus("h100a")))
    wait_for(bench, Ended)
    assert bench.output("1.1") == "".join(f"{n:099d}\n" for n in range(50_000))


def test_a_turn_that_rota_has_given_up_is_ended_when_its_courier_comes_back(bench: PostBench) -> None:
    bench.engine.start(bench.order("1.1", LONG))
    wait_for(bench, Began)
    bench.engine.detach()
    there = f"ROTA_TURN_DIR={bench.on_node()[0]}"
    assert processes_with(there) != []
    files.write_json(str(bench.site.turns_dir / "1.1" / files.EXIT), {"turn": "1.1"}, is_durable=True)
    bench.engine = bench.an_engine()
    wait_until(lambda: bench.look() is not None and not processes_with(there), 15)


def test_a_gangs_folder_is_where_all_its_nodes_see_it(bench: PostBench) -> None:
    script = "import os; print(os.path.isdir(os.environ['ROTA_TURN_DIR']), os.environ['SLURM_PROCID'])"
    order = an_order("6.1", "srun", sys.executable, "-c", script, gpus=bench.gpus("h100a") + bench.gpus("h100b"))
    home = {**order.launch.environment, "HOME": str(bench.work)}
    bench.engine.start(replace(order, launch=replace(order.launch, environment=home)))
    assert wait_for(bench, Ended, "6.1").exit_code == 0
    assert sorted(bench.output("6.1").splitlines()) == [f"True {n}" for n in range(4)]


def test_a_slurm_job_that_somebody_cancels_loses_the_turn_and_nothing_stays_on_the_node(bench: PostBench) -> None:
    bench.engine.start(bench.order("1.1", LONG))
    wait_for(bench, Began)
    bench.cluster.run("scancel", *bench.jobs())
    ended: Ended = wait_for(bench, Ended, timeout_s=30)
    assert ended.is_lost
    assert "cancelled" in ended.error
    wait_until(lambda: not list(bench.nodes.iterdir()), 10)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands turns over for others")
def test_a_members_turn_is_theirs_on_the_node_and_the_daemons_here(bench: PostBench) -> None:
    bench.nodes.chmod(0o1777)
    order = an_order("1.1", "sh", "-c", "id -u; sleep 1.5")
    launch = replace(order.launch, uid=NOBODY, gid=NOBODY, groups=(NOBODY,))
    bench.engine.start(replace(order, launch=launch, gpus=bench.gpus("h100a")))
    wait_for(bench, Began)
    (there,) = bench.on_node()
    assert there.stat().st_uid == NOBODY
    assert wait_for(bench, Ended).exit_code == 0
    assert bench.output("1.1") == f"{NOBODY}\n"
    assert {path.stat().st_uid for path in (bench.site.turns_dir / "1.1").iterdir()} == {0}
    wait_until(lambda: not list(bench.nodes.iterdir()), 10)


def test_a_node_without_the_python_that_is_set_says_where_to_look(bench: PostBench) -> None:
    bench.engine.detach()
    bench.site = replace(bench.site, python="python-of-nowhere")
    bench.engine = bench.an_engine()
    bench.engine.start(bench.order("1.1", LONG))
    ended: Ended = wait_for(bench, Ended)
    assert ended.is_lost
    (said,) = bench.nodes.iterdir()
    assert str(said) in ended.error
    assert "python-of-nowhere" in said.read_text()


def test_a_port_that_somebody_else_has_is_trouble_with_a_sentence(bench: PostBench) -> None:
    bench.engine.detach()
    host, _, port = bench.site.post.rpartition(":")
    with socket.create_server((host, int(port))):
        bench.engine = bench.an_engine()
        bench.look()
        assert "cannot listen" in bench.engine.trouble()
    wait_until(lambda: bench.look() is not None and not bench.engine.trouble(), 10)


# --- the post alone ------------------------------------------------------------------------------


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """Turns 1.1 and 2.1 are held."""
    for turn in ("1.1", "2.1", "3.1"):
        (tmp_path / turn).mkdir()
    post = Post(a_site(tmp_path), {"1.1", "2.1"}.__contains__, lambda: None)
    post.start()
    yield post
    post.stop()


def a_site(folder: Path) -> SlurmSite:
    return SlurmSite(folder, post=f"127.0.0.1:{free_ports(1)[0]}", node_dir=folder / "node")


class Peer:
    """Speaks as a courier would, or worse."""

    def __init__(self, post: Post) -> None:
        host, _, port = post._site.post.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self.answers = self.socket.makefile("rb")
        self.secret = site_secret(post._site.turns_dir)

    def say(self, body: bytes = b"", **said: object) -> dict[str, Any] | None:
        """The answer; None: the line is cut."""
        try:
            self.socket.sendall(json.dumps({**said, "size": len(body)}).encode() + b"\n" + body)
            line = self.answers.readline()
        except ConnectionError:
            return None
        return json.loads(line) if line else None

    def greet(self, turn: str) -> dict[str, Any] | None:
        return self.say(turn=turn, token=token(self.secret, turn), job="7")


def test_whoever_has_a_wrong_token_is_not_let_in(post: Post) -> None:
    assert Peer(post).greet("1.1") is not None
    peer = Peer(post)
    assert peer.say(turn="1.1", token=token(peer.secret, "2.1"), job="7") is None
    assert Peer(post).say(turn="1.1", token=None) is None


def test_a_turn_that_is_not_held_is_not_let_in_and_one_that_is_over_hears_it(post: Post, tmp_path: Path) -> None:
    assert Peer(post).greet("3.1") is None
    (tmp_path / "3.1" / files.EXIT).write_text("{}")
    assert Peer(post).greet("3.1") == {"over": True}


def test_a_second_job_of_a_turn_that_has_begun_hears_that_it_is_over(post: Post, tmp_path: Path) -> None:
    (tmp_path / "1.1" / files.BEGUN).write_text('{"slurm_job": "6"}')
    assert Peer(post).greet("1.1") == {"over": True}


@pytest.mark.parametrize("name", [files.ORDER, files.END, "../2.1/state.json", "", None, 3])
def test_only_what_keepers_write_is_taken(post: Post, tmp_path: Path, name: object) -> None:
    peer = Peer(post)
    peer.greet("1.1")
    assert peer.say(b"{}", file=name) is None
    assert [*(tmp_path / "1.1").iterdir(), *(tmp_path / "2.1").iterdir()] == []


def test_nonsense_cuts_the_line_and_others_are_served(post: Post) -> None:
    held, peers = Peer(post), [Peer(post) for _ in range(20)]
    held.greet("1.1")
    nonsense: list[Callable[[Peer], object]] = [
        lambda peer: peer.socket.sendall(b"\0" * 100_000),
        lambda peer: peer.socket.sendall(b"[]\n"),
        lambda peer: peer.socket.sendall(b'{"size": 999999999999}\n'),
        lambda peer: peer.socket.sendall(b'{"size": 100}\nhalf'),
    ]
    for peer, says in zip(peers, nonsense * 5, strict=True):
        with contextlib.suppress(ConnectionError):
            says(peer)
    assert held.say(b'{"beat": 1}', file=files.ALIVE) == {"log_at": 0, "end": None}
    assert held.say(b"x" * 70_000, file=files.STATE) is None


def test_a_post_that_stops_hangs_up_without_a_word(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    peers = [Peer(post), Peer(post)]
    peers[0].greet("1.1")
    post.stop()
    assert [peer.say() for peer in peers] == [None, None]
    assert caplog.records == []


def test_the_end_that_is_wanted_is_in_the_next_answer(post: Post, tmp_path: Path) -> None:
    peer = Peer(post)
    peer.greet("1.1")
    (tmp_path / "1.1" / files.END).write_text('{"patience": "polite"}')
    answer = peer.say(b'{"beat": 1}', file=files.ALIVE)
    assert answer is not None
    assert answer["end"] == {"patience": "polite"}


def test_a_log_goes_on_where_it_was_and_a_long_one_keeps_its_ends(tmp_path: Path) -> None:
    keep = 64 * 2**10
    assert take_log(tmp_path, 0, b"begin" * 2000, keep) == 10_000
    assert take_log(tmp_path, 5000, b"again", keep) == 10_000
    for at in range(10_000, 1_000_000, 90_000):
        take_log(tmp_path, at, b"x" * 90_000, keep)
    log = tmp_path / files.LOG
    assert log.read_bytes()[:10_000] == b"begin" * 2000
    assert log.read_bytes().endswith(b"x" * 40_000)
    assert log.stat().st_blocks * 512 < 4 * keep


def test_the_end_that_the_engine_has_told_stands(tmp_path: Path) -> None:
    take_file(tmp_path, files.EXIT, b'{"exit_code": 1}')
    take_file(tmp_path, files.EXIT, b'{"exit_code": 0}')
    assert files.read_json(str(tmp_path / files.EXIT)) == {"exit_code": 1}


def test_the_daemons_secret_is_its_own_and_stays(tmp_path: Path) -> None:
    assert site_secret(tmp_path) == site_secret(tmp_path)
    assert (tmp_path / "post.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(EngineUnavailable):
        site_secret(tmp_path / "none")


def test_a_script_knows_nothing_of_the_daemons_folders(tmp_path: Path) -> None:
    script = a_script(tmp_path, an_order("1.1", "true"))
    parcel = zlib.decompress(base64.b64decode(script.rpartition(MARK)[2])).decode()
    assert "rota/engines/keeper/courier.py" in parcel
    assert str(tmp_path) not in parcel
    assert str(tmp_path) not in script


def test_an_environment_that_no_script_can_carry_is_refused_with_its_size(tmp_path: Path) -> None:
    order = an_order("1.1", "true")
    noise = {"NOISE": os.urandom(MOST_SCRIPT_BYTES).hex()}
    with pytest.raises(SlurmRefused, match=r"6\.\d MB"):
        a_script(tmp_path, replace(order, launch=replace(order.launch, environment=noise)))


def a_script(folder: Path, order: Any) -> str:
    install_keeper(folder)
    there = Path("/var/tmp/x")
    site = SlurmSite(folder, post="head:8421")
    written = turn_order(order, there, there / "lib", site.keeper, is_in_slurm=True)
    return carrying_script(written, there, folder, site, b"secret", there)

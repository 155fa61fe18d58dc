"""A sample laboratory on a Slurm cluster of its own, in which a node dies.

    python examples/slurm_lab.py

Boots a throw-away Slurm on this machine (slurm_cluster.py: four nodes, two with good GPUs, none of them real), starts
`rota up --slurm` on it, and submits jobs that count. When turns rotate, one node loses its power in the middle of a
turn. Ends by itself when every job is done and its count was checked; no process is left behind, also after Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from laboratory import MODELS, PROJECTS, Laboratory, WentWrong, end_like_ctrl_c, end_undisturbed
from slurm_cluster import NODES, Cluster, NoCluster

SETTINGS = """\
[turns]
quantum = "4s"
grace = "5s"
grace_max = "20s"
term = "2s"

[web]
name = "Sample laboratory on Slurm"
listen = "127.0.0.1:{port}"

[slurm]
poll = "1s"
python = "{python}"
"""
#: Tier and GPUs of one job after the other: the good nodes are asked for more than they have, so turns rotate.
WISHES = (("h100", 1), ("any", 1), ("h100", 2), ("rtx3090", 1), ("h100", 1))
MIDDLE_S = 1.5  # after a turn's beginning
PATIENCE_S = 120.0  # for each step of the story


@dataclass(frozen=True)
class Wanted:
    """How much there is to count."""

    jobs: int
    target: int
    pace_s: float


class Story:
    """Looks at the waiting list again and again, and tells what is new in short lines."""

    def __init__(self, laboratory: Laboratory) -> None:
        self.laboratory = laboratory
        self._began_at = time.monotonic()
        self._told: set[str] = set()

    def tell(self, line: str) -> None:
        print(f"{time.monotonic() - self._began_at:5.1f} s  {line}", flush=True)

    def until(self, is_so: Callable[[list[dict[str, Any]]], Any], what: str) -> Any:
        """What `is_so` makes of the list, as soon as it is something. Raises WentWrong when it takes too long."""
        give_up_at = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up_at:
            jobs = self.laboratory.jobs("--all")
            for job in jobs:
                self._tell_news(job)
            if found := is_so(jobs):
                return found
            time.sleep(0.3)
        raise WentWrong(f"It took longer than {PATIENCE_S:g} s until {what}. {self.laboratory.whose_words()}")

    def _tell_news(self, job: dict[str, Any]) -> None:
        """Its new turn, or its end. Raises WentWrong when it has failed."""
        turn = job["turn"]
        if turn is not None and turn["began_at"]:
            self._tell_once(f"{job['name']}: turn {turn['number']} on {', '.join(turn['gpus'])}")
        if job["state"] == "finished":
            self._tell_once(f"{job['name']}: finished after {job['turns']} turns")
        if job["state"] in ("failed", "cancelled"):
            raise WentWrong(f"{job['name']} {job['state']}: {job['reason']} More: rota logs {job['job']}")

    def _tell_once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self.tell(line)


class SlurmLaboratory:
    """The cluster, Rota on it, and the story from the first job to the last count."""

    def __init__(self, state: Path, port: int, wanted: Wanted) -> None:
        self.wanted = wanted
        self.cluster = Cluster(Path(tempfile.mkdtemp(prefix="slurm-")), keep_folder=False)
        settings = SETTINGS.format(port=port, python=sys.executable)
        self.laboratory = Laboratory(state, settings, ("--slurm",), self.cluster.environment)
        self.story = Story(self.laboratory)
        self.names: list[str] = []
        self.lost: list[str] = []

    def open(self) -> None:
        """Everything is up, and the jobs are on the waiting list."""
        self.cluster.start()
        nodes = ", ".join(f"{node.name} ({node.gpus} GPUs)" for node in NODES)
        self.story.tell(f"Slurm is up in {self.cluster.folder}: {nodes}")
        self.laboratory.start()
        self.story.tell("Rota is up on it, with turns of four seconds")
        for _ in range(self.wanted.jobs):
            self.submit(self.wanted.target)
        self.story.tell(f"{self.wanted.jobs} jobs are submitted; each counts to {self.wanted.target}")

    def submit(self, target: int) -> None:
        """One more job that counts, of one project after the other."""
        number = len(self.names)
        tier, gpus = WISHES[number % len(WISHES)]
        name = f"{MODELS[number % len(MODELS)]}-{number + 1}"
        project = list(PROJECTS)[number % len(PROJECTS)]
        self.names.append(name)
        asked = ("--project", project, "--tier", tier, "--gpus", str(gpus))
        self.laboratory.count(name, target, self.wanted.pace_s, *asked)

    def lose_a_node(self) -> None:
        """A node loses its power in the middle of a turn; that job's next turn is on another node."""
        victim = self.story.until(self._in_the_middle, "turns had rotated")
        number, node = victim["turn"]["number"], victim["turn"]["node"]
        self.cluster.lose_node(node)
        lost_at = time.time()
        self.lost.append(node)
        self.story.tell(f"{node} loses its power: SIGKILL to its slurmd and to all that runs there,")
        self.story.tell(f"  in the middle of turn {number} of {victim['name']}")

        def next_turn(jobs: list[dict[str, Any]]) -> dict[str, Any] | None:
            (now,) = (job["turn"] for job in jobs if job["job"] == victim["job"])
            return now if now is not None and (now["began_at"] or 0.0) > lost_at else None

        after = self.story.until(next_turn, f"{victim['name']} had its next turn")
        if after["node"] == node:
            raise WentWrong(f"The next turn of {victim['name']} is on {node} again, which is lost.")
        before = self.laboratory.rota("show", "--json", str(victim["job"]))["turns"][after["number"] - 2]
        how = f"turn {before['number']} on {before['node']} is {before['outcome']} ({before['lost_s']:.0f} s of work)"
        self.story.tell(f"{victim['name']} goes on: {how}, turn {after['number']} is on {after['node']}")

    def _in_the_middle(self, jobs: list[dict[str, Any]]) -> dict[str, Any] | None:
        """When turns rotate: a job with much to do, in the youngest turn that has run for a while and has saved."""
        if not any(job["turns"] >= 2 for job in jobs):
            return None
        now = time.time()
        running = [job for job in jobs if job["state"] == "running" and job["turn"]["state"] == "running"]
        far = [job for job in running if job["progress"] and job["progress"][0] <= self.wanted.target * 2 // 3]
        fit = [job for job in far if self._saved_at(job["name"]) > job["turn"]["began_at"] < now - MIDDLE_S]
        return max(fit, key=lambda job: job["turn"]["began_at"], default=None)

    def _saved_at(self, name: str) -> float:
        checkpoint = self.laboratory.checkpoint(name)
        return checkpoint.stat().st_mtime if checkpoint.exists() else 0.0

    def check(self) -> str:
        """Wait for the last job, count what they counted; the closing line. Raises WentWrong when a count is off."""
        jobs = self.story.until(
            lambda jobs: jobs if all(job["state"] == "finished" for job in jobs) else None, "every job had finished"
        )
        for name in self.names:
            numbers = json.loads(self.laboratory.checkpoint(name).read_text())["numbers"]
            if numbers != list(range(1, self.wanted.target + 1)):
                raise WentWrong(
                    f"{name} counted {len(numbers)} numbers to {numbers[-1:]}, not 1 to {self.wanted.target}."
                )
        turns = sum(job["turns"] for job in jobs)
        return f"demo-slurm: {len(jobs)} jobs, {turns} turns, {len(self.lost)} nodes lost, every count exact"

    def stay(self) -> None:
        """The node is back, jobs come and go, until Ctrl-C."""
        for node in self.lost:
            self.cluster.start_node(node)
        chance = random.Random(7)
        print(f"\nThe board:  {self.laboratory.rota('web', '--json')['url']}", flush=True)
        print(f"Slurm's:    SLURM_CONF={self.cluster.conf} squeue\nCtrl-C stops everything.", flush=True)
        self.laboratory.keep_it_busy(lambda: self.submit(chance.randint(100, 400)))

    def stop(self) -> None:
        """First the daemon, then the cluster with all its jobs."""
        self.laboratory.stop()
        self.cluster.stop()


def main() -> None:
    """The whole story; exit code 0 when every count is exact."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, default=Path("demo-state"), help="folder for the demo (made anew)")
    parser.add_argument("--port", type=int, default=8420, help="of the page, on this machine only")
    parser.add_argument("--jobs", type=int, default=10)
    parser.add_argument("--target", type=int, default=80, help="each job counts to this number")
    parser.add_argument("--pace", type=float, default=0.2, help="seconds for each number")
    parser.add_argument("--keep", action="store_true", help="stay up afterwards, with the page, until Ctrl-C")
    given = parser.parse_args()
    shutil.rmtree(given.state, ignore_errors=True)
    end_like_ctrl_c()
    laboratory = SlurmLaboratory(given.state.resolve(), given.port, Wanted(given.jobs, given.target, given.pace))
    try:
        laboratory.open()
        laboratory.lose_a_node()
        print(laboratory.check(), flush=True)
        if given.keep:
            laboratory.stay()
    except (NoCluster, WentWrong) as wrong:
        sys.exit(f"demo-slurm failed: {wrong}")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        end_undisturbed()
        laboratory.stop()


if __name__ == "__main__":
    main()

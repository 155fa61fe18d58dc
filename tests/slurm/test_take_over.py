"""`rota import slurm-queue` against a real Slurm: jobs come over once, whole, and never run twice."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from examples.slurm_cluster import Cluster

from rota.cli.client import Client
from rota.cli.take_over.queue_import import TakeOver
from rota.slurm.commands import Run, SlurmUnavailable, commands
from rota.slurm.queue import ENVIRONMENT, Queued, parse_queue
from tests.end_to_end.fixtures import make_rota
from tests.end_to_end.session import Rota
from tests.waiting import wait_until

__all__ = ["make_rota"]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who alone takes over others' jobs")
NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def rota(make_rota: Callable[..., Rota]) -> Rota:
    return make_rota(fleet="h100:4, rtx3090:2").up()


@pytest.fixture
def busy(cluster: Cluster) -> Cluster:
    """A cluster on which nothing begins. Its fixture makes the nodes whole again."""
    for node in cluster.nodes:
        cluster.run("scontrol", "update", f"nodename={node.name}", "state=drain", "reason=test")
    return cluster


@pytest.fixture
def folder() -> Iterator[Path]:
    """A working directory that every account may enter."""
    made = Path(tempfile.mkdtemp(prefix="work-"))
    made.chmod(0o777)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def sbatch(cluster: Cluster, folder: Path, *words: str, **options: Any) -> int:
    """A job of Slurm's."""
    done = subprocess.run(
        ["sbatch", "--parsable", *words], cwd=folder, check=True, capture_output=True, text=True, timeout=30,
        env={**os.environ, **cluster.environment, "OF_SUBMIT": "as it was"}, **options,
    )  # fmt: skip
    return int(done.stdout)


def queue(cluster: Cluster) -> dict[int, Queued]:
    return {job.id: job for job in parse_queue(cluster.run("squeue", "--json")) if job.is_pending}


def take_over(rota: Rota, cluster: Cluster, *words: str) -> dict[str, Any]:
    """`rota import slurm-queue --json`; what it says, which has no failures."""
    said = rota.run("import", "slurm-queue", "--json", *words, env=cluster.environment)
    assert said.code == 0, said
    found: dict[str, Any] = said.json
    return found


def test_jobs_come_over_with_what_they_ask_for_and_are_held_in_slurm(rota: Rota, busy: Cluster, folder: Path) -> None:
    script = folder / "train.sh"
    script.write_text("#!/bin/bash\n#SBATCH --gres=gpu:h100:1 -J line\necho $1 $SLURM_ARRAY_TASK_ID $OF_SUBMIT\n")
    array = sbatch(busy, folder, "-J", "sweep", "--array=1-3", "-t", "2:00:00", "-o", "%A_%a.txt", str(script), "hello")
    after = sbatch(
        busy, folder, f"--dependency=afterok:{array}_2", "--gres=gpu:1", "--comment=mine", "--wrap", "echo wrapped"
    )
    held = sbatch(busy, folder, "--hold", "-G", "2", "--wrap", "true")
    later = sbatch(busy, folder, "--begin=now+1hour", "-G", "1", "--wrap", "true")
    own = sbatch(busy, folder, "-J", "rota.12.1.bert", "--wrap", "true")

    said = take_over(rota, busy)
    jobs = {one["slurm"]: one["jobs"] for one in said["taken"]}
    assert list(jobs) == [array, after, held] or sorted(jobs) == sorted([array, after, held])
    assert {one["slurm"]: one["why"] for one in said["skipped"]} == {
        later: "it may not begin yet (--begin); take it over when it may"
    }
    first = rota.job(jobs[array][0])
    assert (first["job"]["name"], first["job"]["tier"], first["request"]["time_s"]) == ("sweep_1", "h100", 7200.0)
    assert first["job"]["origin"] == f"Slurm job {array} of {busy.name}"
    assert [one["job"] for one in rota.job(jobs[after][0])["request"]["after"]] == [jobs[array][1]]
    assert rota.state_of(jobs[held][0]) == "held"

    waiting = queue(busy)
    assert waiting.keys() == {array, after, held, later, own}
    assert all(waiting[number].priority == 0 for number in (array, after, held))
    assert waiting[array].comment == f"rota job {jobs[array][0]}"
    assert waiting[after].comment == f"rota job {jobs[after][0]}; mine"
    assert (waiting[later].comment, waiting[own].comment) == ("", "")

    rota.wait_for(jobs[after][0], "finished")
    text = "as it was" if os.geteuid() == 0 else ""
    assert [(folder / f"{jobs[array][0]}_{task}.txt").read_text() for task in (1, 2, 3)] == [
        f"hello {task} {text}".rstrip() + "\n" for task in (1, 2, 3)
    ]
    assert (folder / f"slurm-{jobs[after][0]}.out").read_text() == "wrapped\n"


def test_a_job_comes_over_once(rota: Rota, busy: Cluster, folder: Path) -> None:
    job = sbatch(busy, folder, "-G1", "--wrap", "sleep 600")
    assert [one["slurm"] for one in take_over(rota, busy)["taken"]] == [job]
    again = take_over(rota, busy)
    assert again["taken"] == []
    assert again["skipped"][0]["why"] == "it was taken over already: job 1"
    assert len(rota.jobs("--all")) == 1


def test_it_shows_its_plan_and_asks(rota: Rota, busy: Cluster, folder: Path) -> None:
    job = sbatch(busy, folder, "-J", "bert", "-p", "gpu", "--gres=gpu:h100:2", "--mail-type=END", "--wrap", "true")
    shown = rota("import", "slurm-queue", "--dry-run", env=busy.environment)
    assert f"{job}" in shown
    assert "2 h100" in shown
    assert "1 can be taken over, 0 cannot." in shown
    said = rota.run("import", "slurm-queue", env=busy.environment, input=b"n\n")
    assert said.out.endswith("Nothing was changed.\n")
    assert rota.jobs("--all") == []
    assert queue(busy)[job].comment == ""
    said = rota.run("import", "slurm-queue", env=busy.environment, input=b"y\n")
    assert said.code == 0
    assert "1 taken over." in said.out
    assert f"scancel {job}" in said.out


def test_cancelled_in_slurm_or_kept_there(rota: Rota, busy: Cluster, folder: Path) -> None:
    gone = sbatch(busy, folder, "-G1", "--wrap", "true")
    assert take_over(rota, busy, "--cancel")["taken"][0]["in_slurm"] == "cancelled"
    assert gone not in queue(busy)
    kept = sbatch(busy, folder, "-G1", "--wrap", "true")
    (taken,) = take_over(rota, busy, "--keep")["taken"]
    assert (taken["in_slurm"], taken["is_held"]) == ("as it was", True)
    assert not queue(busy)[kept].is_held
    assert rota.state_of(taken["jobs"][0]) == "held"


def an_import(rota: Rota, cluster: Cluster, run: Run | None = None) -> TakeOver:
    return TakeOver(run or commands(60.0, {**ENVIRONMENT, **cluster.environment}), Client(rota.state))


def wrapped(cluster: Cluster, before: Callable[[Sequence[str]], None]) -> Run:
    """Slurm's commands, with something that happens before each."""
    run = commands(60.0, {**ENVIRONMENT, **cluster.environment})

    def one(words: Sequence[str], given: str = "") -> str:
        before(words)
        return run(words, given)

    return one


def test_what_begins_in_slurm_meanwhile_is_not_run_by_rota(rota: Rota, busy: Cluster, folder: Path) -> None:
    array = sbatch(busy, folder, "--array=1-6", "--gres=gpu:h100:1", "--wrap", "sleep 600")
    other = sbatch(busy, folder, "--gres=gpu:rtx3090:1", "--wrap", "sleep 600")

    def begin(words: Sequence[str]) -> None:
        if words[1] in ("hold", "uhold"):
            for node in ("h100a", "h100b", "rtx3090a"):
                busy.run("scontrol", "update", f"nodename={node}", "state=resume")
            wait_until(lambda: busy.run("squeue", "-h", "-t", "R", "-o", "%A").count("\n") == 5, 30)

    import_ = an_import(rota, busy, wrapped(busy, begin))
    entries = [entry for entry in import_.entries(None, None) if entry.is_taken]
    outcomes = {one.job.id: one for one in import_.take(entries, keeps=False, cancels=False)}
    assert len(outcomes[array].jobs) == 2
    assert outcomes[other].failure == "it began in Slurm meanwhile, so it stays there"
    begun = {int(line) for line in busy.run("squeue", "-h", "-t", "R", "-o", "%K", "-j", str(array)).split()}
    for job in rota.jobs("--all"):
        task = job["array"].partition("_")[2]
        is_slurms = not task or int(task) in begun
        assert (job["state"] == "cancelled") is is_slurms, job


def test_an_import_that_breaks_off_is_taken_up_again_and_nothing_comes_twice(
    rota: Rota, busy: Cluster, folder: Path
) -> None:
    numbers = [sbatch(busy, folder, "-G1", "--wrap", "sleep 600") for _ in range(3)]

    def away(words: Sequence[str]) -> None:
        if words[1] in ("hold", "uhold"):
            raise SlurmUnavailable("Slurm does not answer.")

    import_ = an_import(rota, busy, wrapped(busy, away))
    with pytest.raises(SlurmUnavailable):
        import_.take(import_.entries(None, None), keeps=False, cancels=False)
    assert [rota.state_of(number) for number in (1, 2, 3)] == ["held"] * 3
    assert not any(job.is_held for job in queue(busy).values())

    said = take_over(rota, busy)
    assert [(one["slurm"], one["jobs"]) for one in said["taken"]] == [
        (number, [n + 1]) for n, number in enumerate(numbers)
    ]
    assert len(rota.jobs("--all")) == 3
    assert "held" not in {rota.state_of(number) for number in (1, 2, 3)}
    assert all(job.is_held for job in queue(busy).values())


def test_without_slurm_it_says_so_and_changes_nothing(rota: Rota, tmp_path: Path) -> None:
    said = rota.run("import", "slurm-queue", "--yes", env={"PATH": str(tmp_path)})
    assert said.code == 1
    assert "apt install slurm-client" in said.err
    assert rota.jobs("--all") == []


@AS_ROOT
def test_root_takes_over_for_every_member_and_a_member_only_their_own(rota: Rota, busy: Cluster, folder: Path) -> None:
    roots = sbatch(busy, folder, "-G1", "--wrap", "true")
    account = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []}
    one, two = (sbatch(busy, folder, "-G1", "--wrap", "id -un", **account) for _ in range(2))
    said = take_over(rota, busy, "--user", "nobody", "--partition", "gpu")
    assert {taken["slurm"] for taken in said["taken"]} == {one, two}
    number = said["taken"][0]["jobs"][0]
    rota.wait_for(number, "finished", "failed")
    assert rota.job(number)["job"]["member"] == "nobody"
    assert (folder / f"slurm-{number}.out").read_text() == "nobody\n"
    busy.run("scontrol", "release", str(one))  # uhold, so that its member may do it

    third = sbatch(busy, folder, "-G1", "--wrap", "id -un", **account)
    typed = _as_nobody(rota, busy, "import", "slurm-queue", "--json")
    assert typed.returncode == 0, typed
    assert {taken["slurm"] for taken in json.loads(typed.stdout)["taken"]} == {third} != {roots}
    assert queue(busy)[third].comment.startswith("rota job ")
    typed = _as_nobody(rota, busy, "import", "slurm-queue", "--user", "root", "--yes")
    assert typed.returncode == 4
    assert "Only root" in typed.stderr


def _as_nobody(rota: Rota, cluster: Cluster, *words: str) -> subprocess.CompletedProcess[str]:
    """Typed by another account, by a Python that it may run."""
    source = Path(__file__).resolve().parents[2] / "src"
    python = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
    environment = {
        "ROTA_STATE": str(rota.state), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **cluster.environment,
        "PYTHONPATH": os.pathsep.join([str(source), sysconfig.get_paths()["purelib"]]),
    }  # fmt: skip
    return subprocess.run(
        [python, "-m", "rota.cli.main", *words], user=NOBODY.pw_uid, group=NOBODY.pw_gid, extra_groups=[], cwd="/tmp",
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

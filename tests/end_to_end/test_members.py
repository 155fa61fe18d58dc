"""Several accounts on one machine: the kernel says who calls, and jobs run as their members."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.session import Rota, Said
from tests.waiting import wait_until

NOBODY = pwd.getpwnam("nobody")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be two accounts")


def as_nobody(rota: Rota, *words: str) -> Said:
    """The same command line, typed by another account (whose Python may be another, if ours is in a private folder)."""
    python = sys.executable if _may_run(sys.executable) else shutil.which("python3", path="/usr/bin:/bin")
    assert python is not None
    source = Path(__file__).resolve().parents[2] / "src"
    path = os.pathsep.join([str(source), sysconfig.get_paths()["purelib"]])
    environment = {"ROTA_STATE": str(rota.state), "PYTHONPATH": path, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    done = subprocess.run(
        [python, "-m", "rota.cli.main", *words], user=NOBODY.pw_uid, group=NOBODY.pw_gid, extra_groups=[], cwd="/tmp",
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return Said(done.returncode, done.stdout, done.stderr)


def _may_run(python: str) -> bool:
    real = Path(python).resolve()
    return all(folder.stat().st_mode & 0o001 for folder in (real, *real.parents))


@AS_ROOT
def test_a_member_submits_and_the_job_runs_as_that_member(rota: Rota) -> None:
    said = as_nobody(rota, "run", "--", "id", "-un")
    assert said.code == 0, said
    assert rota.wait_for(1, "finished")["job"]["member"] == "nobody"
    assert as_nobody(rota, "logs", "1").out == "nobody\n"


@AS_ROOT
def test_somebody_elses_job_is_theirs(rota: Rota) -> None:
    number = rota.count("mine", 100_000)
    rota.wait_for(number, "running")
    for word in ("cancel", "hold", "give-back"):
        said = as_nobody(rota, word, str(number))
        assert said.code == 4, said
        assert "root's" in said.err
    assert as_nobody(rota, "logs", str(number)).code == 4
    assert as_nobody(rota, "fleet", "drain", "h100-1").code == 4
    assert as_nobody(rota, "run", "--as", "root", "--", "true").code == 4
    assert as_nobody(rota, "list").code == 0
    assert rota.state_of(number) == "running"


def test_settings_are_taken_anew_on_sighup_and_a_mistake_leaves_the_old_ones(rota: Rota) -> None:
    assert rota.daemon is not None
    file = rota.state / "rota.toml"
    good = file.read_text()
    file.write_text(good.replace('quantum = "4h"', 'quantum = "4x"'))
    rota.daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: "settings not taken" in rota.words(), 10)
    assert rota("run", "--", "true").startswith("1 ")  # it goes on
    file.write_text(good.replace('quantum = "4h"', 'quantum = "1s"'))
    rota.daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: rota.words().count("settings taken") == 1, 10)
    first, second = (rota.count(name, 100_000, "--gpus", "2") for name in ("a", "b"))
    wait_until(lambda: rota.job(second)["job"]["turns"] >= 1, 20, what="the new quantum is in force")
    assert rota.job(first)["turns"][0]["outcome"] == "saved"


def test_a_members_own_output_file_is_written_and_read(rota: Rota, tmp_path: Path) -> None:
    number = rota.submit("--name", "own", "--output", str(tmp_path / "out-%j-%x"), "--", "echo", "mine")
    rota.wait_for(number, "finished")
    assert (tmp_path / f"out-{number}-own").read_text() == "mine\n"
    assert rota("logs", str(number)) == "mine\n"


def test_batch_reads_the_script_as_it_was_at_submit(rota: Rota, tmp_path: Path) -> None:
    script = tmp_path / "train.sbatch"
    script.write_text(
        "#!/bin/bash\n#SBATCH --job-name=old --partition=gpu\n#SBATCH -t 10\nsleep 0.5\necho as it was $1\n"
    )
    said = rota.run("batch", "--json", str(script), "word")
    assert "ignored --partition" in said.err
    script.write_text("#!/bin/bash\necho changed\n")
    shown = rota.wait_for(said.json["job"], "finished")
    assert shown["job"]["name"] == "old"
    assert rota("logs", str(said.json["job"])) == "as it was word\n"


def test_state_folders_may_be_deep_and_two_daemons_share_a_machine_without_any_setting(
    make_rota: Callable[..., Rota],
) -> None:
    pages = []
    for _ in range(2):
        deep = make_rota()
        deep.state = deep.state / ("a-folder-with-a-long-name/" * 6)
        deep.state.mkdir(parents=True)
        deep.up()
        deep("run", "--", "echo", "deep")
        deep.wait_for(1, "finished")
        pages.append(deep("web").split("/enter")[0])
    assert pages[0] != pages[1]


def test_doctor_finds_a_well_daemon_well_and_names_what_is_not(rota: Rota) -> None:
    said = rota.run("doctor", "--json")
    findings = {finding["check"]: finding for finding in said.json["findings"]}
    assert findings["daemon"]["ok"] is True
    assert findings["database"]["ok"] is True
    (rota.state / "rota.toml").write_text("[turns]\nquantum = 4\n")
    said = rota.run("doctor")
    assert said.code == 1
    assert "quantum" in said.out

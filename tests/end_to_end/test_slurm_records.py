"""`rota slurm records`: two books, a fake Slurm on PATH or a file, and a real daemon with a past."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from examples.slurm_cluster import Cluster

from rota.domain.jobs import JobState
from rota.domain.turns import Outcome, TurnState
from rota.store.contract import Entries
from rota.store.open import open_store, sqlite_url
from tests.builders import a_job, a_turn
from tests.end_to_end.session import Rota, Said
from tests.end_to_end.test_members import AS_ROOT, as_nobody
from tests.slurm.cluster import booted_cluster, cluster
from tests.waiting import wait_until

__all__ = ["booted_cluster", "cluster"]  # fixtures

HEADER = "JobIDRaw|JobName|User|Account|State|Submit|Start|End|ElapsedRaw|AllocTRES|NodeList|ExitCode|Comment"
JOBCOMP = (
    "JobId={0} UserId={1}(1002) GroupId=lab(1002) Name=rota.{2}.my_bert JobState=COMPLETED Partition=main "
    "TimeLimit=UNLIMITED StartTime={3} EndTime={4} NodeList=na NodeCnt=1 ProcCnt=1 WorkDir=/ ReservationName= "
    "Tres=cpu=1,mem=2000M,node=1,billing=1 Account= QOS= WcKey= Cluster=unknown SubmitTime={3} EligibleTime={3} "
    "DerivedExitCode=0:0 ExitCode=0:0 \n"
)
NOON = float(int(time.time()) // 3600 * 3600 - 7200)  # when the past of these tests was
HOUR = 3600.0


def with_a_past(rota: Rota, member: str = "kim") -> Rota:
    """Three turns of an hour on two GPUs each of a Slurm fleet: 1.1, 1.2 of one member, 2.1 of another."""
    ended: dict[str, Any] = {
        "state": TurnState.ENDED, "outcome": Outcome.SAVED, "gpus": ("SLURM-na-0", "SLURM-na-1"), "node": "na",
        "gpu_s": 7200.0,
    }  # fmt: skip
    jobs = [
        a_job(1, member=member, state=JobState.FINISHED, turns=2, ended_at=NOON + 3 * HOUR, submitted_at=NOON),
        a_job(2, member="lee", project="speech", state=JobState.FINISHED, turns=1, ended_at=NOON, submitted_at=NOON),
    ]
    turns = [
        a_turn(job, number, granted_at=begin - 1, began_at=begin + 0.4, ended_at=begin + HOUR + 0.6, **ended)
        for job, number, begin in ((1, 1, NOON - 3 * HOUR), (2, 1, NOON - 2 * HOUR), (1, 2, NOON - HOUR))
    ]
    store = open_store(sqlite_url(rota.state))
    store.record(Entries(jobs=jobs, turns=turns))
    store.close()
    return rota.up()


def a_row(turn: str, job: int, begin: float, **changes: object) -> str:
    """What sacct has for an hour on two GPUs of na."""
    said = {
        "JobIDRaw": job, "JobName": f"rota.{turn}.bert", "User": "kim", "Account": "", "State": "COMPLETED",
        "Submit": begin, "Start": begin, "End": begin + HOUR, "ElapsedRaw": HOUR,
        "AllocTRES": "billing=2,cpu=2,gres/gpu:h100=2,gres/gpu=2,node=1", "NodeList": "na", "ExitCode": "0:0",
        "Comment": "", **changes,
    }  # fmt: skip
    return "|".join(f"{value:.0f}" if isinstance(value, float) else str(value) for value in said.values())


ROWS = (
    a_row("1.1", 71, NOON - 3 * HOUR),
    a_row("2.1", 72, NOON - 2 * HOUR, User="lee"),
    a_row("1.2", 73, NOON - 1 * HOUR),
)


def a_file(folder: Path, *rows: str) -> str:
    file = folder / "records.txt"
    file.write_text("\n".join([HEADER, *rows, ""]))
    return str(file)


def fake_slurm(folder: Path, rows: tuple[str, ...], config: str) -> dict[str, str]:
    """An environment in which `sacct` and `scontrol show config` answer so."""
    (folder / "rows").write_text("\n".join([HEADER, *rows, ""]).replace("|", "\x1f"))
    (folder / "config").write_text(config)
    for name, script in (("sacct", f"cat {folder}/rows"), ("scontrol", f"cat {folder}/config")):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_books_that_agree_are_said_to_agree_in_one_line(make_rota: Callable[..., Rota], tmp_path: Path) -> None:
    rota = with_a_past(make_rota())
    slurm = fake_slurm(tmp_path, ROWS, "AccountingStorageType   = accounting_storage/slurmdbd\n")
    lines = rota("slurm", "records", env=slurm).splitlines()
    assert lines[0] == "3 turns: all agree within 5 s or 1 %."
    assert lines[1].endswith(" to now; Slurm's record: sacct (slurmdbd).")
    assert [line.split() for line in lines[2:] if line] == [
        ["PROJECT", "MEMBER", "TURNS", "SLURM", "JOBS", "GPU", "HOURS", "IN", "SLURM", "DIFFERENCE"],
        ["speech", "lee", "1", "1", "2.00", "2.00", "none"],
        ["vision", "kim", "2", "2", "4.00", "4.00", "none"],
        ["all", "3", "3", "6.00", "6.00", "none"],
    ]


def test_what_differs_is_shown_with_a_sentence_and_nothing_is_corrected(
    make_rota: Callable[..., Rota], tmp_path: Path
) -> None:
    rota = with_a_past(make_rota())
    short = a_row("1.1", 71, NOON - 3 * HOUR, End=NOON - 3 * HOUR + 1800, ElapsedRaw=1800.0, NodeList="nb")
    file = a_file(tmp_path, short, ROWS[2], a_row("9.1", 74, NOON - HOUR, User="han"), "71|broken")
    before = rota("export", "--json", str(tmp_path / "before"))
    said = rota.run("slurm", "records", "--from", file)
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0] == ("3 turns, 1 agrees within 5 s or 1 %; 2 differ; Slurm has 1 turn that Rota's record has not.")
    assert lines[2] == "- 1 line of Slurm's record cannot be read: left out."
    shown = [line.split(None, 4) for line in lines if "." in line.split(" ")[0]]
    assert [row[:4] for row in shown] == [
        ["1.1", "71", "kim", "vision"],
        ["2.1", "-", "lee", "speech"],
        ["9.1", "74", "han", "-"],
    ]
    assert [row[4].split("  ")[-1] for row in shown] == [
        "It ended 30min 1s earlier in Slurm; 2.00 GPU hours, in Slurm 1.00; on na, in Slurm on nb.",
        "Rota has 2.00 GPU hours for it, Slurm has no job.",
        "Slurm ran it for 2.00 GPU hours, Rota has no such turn.",
    ]
    assert any(line.split() == ["vision", "kim", "2", "2", "4.00", "3.00", "-1h", "(-25.0", "%)"] for line in lines)
    rota("export", str(tmp_path / "after"))
    for name in ("jobs.csv", "turns.csv"):
        assert (tmp_path / "before" / name).read_text() == (tmp_path / "after" / name).read_text(), before


def test_programs_get_the_same_as_json(make_rota: Callable[..., Rota], tmp_path: Path) -> None:
    rota = with_a_past(make_rota())
    (rota.state / "turns").mkdir(exist_ok=True)
    (rota.state / "turns" / "site.json").write_text('{"site": "0123456789ab"}')
    another = a_row("1.1", 99, NOON - HOUR, User="han", Comment="rota ba9876543210 1.1")
    said = rota.run("slurm", "records", "--json", "--from", a_file(tmp_path, *ROWS[1:], another))
    answer = said.json
    assert said.code == 1
    assert (answer["turns"], answer["source"], answer["unreadable"], answer["whose"]) == (3, "sacct", 0, None)
    assert answer["others"] == 1  # of another Rota on the same cluster
    assert answer["sentence"] == "3 turns, 2 agree within 5 s or 1 %; 1 differs."
    [finding] = answer["findings"]
    assert (finding["kind"], finding["turn"], finding["jobs"]) == ("not in slurm", "1.1", [])
    assert finding["text"] == "Rota has 2.00 GPU hours for it, Slurm has no job."
    assert sum(account["slurm_gpu_s"] for account in answer["accounts"]) == 4 * HOUR


def test_the_file_that_slurmctld_writes_is_read_where_there_is_no_slurmdbd(
    make_rota: Callable[..., Rota], tmp_path: Path
) -> None:
    rota = with_a_past(make_rota())

    def local(at: float) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))  # the commands of these tests have TZ=UTC

    jobs = ((72, "lee", "2.1", NOON - 2 * HOUR), (73, "kim", "1.2", NOON - HOUR))
    lines = [JOBCOMP.format(job, user, turn, local(begin), local(begin + HOUR)) for job, user, turn, begin in jobs]
    (tmp_path / "jobcomp").write_text("".join(lines))
    slurm = fake_slurm(tmp_path, (), f"JobCompLoc  = {tmp_path}/jobcomp\nJobCompType   = jobcomp/filetxt\n")
    lines = rota("slurm", "records", env=slurm).splitlines()
    assert lines[0] == "2 turns: all agree within 5 s or 1 %."
    assert lines[1].endswith(f"; Slurm's record: {tmp_path}/jobcomp (jobcomp/filetxt, since there is no slurmdbd).")
    assert lines[2:4] == [
        "- 1 turn ended before Slurm's file begins: not compared. Add the older file with --from.",
        "- 2 Slurm jobs without a recorded number of GPUs: counted with those that the turn had in Rota.",
    ]


def test_only_the_time_that_was_asked_for_is_compared(make_rota: Callable[..., Rota], tmp_path: Path) -> None:
    rota = with_a_past(make_rota())
    file = a_file(tmp_path, *ROWS)

    def utc(at: float) -> str:
        return time.strftime("%Y-%m-%dT%H:%M", time.gmtime(at))

    def compared(*options: str) -> str:
        return rota("slurm", "records", "--from", file, *options).splitlines()[0]

    within = "within 5 s or 1 %."
    assert compared("--since", utc(NOON - 1800)) == f"1 turn, and it agrees {within}"
    assert compared("--until", utc(NOON - 1800)) == f"2 turns: all agree {within}"
    assert compared("--until", "3d") == "No turn to compare."
    for words, why in (
        (("--since", "soon"), "'soon' is no time. Write it like 7d, 2026-11-01 or 2026-11-01T14:00."),
        (("--since", "1h", "--until", "2h"), "Nothing lies between 1h and 2h. Give an earlier --since."),
    ):
        refused = rota.run("slurm", "records", "--from", file, *words)
        assert (refused.code, why in refused.err) == (2, True), refused


def test_a_slurm_that_does_not_answer_is_said_in_a_sentence(make_rota: Callable[..., Rota], tmp_path: Path) -> None:
    rota = make_rota().up()
    slurm = fake_slurm(tmp_path, (), "")
    (tmp_path / "scontrol").write_text("#!/bin/sh\necho 'Unable to contact slurm controller' >&2\nexit 1\n")
    said = rota.run("slurm", "records", env=slurm)
    assert (said.code, said.out) == (1, "")
    assert said.err == "rota: Slurm does not answer scontrol: Unable to contact slurm controller\n"
    gone = rota.run("slurm", "records", "--from", str(tmp_path / "gone"))
    assert (gone.code, gone.err.startswith(f"rota: There is no file {tmp_path}/gone.")) == (5, True)
    nobody = rota.run("slurm", "records", "--state", str(tmp_path))
    assert nobody.code == 3


@AS_ROOT
@pytest.mark.root
def test_a_member_compares_their_own_turns_and_sees_nobody_elses(make_rota: Callable[..., Rota]) -> None:
    rota = with_a_past(make_rota(), member="nobody")
    rows = [ROWS[0].replace("|kim|", "|nobody|"), ROWS[1], a_row("9.1", 74, NOON - HOUR, User="lee")]
    said: Said = as_nobody(rota, "slurm", "records", "--json", "--from", a_file(rota.state, *rows))
    answer = json.loads(said.out)
    assert (said.code, answer["whose"], answer["turns"]) == (1, "nobody", 2)
    assert [(finding["kind"], finding["turn"]) for finding in answer["findings"]] == [("not in slurm", "1.2")]


class SlurmRota(Rota):
    """A Rota whose turns are jobs of a real Slurm, and a command line that reaches it."""

    def __init__(self, state: Path, cluster: Cluster) -> None:
        super().__init__(state, quantum="3s")
        self.slurm = {**cluster.environment, "TZ": os.environ.get("TZ", ":/etc/localtime")}  # slurmctld's zone
        with (state / "rota.toml").open("a") as settings:
            settings.write('\n[slurm]\nenabled = true\npoll = "0.3s"\n')

    def spawn_daemon(self, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "rota.server", "--state", str(self.state), *options]
        log = (self.state / "daemon.log").open("ab")
        return subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **self.slurm}
        )

    def records(self) -> Said:
        return self.run("slurm", "records", "--json", env=self.slurm)


@pytest.fixture
def slurm_rota(cluster: Cluster) -> Iterator[SlurmRota]:
    """Up, with the GPUs of the cluster; nothing of it is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="rota-") as folder:
        Path(folder).chmod(0o755)
        rota = SlurmRota(Path(folder), cluster)
        try:
            yield rota.up()
            rota.down()
        finally:
            if rota.daemon is not None:
                rota.kill_daemon()


def test_after_rotated_turns_on_a_real_slurm_both_books_say_the_same(slurm_rota: SlurmRota, cluster: Cluster) -> None:
    rota = slurm_rota
    numbers = [rota.count(f"job-{n}", 60, "--tier", "h100", "--gpus", "2", pace="0.1") for n in range(3)]
    for number in numbers:
        rota.wait_for(number, "finished", timeout_s=90)
    turns = sum(int(rota.job(number)["job"]["turns"]) for number in numbers)
    assert turns > len(numbers)  # they rotated
    said = wait_until(lambda: (now := rota.records()).json["turns"] == turns and now, 30, 0.5, "Slurm has written all")
    assert (said.code, said.json["findings"], said.json["others"]) == (0, [], 0)
    assert said.json["sentence"] == f"{turns} turns: all agree within 5 s or 1 %."
    assert said.json["read"].endswith("(jobcomp/filetxt, since there is no slurmdbd)")

    stray = cluster.run("sbatch", "--parsable", "--job-name=rota.999.1.stray", "--chdir=/", "--wrap", "true").strip()
    said = wait_until(lambda: (now := rota.records()).json["findings"] and now, 30, 0.5, "Slurm has written the stray")
    [finding] = said.json["findings"]
    assert (said.code, finding["kind"], finding["turn"], finding["jobs"]) == (1, "not in rota", "999.1", [stray])

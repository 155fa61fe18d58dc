"""Where Slurm's book is read from, and what is said when there is none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from examples.slurm_cluster import Cluster

from rota.errors import BadRequest, NoSuchThing, RotaError
from rota.slurm.accounting import SlurmBook, file_book, slurm_book
from rota.slurm.commands import SlurmUnavailable, commands
from rota.slurm.records import SlurmRecord
from tests.slurm.test_records import JOBCOMP, SACCT
from tests.waiting import wait_until

CONFIG = """\
Configuration data as of 1795526926
AccountingStorageType   = {storage}
JobCompLoc              = {place}
JobCompType             = {kind}
SlurmctldHost[0]        = head(10.0.0.1)
"""


class FakeSlurm:
    """Answers as Slurm's commands would, and keeps what it was asked."""

    def __init__(self, storage: str = "none", kind: str = "none", place: object = "(null)", sacct: str = "") -> None:
        self.config = CONFIG.format(storage=f"accounting_storage/{storage}", kind=f"jobcomp/{kind}", place=place)
        self.sacct, self.asked = sacct, list[Sequence[str]]()

    def __call__(self, words: Sequence[str], given: str = "") -> str:
        self.asked.append(words)
        return self.config if words[0] == "scontrol" else self.sacct


def is_rotas(record: SlurmRecord) -> bool:
    return record.name.startswith("rota.")


def test_sacct_is_asked_where_slurmdbd_is_there() -> None:
    slurm = FakeSlurm("slurmdbd", "filetxt", "/not/read", SACCT)
    book = slurm_book(slurm, 1795526000.0, is_rotas)
    assert (book.source, book.said, book.unreadable, book.begins_at) == ("sacct", "sacct (slurmdbd)", 1, None)
    assert [record.job_id for record in book.records] == ["71", "72", "73", "74", "74", "75", "76"]
    since = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(1795526000))
    assert slurm.asked[1][:8] == ["sacct", "-a", "-X", "-D", "-P", "--delimiter=\x1f", "-S", since]


def test_the_file_of_jobcomp_is_read_where_there_is_no_slurmdbd(tmp_path: Path) -> None:
    place = tmp_path / "jobcomp.txt"
    place.write_text(JOBCOMP)
    book = slurm_book(FakeSlurm(kind="filetxt", place=place), 0.0, is_rotas)
    assert book.said == f"{place} (jobcomp/filetxt, since there is no slurmdbd)"
    assert (len(book.records), book.unreadable) == (11, 2)
    assert book.begins_at == min(record.ended_at or 0.0 for record in book.records)


def test_a_slurm_that_keeps_no_record_is_told_how_to(tmp_path: Path) -> None:
    with pytest.raises(RotaError) as none:
        slurm_book(FakeSlurm(), 0.0, is_rotas)
    assert str(none.value) == (
        "Slurm keeps no record here that can be read: AccountingStorageType is accounting_storage/none, JobCompType "
        "jobcomp/none.\nPut JobCompType=jobcomp/filetxt and JobCompLoc=/var/log/slurm/jobcomp.txt into slurm.conf and "
        "restart slurmctld; or set up slurmdbd."
    )
    with pytest.raises(RotaError) as elsewhere:
        slurm_book(FakeSlurm(kind="filetxt", place=tmp_path / "gone.txt"), 0.0, is_rotas)
    assert str(elsewhere.value).startswith(
        f"Slurm writes its record into {tmp_path}/gone.txt on head(10.0.0.1), and it cannot be read here: "
    )
    assert str(elsewhere.value).endswith("Run this there; or bring a copy, and: rota slurm records --from COPY")


def test_files_are_told_apart_by_what_they_hold_and_read_as_one_book(tmp_path: Path) -> None:
    old, new, listed = tmp_path / "jobcomp.1", tmp_path / "jobcomp", tmp_path / "sacct.txt"
    lines = JOBCOMP.splitlines(keepends=True)
    old.write_text("".join(lines[:6]))
    new.write_text("".join(lines[4:]))
    listed.write_text(SACCT)
    whole = tmp_path / "whole"
    whole.write_text(JOBCOMP)
    both = file_book([old, new], is_rotas)
    assert set(both.records) == set(file_book([whole], is_rotas).records)
    assert both.said == f"{old} (jobcomp/filetxt), {new} (jobcomp/filetxt)"
    assert both.begins_at == file_book([old], is_rotas).begins_at
    assert file_book([listed], is_rotas).source == "sacct"
    assert file_book([listed, new], is_rotas).begins_at is None


def test_a_file_that_is_no_record_says_what_is(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("job,gpus\n1,2\n")
    with pytest.raises(BadRequest, match=r"list\.csv is no record of Slurm's that Rota knows"):
        file_book([path], is_rotas)
    with pytest.raises(NoSuchThing, match="There is no file"):
        file_book([tmp_path / "gone"], is_rotas)
    with pytest.raises(BadRequest, match="cannot be read: Is a directory"):
        file_book([tmp_path], is_rotas)
    path.write_bytes(b"")
    assert file_book([path], is_rotas).records == ()
    path.write_bytes(JOBCOMP.replace("김", "\0").encode("euc-kr"))
    assert len(file_book([path], is_rotas).records) == 11


def test_a_real_slurm_is_read_whatever_its_members_call_their_jobs(cluster: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "my runs"
    folder.mkdir()
    began = time.time()
    for name in ("rota.901.1.bert", "rota.902.1.JobState=X Partition=y", "rota.903.1.a\nJobId=1"):
        options = ("--parsable", "--no-requeue", f"--job-name={name}", f"--chdir={folder}", "--gres=gpu:h100:1")
        cluster.run("sbatch", *options, "--wrap", "sleep 1; exit 3")

    def is_new(record: SlurmRecord) -> bool:
        return is_rotas(record) and (record.submitted_at or 0.0) >= began - 1

    def book() -> SlurmBook | None:
        now = slurm_book(commands(environment=cluster.environment), began, is_new)
        return now if len(now.records) == 2 and now.unreadable >= 2 else None

    found = wait_until(book, 30, 0.2, "all three jobs are in Slurm's book")
    assert found is not None
    assert sorted(record.name for record in found.records) == ["rota.901.1.bert", "rota.902.1.JobState=X Partition=y"]
    for record in found.records:
        assert (record.state, record.exit_code, record.signal, record.gpus) == ("FAILED", 3, 0, None)
        assert record.nodes in (("h100a",), ("h100b",))
        assert record.started_at is not None
        assert record.ended_at is not None
        assert began - 1 <= record.started_at <= record.ended_at <= time.time() + 1
        assert 0 <= record.elapsed_s <= 3
    with pytest.raises(SlurmUnavailable):
        slurm_book(commands(environment={"SLURM_CONF": str(tmp_path / "none.conf")}), began, is_rotas)

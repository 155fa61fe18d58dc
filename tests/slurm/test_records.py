"""Slurm's own record is read as it was written, whatever members call their jobs and folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.errors import BadRequest
from rota.slurm.nodelist import node_names
from rota.slurm.records import COLUMNS, SlurmRecord, jobcomp_records, sacct_records

#: What slurmctld 22.05.8 wrote; folders and accounts renamed.
JOBCOMP = Path(__file__).with_name("recorded").joinpath("jobcomp_22_05.txt").read_text()

# In the form of sacct(1) of 22.05 with -a -X -D -P: a turn, its steps, one of several nodes, one still running, one
# that Slurm queued again, one cancelled in the queue, one of a cluster that records no GPUs.
SACCT = """\
JobIDRaw|JobName|User|Account|State|Submit|Start|End|ElapsedRaw|AllocTRES|NodeList|ExitCode|Comment
71|rota.12.3.bert|kim|vision|COMPLETED|1795526758|1795526759|1795530359|3600|\
billing=2,cpu=2,gres/gpu:h100=2,gres/gpu=2,mem=4000M,node=1|na|0:0|rota 0123456789ab 12.3
71.batch|batch||vision|COMPLETED|1795526759|1795526759|1795530359|3600|cpu=2,gres/gpu:h100=2,gres/gpu=2|na|0:0|
71.extern|extern||vision|COMPLETED|1795526759|1795526759|1795530359|3600|cpu=2,gres/gpu=2|na|0:0|
72|rota.15.1.gang|lee|vision|CANCELLED by 1002|1795526758|1795526761|1795526763|2|\
cpu=2,gres/gpu:a100=1,gres/gpu:h100=2,gres/gpu=3,node=2|gpu[01-02]|0:15|rota 0123456789ab 15.1
73|rota.16.1.long|kim|vision|RUNNING|1795526758|1795526761|Unknown|9000|cpu=1,gres/gpu=1|na|0:0|
74|rota.21.1.req|kim|vision|REQUEUED|1795526918|1795526918|1795526922|4|cpu=1,gres/gpu=1|na|0:0|
74|rota.21.1.req|kim|vision|COMPLETED|1795526922|1795527043|1795527073|30|cpu=1,gres/gpu=1|na|0:0|
75|rota.17.1.wait|kim|vision|CANCELLED by 1002|1795526758|None|1795526761|0||None assigned|0:0|
76|rota.18.1.old|kim|vision|FAILED|1795526758|1795526761|1795526771|10|billing=1,cpu=1,node=1|na|7:0|
77|a|b|kim|vision|FAILED|1795526758|1795526761|1795526771|10|billing=1,cpu=1,node=1|na|7:0|
"""

A_RECORD = SlurmRecord(
    "71", "rota.12.3.bert", "kim", "COMPLETED", 1795526758.0, 1795526759.0, 1795530359.0, 3600.0, 2, (("h100", 2),),
    ("na",), 0, 0, "vision", "rota 0123456789ab 12.3",
)  # fmt: skip


def jobcomp(text: str) -> list[SlurmRecord | None]:
    return list(jobcomp_records(text.split("\n"), UTC))


def sacct(text: str) -> list[SlurmRecord | None]:
    return list(sacct_records(text.split("\n"), "records.txt", UTC))


def test_what_slurmctld_wrote_is_read_line_by_line() -> None:
    found = [record for record in jobcomp(JOBCOMP) if record]
    assert [(record.job_id, record.name, record.state, record.exit_code) for record in found] == [
        ("3", "rota.13.1.fail", "FAILED", 7),
        ("2", "a name  with spaces JobState=X", "COMPLETED", 0),
        ("1", "rota.12.3.bert", "COMPLETED", 0),
        ("4", "rota.14.1.cancel", "CANCELLED", 0),
        ("6", "rota.16.1.begin", "CANCELLED", 0),
        ("5", "rota.15.1.gang", "COMPLETED", 0),
        ("14", "rota.22.1.arr", "COMPLETED", 0),
        ("9", "rota.22.1.arr", "COMPLETED", 0),
        ("12", "rota.24.1.sig", "FAILED", 0),
        ("13", "김 한글", "COMPLETED", 0),
        ("10", "tl|pipe", "COMPLETED", 0),
        ("8", "rota.21.1.req", "PENDING", 0),  # the run that `scontrol requeue` ended
        ("11", "rota.23.1.stub", "CANCELLED", 0),
        ("8", "rota.21.1.req", "COMPLETED", 0),
    ]
    first = found[2]
    assert first.started_at == datetime(2026, 11, 24, 13, 25, 58, tzinfo=UTC).timestamp()
    assert (first.elapsed_s, first.user, first.nodes, first.gpus) == (3.0, "kim", ("na",), None)
    assert found[5].nodes == ("na", "nb")
    assert found[8].signal == 9


def test_a_job_that_was_cancelled_in_the_queue_never_ran() -> None:
    never = next(record for record in jobcomp(JOBCOMP) if record and record.job_id == "6")
    assert (never.started_at, never.elapsed_s, never.nodes) == (None, 0.0, ())
    never = next(record for record in sacct(SACCT) if record and record.job_id == "75")
    assert (never.started_at, never.elapsed_s, never.nodes) == (None, 0.0, ())


def test_a_name_with_a_line_break_in_it_is_counted_and_harms_no_other_line() -> None:
    assert jobcomp(JOBCOMP).count(None) == 2
    assert len(jobcomp(JOBCOMP)) == 16


def test_a_line_that_can_be_read_in_two_ways_is_not_read() -> None:
    line = JOBCOMP.split("\n")[2]
    whole = line.replace("Name=rota.12.3.bert", f"Name={line.partition('Name=')[2].replace('bert', 'forged')}")
    assert jobcomp(whole) == [None]


def test_times_of_jobcomp_are_of_the_zone_that_is_given() -> None:
    line = JOBCOMP.split("\n")[2]
    [in_utc], [here] = jobcomp(line), list(jobcomp_records([line]))
    assert in_utc is not None
    assert here is not None
    assert here.started_at == datetime(2026, 11, 24, 13, 25, 58).timestamp()
    assert here.elapsed_s == in_utc.elapsed_s == 3.0


def test_sacct_text_is_read_without_its_steps_and_with_every_run() -> None:
    found = sacct(SACCT)
    assert found[0] == A_RECORD
    assert [record and record.job_id for record in found] == ["71", "72", "73", "74", "74", "75", "76", None]
    gang, running, old = found[1], found[2], found[6]
    assert gang is not None
    assert running is not None
    assert old is not None
    assert (gang.nodes, gang.gpus, gang.gpus_by_type) == (("gpu01", "gpu02"), 3, (("a100", 1), ("h100", 2)))
    assert (gang.state, gang.exit_code, gang.signal) == ("CANCELLED", 0, 15)
    assert (running.ended_at, running.elapsed_s, running.gpus_by_type) == (None, 9000.0, ())
    assert (old.gpus, old.exit_code) == (None, 7)


def test_sacct_columns_may_stand_in_any_order_and_times_in_either_form() -> None:
    text = "End|State|JobName|Elapsed|Start|Submit|JobID\n2026-11-24T14:26:01|FAILED|x|01:00:02|2026-11-24T13:25:59|1|7"
    [found] = sacct(text)
    assert found is not None
    assert (found.job_id, found.name, found.elapsed_s) == ("7", "x", 3602.0)
    assert (found.started_at, found.ended_at) == (1795526759.0, 1795530361.0)
    with pytest.raises(BadRequest, match=r"records.txt has no column start and no column end\. Write it with:\nSLURM"):
        sacct("JobID|JobName|Submit|ElapsedRaw\n1|x|1|1")


words = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\x1f"), max_size=30)


@given(words, words)
def test_any_name_and_folder_without_a_line_break_is_read_back_or_not_at_all(name: str, folder: str) -> None:
    line = JOBCOMP.split("\n")[2]
    [found] = jobcomp(line.replace("rota.12.3.bert", name).replace("WorkDir=/home/kim", f"WorkDir={folder}"))
    assert found is not None
    assert (found.job_id, found.name, found.elapsed_s, found.nodes) == ("1", name, 3.0, ("na",))


@given(st.text(max_size=200))
def test_no_text_breaks_the_readers(text: str) -> None:
    jobcomp("JobId=" + text)
    sacct(SACCT.partition("\n")[0] + "\n" + text)


epochs = st.integers(1, 4_000_000_000).map(float)
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=20)
runs = st.builds(
    lambda begin, lasted, gpus, types, nodes, name, comment: replace(
        A_RECORD,
        name=name,
        comment=comment,
        started_at=begin,
        ended_at=begin + lasted,
        elapsed_s=float(lasted),
        gpus=gpus + sum(types.values()) or None,
        gpus_by_type=tuple(types.items()),
        nodes=tuple(nodes),
    ),
    epochs,
    st.integers(0, 10**7),
    st.integers(0, 64),
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), st.integers(1, 64), max_size=3),
    st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True), max_size=4, unique=True),
    names,
    names.map(str.strip),
)


def as_sacct(record: SlurmRecord, order: Sequence[str], delimiter: str) -> str:
    """A record as sacct would print it."""

    def epoch(at: float | None) -> str:
        return "Unknown" if at is None else f"{at:.0f}"

    typed = [f"gres/gpu:{name}={number}" for name, number in record.gpus_by_type]
    tres = [*typed, f"gres/gpu={record.gpus}"] if record.gpus else []
    said = {
        "JobIDRaw": record.job_id, "JobName": record.name, "User": record.user, "Account": record.account,
        "State": record.state, "Submit": epoch(record.submitted_at), "Start": epoch(record.started_at),
        "End": epoch(record.ended_at), "ElapsedRaw": f"{record.elapsed_s:.0f}",
        "AllocTRES": ",".join(["cpu=1", *tres, "mem=4G"]), "NodeList": ",".join(record.nodes),
        "ExitCode": f"{record.exit_code}:{record.signal}", "Comment": record.comment,
    }  # fmt: skip
    return f"{delimiter.join(order)}\n{delimiter.join(said[name] for name in order)}\n"


@given(runs, st.permutations(COLUMNS))
def test_what_sacct_prints_is_read_back(record: SlurmRecord, order: Sequence[str]) -> None:
    assert sacct(as_sacct(record, order, "\x1f")) == [record]
    plain = replace(record, name=record.name.replace("|", ""), comment=record.comment.replace("|", ""))
    assert sacct(as_sacct(plain, order, "|")) == [plain]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("na,nb", ("na", "nb")),
        ("gpu[01-03,12]", ("gpu01", "gpu02", "gpu03", "gpu12")),
        ("r[1-2]n[1-2],x", ("r1n1", "r1n2", "r2n1", "r2n2", "x")),
        ("n[9-11]-ib", ("n9-ib", "n10-ib", "n11-ib")),
        ("", ()),
        ("(null)", ()),
        ("None assigned", ()),
        ("n[3-1]", ("n[3-1]",)),
        ("n[1-999999999]", ("n[1-999999999]",)),
        ("n[1-60000][1-60000]", ("n[1-60000][1-60000]",)),
        ("n[a]", ("n[a]",)),
        ("n[1", ("n[1",)),
    ],
)
def test_a_list_of_nodes_is_written_out_or_left_as_it_is(text: str, names: tuple[str, ...]) -> None:
    assert node_names(text) == names

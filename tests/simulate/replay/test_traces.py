"""Traces from our CSV, from an export and from sacct; and files that are none of them."""

from __future__ import annotations

import csv
import gzip
import io
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rota.errors import BadRequest, NoSuchThing, RotaError
from rota.simulate.replay.traces import read_trace
from rota.simulate.replay.values import Trace, TraceJob

PLAIN = "job_id,submit_s,gpus,duration_s\n0,0,1,1513646\n1,116571,4,17674\n2,134364,4,72\n"

JOBS = """\
job,name,member,project,gpus,tiers,submitted_at,ended_at,state,time_s,is_resumable
7,train,ada,vision,2,h100|a100,1772366400.5,1772373600,finished,3600.0,true
8,eval,"bo, jr",speech,1,,1772366500.5,1772370000,finished,,false
9,wait,cy,speech,4,,1772366600.5,,waiting,,true
10,blink,cy,speech,1,,1772366601.5,1772366700,failed,,true
11,first,di,vision,8,h100,1772366300.5,,running,7200.0,true
"""
TURNS = """\
turn,job,number,node,tier,gpus,granted_at,began_at,ended_at,outcome,gpu_s
7.1,7,1,h100-1,h100,h100-1:0|h100-1:1,1772366401,1772366402,1772367402,saved,2000.0
7.2,7,2,h100-1,h100,h100-1:2|h100-1:3,1772368000,1772368001,1772369001,finished,2000.0
8.1,8,1,a100-1,a100,a100-1:0,1772366501,1772366502,1772366602.5,finished,100.5
10.1,10,1,a100-1,a100,a100-1:1,1772366602,,1772366603,failed,0.0
11.1,11,1,h100-2,h100,{node},1772366301,1772366302,1772366402,saved,800.0
11.2,11,2,h100-2,h100,{node},1772369301,1772369302,,,0.0
""".format(node="|".join(f"h100-2:{index}" for index in range(8)))

# As `sacct -a -P` prints it: steps, an array, a het job, a CPU job, a job cancelled while pending.
SACCT = """\
JobID|User|Account|Submit|Elapsed|AllocTRES|ReqTRES|Timelimit|State
1203|ada|vision|2026-03-01T12:00:10|1-02:03:04|billing=8,cpu=8,gres/gpu:h100=4,gres/gpu=4,mem=64G,node=1|\
billing=8,cpu=8,gres/gpu:h100=4,gres/gpu=4,mem=64G,node=1|2-00:00:00|COMPLETED
1203.batch||vision|2026-03-01T12:00:10|1-02:03:04|cpu=8,gres/gpu:h100=4,gres/gpu=4,mem=64G,node=1|||COMPLETED
1203.extern||vision|2026-03-01T12:00:10|1-02:03:04|billing=8,gres/gpu=4|||COMPLETED
1200_1|bo|speech|2026-03-01T12:00:00|00:10:00|cpu=2,gres/gpu=1,node=1|cpu=2,gres/gpu=1,node=1|UNLIMITED|TIMEOUT
1200_2|bo|speech|2026-03-01T12:00:00|05:30|cpu=2,gres/gpu=1,node=1|cpu=2,gres/gpu=1,node=1|Partition_Limit|FAILED
1204+0|cy|speech|2026-03-01T12:00:20|00:00:30|gres/gpu:a100=2,gres/gpu:h100=2|gres/gpu=4|04:00:00|CANCELLED by 1002
1205|cy|speech|2026-03-01T12:00:30|01:00:00|billing=64,cpu=64,mem=8G,node=1|cpu=64|04:00:00|COMPLETED
1206|cy|speech|2026-03-01T12:00:40|00:00:00||billing=1,cpu=1,gres/gpu=8,node=1|04:00:00|CANCELLED by 1002
1207|cy|speech|Unknown|01:00:00|gres/gpu=1|gres/gpu=1|04:00:00|COMPLETED
1208|cy|speech|2026-03-01T12:00:50|01:00:00|gres/gpumem=80G,gres/gpuutil=5|cpu=1|04:00:00|COMPLETED
1209|c|y|speech|2026-03-01T12:00:50|01:00:00|gres/gpu=1|gres/gpu=1|04:00:00|COMPLETED
"""


def read(folder: Path, text: str | bytes, name: str = "trace.csv") -> Trace:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_trace(path)


def exported(folder: Path, jobs: str = JOBS, turns: str = TURNS) -> Trace:
    export = folder / "lab-in-march"
    export.mkdir(exist_ok=True)
    (export / "jobs.csv").write_text(jobs)
    (export / "turns.csv").write_text(turns)
    return read_trace(export)


def sacct(folder: Path, *rows: str, header: str = "JobID|Submit|ElapsedRaw|AllocTRES|Timelimit") -> Trace:
    return read(folder, "\n".join([header, *rows, ""]), "sacct.txt")


def as_csv(jobs: Sequence[TraceJob]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    known = ["member", "project", "tiers", "time_s", "resumable"]
    writer.writerow(["job_id", "submit_s", "gpus", "duration_s", *known])
    for job in jobs:
        time_s = "" if job.time_s is None else job.time_s
        of_whom = [job.member, job.project, "|".join(job.tiers), time_s, job.is_resumable]
        writer.writerow([job.id, job.submit_s, job.gpus, job.duration_s, *of_whom])
    return text.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all the examples of a property."""
    return tmp_path_factory.mktemp("traces")


# Our own CSV


def test_a_csv_with_three_columns_is_a_trace(tmp_path: Path) -> None:
    trace = read(tmp_path, "submit_s,gpus,duration_s\n0,1,60\n5.5,8,1e3\n")
    assert trace == Trace("trace", (TraceJob(1, 0.0, 1, 60.0), TraceJob(2, 5.5, 8, 1000.0)))


def test_a_csv_says_who_and_where_and_how_long_if_it_knows(tmp_path: Path) -> None:
    text = (
        "duration_s,gpus,submit_s,job_id,user,project,tiers,time_s,resumable,note\n"
        '60,2,0,40,ada,vision,h100|a100,90,0,"a, b"\n70,1,3,41,bo,,,,TRUE,\n'
    )
    assert read(tmp_path, text).jobs == (
        TraceJob(40, 0.0, 2, 60.0, "ada", "vision", ("h100", "a100"), 90.0, False),
        TraceJob(41, 3.0, 1, 70.0, "bo"),
    )


def test_a_packed_csv_reads_like_a_plain_one_whatever_its_name(tmp_path: Path) -> None:
    plain = read(tmp_path, PLAIN)
    assert [job.id for job in plain.jobs] == [0, 1, 2]
    assert read(tmp_path, gzip.compress(PLAIN.encode()), "trace.csv.gz") == plain
    assert read(tmp_path, gzip.compress(PLAIN.encode()), "trace.csv") == plain


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        "\ufeff" + PLAIN.replace("\n", "\r\n"),
        "\n" + PLAIN.replace("\n", "\n\n"),
        PLAIN.rstrip("\n"),
        PLAIN.replace("job_id,submit_s,gpus", '"Job_ID","submit_s"," GPUs "'),
        PLAIN.replace("4,72", " 4.0 , 72 "),
    ],
    ids=["bom", "crlf", "bom and crlf", "blank lines", "no last newline", "quoted header", "spaces"],
)
def test_a_csv_from_another_program_reads_the_same(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == read(tmp_path, PLAIN, "trace.csv")


def test_jobs_are_put_in_the_order_of_their_submit_and_equals_stay_in_the_order_of_the_file(tmp_path: Path) -> None:
    trace = read(tmp_path, "job_id,submit_s,gpus,duration_s\n5,100,1,9\n4,50,1,9\n3,100,1,9\n2,50,1,9\n")
    assert [(job.id, job.submit_s) for job in trace.jobs] == [(4, 0.0), (2, 0.0), (5, 50.0), (3, 50.0)]
    assert trace.began_at is None


@pytest.mark.parametrize("ids", [("7", "7"), ("7", ""), ("a_1", "a_2"), ("-1", "2"), ("9" * 5000, "1"), ("²", "3")])
def test_jobs_without_whole_unique_ids_are_numbered_in_the_order_of_their_submit(
    tmp_path: Path, ids: tuple[str, str]
) -> None:
    trace = read(tmp_path, f"job_id,submit_s,gpus,duration_s\n{ids[0]},9,2,9\n{ids[1]},0,1,9\n")
    assert [(job.id, job.gpus) for job in trace.jobs] == [(1, 1), (2, 2)]


def test_rows_that_ran_for_no_time_are_left_out_and_counted(tmp_path: Path) -> None:
    trace = read(tmp_path, PLAIN + "3,134365,1,0\n4,134366,1,0.0\n")
    assert len(trace.jobs) == 3
    assert trace.left_out == ("2 jobs without a duration",)


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ("3,1,1,-5,", "duration_s is -5, and seconds go from 0 to 253402300799 (the year 9999)."),
        ("3,-1,1,5,", "submit_s is -1, and seconds go from 0 to 253402300799 (the year 9999)."),
        ("3,1,1,nan,", "duration_s is 'nan', which is not a number of seconds."),
        ("3,1,1,inf,", "duration_s is 'inf', which is not a number of seconds."),
        ("3,1,1,1e999,", "duration_s is 1e999, and seconds go from 0 to 253402300799 (the year 9999)."),
        ("3,1,1,1_000,", "duration_s is '1_000', which is not a number of seconds."),
        ("3,1,1,an hour,", "duration_s is 'an hour', which is not a number of seconds."),
        ("3,1,1,,", "duration_s is '', which is not a number of seconds."),
        ("3,1772366400000,1,5,", "submit_s is 1772366400000, and seconds go from 0 to 253402300799 (the year 9999)."),
        ("3,1,0,5,", "gpus is '0', which is not a whole number from 1 to 1000000."),
        ("3,1,-4,5,", "gpus is '-4', which is not a whole number from 1 to 1000000."),
        ("3,1,0.5,5,", "gpus is '0.5', which is not a whole number from 1 to 1000000."),
        ("3,1,two,5,", "gpus is 'two', which is not a whole number from 1 to 1000000."),
        ("3,1,1e400,5,", "gpus is '1e400', which is not a whole number from 1 to 1000000."),
        ("3,1,1,5,0", "time_s is 0, and a stated time is longer than nothing (leave it empty for none)."),
        ("3,1,1,5,soon", "time_s is 'soon', which is not a number of seconds."),
        ("3,1,1,5", "it has 4 fields, and the header has 5."),
        ("3,1,1,5,,", "it has 6 fields, and the header has 5."),
    ],
)
def test_nonsense_in_a_csv_is_an_error_with_file_line_and_what_is_wrong(tmp_path: Path, row: str, wrong: str) -> None:
    with pytest.raises(BadRequest) as error:
        read(tmp_path, f"job_id,submit_s,gpus,duration_s,time_s\n0,0,1,60,\n{row}\n4,9,1,60,\n")
    path = tmp_path / "trace.csv"
    assert str(error.value) == f"{path}, line 3: {wrong} Mend that line, or take it out; nothing was read."


def test_resumable_is_true_or_false_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="line 2: resumable is 'maybe', which is not true, false, 1 or 0"):
        read(tmp_path, "submit_s,gpus,duration_s,resumable\n0,1,60,maybe\n")


def test_a_long_field_does_not_fill_the_screen(tmp_path: Path) -> None:
    with pytest.raises(BadRequest) as error:
        read(tmp_path, f"submit_s,gpus,duration_s\n0,{'9' * 100_000},60\n")
    assert len(str(error.value)) < 400


def test_a_header_that_lacks_a_column_or_has_one_twice_says_which(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="has no column gpus and no column duration_s"):
        read(tmp_path, "submit_s,gpu\n0,1\n")
    with pytest.raises(BadRequest, match="has the column 'gpus' twice"):
        read(tmp_path, "submit_s,gpus,duration_s,GPUS\n0,1,60,1\n")


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12).map(str.strip)
TIERS = st.lists(st.from_regex(r"[a-z0-9.:_-]{1,9}", fullmatch=True), max_size=3).map(tuple)
SECONDS = st.floats(min_value=0.001, max_value=1e9)


@st.composite
def traces(draw: st.DrawFn) -> tuple[TraceJob, ...]:
    submits = sorted(draw(st.lists(st.floats(min_value=0, max_value=1e9), max_size=8)))
    ids = draw(st.lists(st.integers(0, 10**18 - 1), min_size=9, max_size=9, unique=True))
    return tuple(
        TraceJob(
            id=number,
            submit_s=submit_s,
            gpus=draw(st.integers(1, 4096)),
            duration_s=draw(SECONDS),
            member=draw(NAMES),
            project=draw(NAMES),
            tiers=draw(TIERS),
            time_s=draw(st.none() | SECONDS),
            is_resumable=draw(st.booleans()),
        )
        for number, submit_s in zip(ids, [0.0, *submits], strict=False)
    )


@given(traces(), st.booleans())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_trace_written_as_csv_reads_as_it_was(folder: Path, jobs: tuple[TraceJob, ...], is_packed: bool) -> None:
    text = as_csv(jobs).encode()
    assert read(folder, gzip.compress(text) if is_packed else text) == Trace("trace", jobs)


def test_forty_thousand_rows_are_read_in_a_moment(tmp_path: Path) -> None:
    rows = "".join(f"{number},{number * 3},{number % 8 + 1},{number % 9000 + 1}\n" for number in range(41_000))
    path = tmp_path / "long.csv.gz"
    path.write_bytes(gzip.compress(b"job_id,submit_s,gpus,duration_s\n" + rows.encode()))
    began = time.process_time()
    assert len(read_trace(path).jobs) == 41_000
    assert time.process_time() - began < 1.5  # 0.3 s on an idle machine


# The folder of `rota export`


def test_an_export_gives_each_job_the_time_of_all_its_turns(tmp_path: Path) -> None:
    trace = exported(tmp_path)
    assert trace.name == "lab-in-march"
    assert trace.began_at == 1772366300.5
    assert trace.jobs == (
        TraceJob(11, 0.0, 8, 100.0, "di", "vision", ("h100",), 7200.0),
        TraceJob(7, 100.0, 2, 2000.0, "ada", "vision", ("h100", "a100"), 3600.0),
        TraceJob(8, 200.0, 1, 100.5, "bo, jr", "speech", is_resumable=False),
    )
    assert trace.left_out == ("1 job without an ended turn", "1 job without a duration")


def test_an_export_that_lacks_a_file_says_which(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"has no jobs\.csv and no turns\.csv\. A trace is one of these three"):
        read_trace(tmp_path)
    (tmp_path / "jobs.csv").write_text(JOBS)
    with pytest.raises(BadRequest, match=r"has no turns\.csv\."):
        read_trace(tmp_path)


def test_nonsense_in_an_export_names_the_file_and_the_line(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"turns\.csv, line 3: gpu_s is 'lots'"):
        exported(tmp_path, turns=TURNS.replace("finished,2000.0", "finished,lots"))
    with pytest.raises(BadRequest, match=r"jobs\.csv, line 4: gpus is '0'"):
        exported(tmp_path, jobs=JOBS.replace("speech,4,", "speech,0,"))
    with pytest.raises(BadRequest, match=r"jobs\.csv, line 7: job '7' is there a second time"):
        exported(tmp_path, jobs=JOBS + JOBS.splitlines()[1])
    with pytest.raises(BadRequest, match=r"turns\.csv is empty"):
        exported(tmp_path, turns="")


# Slurm's sacct


def test_a_recorded_sacct_text_is_a_trace(tmp_path: Path) -> None:
    trace = read(tmp_path, SACCT, "march.txt")
    assert trace.name == "march"
    assert trace.began_at == 1772366400.0
    assert trace.jobs == (
        TraceJob(1, 0.0, 1, 600.0, "bo", "speech"),
        TraceJob(2, 0.0, 1, 330.0, "bo", "speech"),
        TraceJob(3, 10.0, 4, 93784.0, "ada", "vision", ("h100",), 172800.0),
        TraceJob(4, 20.0, 4, 30.0, "cy", "speech", (), 14400.0),
    )
    assert trace.left_out == (
        "2 jobs without a GPU",
        "1 job without a duration",
        "1 job without a readable submit time",
        "1 job with more or fewer fields than the header",
    )


def test_sacct_columns_are_found_by_name_and_keep_ids_that_are_whole_numbers(tmp_path: Path) -> None:
    header = "State|ReqTRES|ElapsedRaw|Submit|JobIDRaw|JobID"
    trace = sacct(
        tmp_path,
        "COMPLETED|gres/gpu:a100=1,gres/gpu:h100=2|90|1772366405|88|77_2",
        "COMPLETED|gres/gpu=3|60|1772366400|87|77_1",
        header=header,
    )
    assert trace.jobs == (TraceJob(87, 0.0, 3, 60.0), TraceJob(88, 5.0, 3, 90.0, tiers=("a100", "h100")))
    assert trace.left_out == ()


def test_windows_line_ends_and_a_bom_do_no_harm_to_sacct_text(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeff" + SACCT.replace("\n", "\r\n"), "march.txt") == read(tmp_path, SACCT, "march.txt")


@given(st.integers(1, 3 * 86400 * 365), st.sampled_from(["raw", "days", "hours", "short"]))
@settings(deadline=None)
def test_a_duration_written_as_slurm_writes_it_is_read_back(folder: Path, seconds: int, form: str) -> None:
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    clock = f"{hour:02}:{minute:02}:{second:02}"
    written = {
        "raw": str(seconds),
        "days": f"{days}-{clock}",
        "hours": f"{days}-{clock}" if days else clock,
        "short": f"{days}-{clock}" if days else clock if hour else f"{minute:02}:{second:02}",
    }[form]
    column = "ElapsedRaw" if form == "raw" else "Elapsed"
    limit = "UNLIMITED" if form == "raw" else written
    trace = sacct(
        folder, f"1|1772366400|{written}|gres/gpu=1|{limit}", header=f"JobID|Submit|{column}|ReqTRES|Timelimit"
    )
    assert trace.jobs == (TraceJob(1, 0.0, 1, float(seconds), time_s=None if form == "raw" else float(seconds)),)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("2|None|60|gres/gpu=1|", "without a readable submit time"),
        ("2||60|gres/gpu=1|", "without a readable submit time"),
        (f"2|{'9' * 5000}|60|gres/gpu=1|", "without a readable submit time"),
        ("2|2026-13-01T00:00:00|60|gres/gpu=1|", "without a readable submit time"),
        ("2|²|60|gres/gpu=1|", "without a readable submit time"),
        (f"2|1772366400|{'9' * 5000}|gres/gpu=1|", "without a duration"),
        ("2|1772366400|-60|gres/gpu=1|", "without a duration"),
        ("2|1772366400|INVALID|gres/gpu=1|", "without a duration"),
        (f"2|1772366400|{'9' * 400}:00|gres/gpu=1|", "without a duration"),
        ("2|1772366400|60|gres/gpu=many|", "without a GPU"),
        ("2|1772366400|60|gres/gpu=-1|", "without a GPU"),
        (f"2|1772366400|60|gres/gpu={'9' * 5000}|", "without a GPU"),
        ("2|1772366400|60|gres/gpu:h100=0|", "without a GPU"),
        ("2|1772366400", "with more or fewer fields than the header"),
    ],
)
def test_a_sacct_row_that_cannot_be_replayed_is_left_out_with_the_reason(tmp_path: Path, row: str, why: str) -> None:
    trace = sacct(tmp_path, "1|1772366400|60|gres/gpu=1|", row)
    assert [job.id for job in trace.jobs] == [1]
    assert trace.left_out == (f"1 job {why}",)


@pytest.mark.parametrize("limit", ["UNLIMITED", "Partition_Limit", "INVALID", "", "00:00:00", "9" * 5000 + ":00"])
def test_a_sacct_job_without_a_limit_has_stated_no_time(tmp_path: Path, limit: str) -> None:
    assert sacct(tmp_path, f"1|1772366400|60|gres/gpu=1|{limit}").jobs == (TraceJob(1, 0.0, 1, 60.0),)


def test_sacct_text_that_lacks_a_column_says_how_to_write_it_again(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"has no column AllocTRES\. Write it again with: sacct -a -X -P"):
        sacct(tmp_path, "1|2026-03-01T12:00:00|60", header="JobID|Submit|ElapsedRaw")
    with pytest.raises(BadRequest, match="has no column ElapsedRaw"):
        sacct(tmp_path, "1|2026-03-01T12:00:00|gres/gpu=1", header="JobID|Submit|AllocTRES")


def test_sacct_text_of_cpu_jobs_alone_says_why_there_is_nothing_to_replay(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"no job that can be replayed \(2 jobs without a GPU\)"):
        sacct(tmp_path, "1|1772366400|60|cpu=1|", "2|1772366400|60|cpu=1|")


# Files that are no trace


def test_a_missing_file_says_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(NoSuchThing) as error:
        read_trace(tmp_path / "mine.csv")
    assert str(error.value) == f"There is no file or folder {tmp_path}/mine.csv. Look for it with: ls {tmp_path}"
    with pytest.raises(BadRequest, match="cannot be read: File name too long"):
        read_trace(tmp_path / ("n" * 5000))


def test_an_unknown_file_is_told_the_three_forms(tmp_path: Path) -> None:
    with pytest.raises(BadRequest) as error:
        read(tmp_path, "start;end;cards\n1;2;3\n")
    assert str(error.value) == (
        f"{tmp_path}/trace.csv is no trace that Rota knows. A trace is one of these three:\n"
        "- a CSV file (or .csv.gz) with the header submit_s,gpus,duration_s and, if known, "
        "job_id,member,project,tiers,time_s,resumable\n"
        "- a folder that `rota export` wrote: jobs.csv with the header job,name,member,project,gpus,... and turns.csv\n"
        "- the text of Slurm's sacct, with the header JobID|User|Account|Submit|ElapsedRaw|AllocTRES|... "
        "Write it with:\n"
        "  sacct -a -X -P -S 2026-01-01 -o JobID,User,Account,Submit,ElapsedRaw,AllocTRES,ReqTRES,Timelimit,State "
        "> jobs.txt"
    )


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        (b"", "is empty"),
        (b"\n\r\n", "is empty"),
        (b"submit_s,gpus,duration_s\n", r"no job that can be replayed \(nothing but a header\)"),
        (b"JobID|Submit|ElapsedRaw|AllocTRES\n", r"no job that can be replayed \(nothing but a header\)"),
        (b"submit_s,gpus,duration_s\n0,1,\x0060\n", "line 2: there is a NUL byte"),
        (b"\0" * 5000, "line 1: there is a NUL byte"),
        (b"submit_s,gpus,duration_s,member\n0,1,60,J\xfcrgen\n", "line 2: this is not UTF-8 text"),
        ("submit_s,gpus,duration_s\n".encode("utf-16"), "line 1: this is not UTF-8 text"),
        (b'submit_s,gpus,duration_s,member\n0,1,60,"ada\n1,1,60,bo\n', "line 3: this is no CSV"),
        (b"submit_s,gpus,duration_s,member\n0,1,60," + b"x" * 200_000, "line 2: this is no CSV"),
        (gzip.compress(PLAIN.encode(), mtime=0)[:-12], r"is a broken \.gz file"),
        (b"\x1f\x8b" + b"no gzip at all", r"is a broken \.gz file"),
    ],
)
def test_a_hostile_file_is_an_error_that_says_what_is_wrong(tmp_path: Path, raw: bytes, wrong: str) -> None:
    with pytest.raises(BadRequest, match=wrong):
        read(tmp_path, raw)


def test_a_file_that_unpacks_without_end_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rota.simulate.replay.traces.MOST_BYTES", 1 << 20)
    with pytest.raises(BadRequest, match="is longer than 1 MiB"):
        read(tmp_path, gzip.compress(b"\n" * (1 << 22)))


HEADERS = st.sampled_from([b"", b"submit_s,gpus,duration_s\n", b"JobID|Submit|Elapsed|AllocTRES\n", b"\x1f\x8b"])


@given(HEADERS, st.binary(max_size=80) | st.text('0123456789-:.|,eT/=gpurs"\r\n', max_size=80).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_whatever_bytes_are_in_a_file_it_is_a_trace_or_an_error_for_a_person(
    folder: Path, header: bytes, rest: bytes
) -> None:
    try:
        trace = read(folder, header + rest)
    except RotaError as error:
        assert str(error)
    else:
        assert all(job.duration_s > 0 and job.gpus >= 1 and job.submit_s >= 0 for job in trace.jobs)

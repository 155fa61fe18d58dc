"""Waiting lists of paper and spreadsheets, read as laboratories write them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.cli.take_over.list_columns import NAMES, column_of
from rota.cli.take_over.list_rows import Laboratory, Understood, Wish, understand
from rota.cli.take_over.list_sheet import read_sheet
from rota.errors import BadRequest

NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC).timestamp()
EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "waiting-list.csv"


class Members:
    """kim and lee have accounts; 김민수 is kim."""

    def account(self, written: str) -> str:
        name = {"김민수": "kim"}.get(written, written)
        if name not in ("kim", "lee", "park"):
            raise BadRequest(f"there is no account {written!r} here.")
        return name

    def home(self, account: str) -> str:
        return f"/hall/{account}"


LABORATORY = Laboratory(Members(), ["h100", "a100", "rtx3090"], ["vision", "nlp"], NOW, UTC)
OPEN = Laboratory(Members(), ["h100", "rtx3090"], [], NOW, UTC)


def read(text: str, encoding: str = "utf-8", laboratory: Laboratory = LABORATORY) -> Understood:
    return understand(read_sheet(text.encode(encoding), "list.csv"), laboratory)


def only(found: Understood) -> Wish:
    assert found.mistakes == ()
    (wish,) = found.wishes
    return wish


def day(year: int, month: int, date: int, hour: int = 0, minute: int = 0) -> float:
    return datetime(year, month, date, hour, minute, tzinfo=UTC).timestamp()


ENGLISH = """\
Member,GPUs,GPU type,Since,Hours,Project,Command,Folder,Checkpoint,Name,Note
kim,2,H100,2026-10-12,36,vision,python train.py --lr 0.1,work/bert,out/*.pt,bert,for the paper
"""


def test_a_list_in_english() -> None:
    wish = only(read(ENGLISH))
    assert (wish.line, wish.member, wish.gpus, wish.tiers, wish.project) == (2, "kim", 2, ("h100",), "vision")
    assert (wish.since, wish.time_s) == (day(2026, 10, 12), 36 * 3600.0)
    assert (wish.command, wish.folder) == ("python train.py --lr 0.1", "/hall/kim/work/bert")
    assert (wish.checkpoint, wish.name) == ("/hall/kim/work/bert/out/*.pt", "bert")


KOREAN = """\
GPU 신청 현황 (비전 연구실);;;;;;;

번호;이름;GPU 수;GPU 종류;신청일;예상 시간;과제명;명령;비고;상태
1;김민수;2장;H100;2026. 10. 12.;1일 12시간;Vision;python train.py;논문 실험;대기
2;lee;1;상관없음;10월 13일 오후 2:30;8시간;nlp;python eval.py;;대기중
3;park;1;;10월 1일;8;nlp;python old.py;;완료
4;park;1;;10월 1일;8;nlp;python now.py;;사용 중
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_a_list_in_korean_with_a_title_above_it_in_whatever_encoding(encoding: str) -> None:
    found = read(KOREAN, encoding)
    assert found.mistakes == ()
    first, second = found.wishes
    assert (first.member, first.gpus, first.tiers, first.project) == ("kim", 2, ("h100",), "vision")
    assert (first.since, first.time_s, first.name) == (day(2026, 10, 12), 129600.0, "논문 실험")
    assert (second.tiers, second.since) == ((), day(2026, 10, 13, 14, 30))
    assert [str(one) for one in found.left_out] == [
        "Line 6, 상태: it is done with", "Line 7, 상태: it has its turn already, outside of Rota",
    ]  # fmt: skip


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_come_in_any_order_and_with_any_separator(separator: str) -> None:
    text = separator.join(["Command", "Advisor", "Who", "Date"]) + "\n"
    text += separator.join(['"python a.py\n--long"', "Prof. Choi", "lee", "46308.5"]) + f"\n\n{separator}{separator}\n"
    sheet = read_sheet(text.encode(), "list.csv")
    assert sheet.unknown == ("Advisor",)
    wish = only(understand(sheet, LABORATORY))
    assert (wish.line, wish.command) == (2, "python a.py\n--long")
    assert (wish.gpus, wish.folder, wish.since) == (1, "/hall/lee", day(2026, 10, 13, 12))


def test_name_is_who_waits_where_no_other_column_says_so() -> None:
    assert only(read("Name,Command\nlee,true\n")).member == "lee"
    wish = only(read("User,Name,Command\nlee,bert,true\n"))
    assert (wish.member, wish.name) == ("lee", "bert")


@pytest.mark.parametrize(
    ("cell", "gpus", "tiers"),
    [
        ("2", 2, ()), ("2 GPUs", 2, ()), ("2장", 2, ()), ("2 x H100", 2, ("h100",)), ("H100 x2", 2, ("h100",)),
        ("H100:2", 2, ("h100",)), ("A100 2장", 2, ("a100",)), ("", 1, ()),
    ],
)  # fmt: skip
def test_numbers_of_gpus(cell: str, gpus: int, tiers: tuple[str, ...]) -> None:
    wish = only(read(f"who,gpus,cmd\nkim,{cell},true\n"))
    assert (wish.gpus, wish.tiers) == (gpus, tiers)


@pytest.mark.parametrize(
    ("cell", "tiers"),
    [
        ("H100 or A100", ("h100", "a100")), ("h100/a100", ("h100", "a100")), ("A100 80GB", ("a100",)), ("any", ()),
        ("NVIDIA RTX3090", ("rtx3090",)), ("RTX 3090", ("rtx3090",)), ("H100 또는 A100", ("h100", "a100")), ("-", ()),
    ],
)  # fmt: skip
def test_kinds_of_gpus(cell: str, tiers: tuple[str, ...]) -> None:
    assert only(read(f"who,gpu type,cmd\nkim,{cell},true\n")).tiers == tiers


@pytest.mark.parametrize(
    ("head", "cell", "hours"),
    [
        ("hours", "8", 8), ("time", "1.5h", 1.5), ("시간", "3일 12시간", 84), ("time", "1:30", 1.5),
        ("time", "2 weeks", 336), ("days", "2", 48), ("기간", "30분", 0.5),
    ],
)  # fmt: skip
def test_lengths(head: str, cell: str, hours: float) -> None:
    assert only(read(f"who,{head},cmd\nkim,{cell},true\n")).time_s == hours * 3600


@pytest.mark.parametrize(
    ("folder", "checkpoint", "is_at"),
    [
        ("", "a.pt", "/hall/kim/a.pt"), ("~/x", "a.pt", "/hall/kim/x/a.pt"), ("/data/x/", "~/a.pt", "/hall/kim/a.pt"),
        ("~kim/x", "/b/*.pt", "/b/*.pt"),
    ],
)  # fmt: skip
def test_paths_begin_at_home(folder: str, checkpoint: str, is_at: str) -> None:
    assert only(read(f"who,folder,ckpt,cmd\nkim,{folder},{checkpoint},true\n")).checkpoint == is_at


def test_every_mistake_is_named_with_its_line_and_the_lists_own_column() -> None:
    found = read(
        "이름,GPU 수,GPU 종류,신청일,시간,과제,명령,상태\n"
        "choi,many,v100,99/99,soon,secret,,maybe\n"
        "kim,1,h100,2027-01-01,8,vision,true,대기\n"
        ",1,,,,,true,\n"
        "lee,0,,,,,true,\n"
    )
    assert found.wishes == ()
    assert [(one.line, one.column) for one in found.mistakes] == [
        (2, "상태"), (2, "이름"), (2, "GPU 수"), (2, "GPU 종류"), (2, "신청일"), (2, "시간"), (2, "과제"), (2, "명령"),
        (3, "신청일"), (4, "이름"), (5, "GPU 수"),
    ]  # fmt: skip
    said = "\n".join(map(str, found.mistakes))
    for hint in (
        "no account 'choi'",
        "Tiers: h100, a100, rtx3090",
        "Projects: vision, nlp",
        "in the future",
        "--since",
    ):
        assert hint in said


def test_projects_are_free_until_the_first_is_named() -> None:
    assert only(read("who,project,cmd\nkim,whatever,true\n", laboratory=OPEN)).project == "whatever"


def test_equal_lines_are_told_apart_and_a_line_is_known_again_wherever_it_stands() -> None:
    first, second = read("who,cmd\nkim,true\nkim,true\n").wishes
    assert first.origin != second.origin
    again = read("advisor,cmd,who\n,echo,lee\nx,true,kim\n").wishes[1]
    assert again.origin == first.origin


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "names of its columns"),
        (b"kim,2,h100\nlee,1,any\n", "names of its columns"),
        (b"PK\x03\x04....", "workbook"),
        (b"\xff\xfe\xff", "neither UTF-8 nor CP949"),
        (b"who,cmd\n\x81\x00\n", "neither UTF-8 nor CP949"),
    ],
)
def test_what_is_no_list_is_refused_with_the_fix(content: bytes, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        read_sheet(content, "list.csv")


def test_no_head_belongs_to_two_columns() -> None:
    heads = [head for names in NAMES.values() for head in names.split()]
    assert len(heads) == len(set(heads))
    assert all(column_of(head) for head in heads)


def test_the_example_is_understood() -> None:
    found = understand(read_sheet(EXAMPLE.read_bytes(), "waiting-list.csv"), LABORATORY)
    assert found.mistakes == ()
    assert [(wish.member, wish.gpus, wish.tiers) for wish in found.wishes] == [
        ("kim", 2, ("h100",)), ("lee", 1, ()), ("park", 1, ("h100", "rtx3090")),
    ]  # fmt: skip


cells = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)


@given(st.lists(st.lists(cells, min_size=4, max_size=4), max_size=4), st.sampled_from(",;\t"))
def test_whatever_stands_in_the_cells_is_understood_or_named(rows: list[list[str]], separator: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerows([["who", "gpus", "since", "cmd"], *rows])
    found = read(text.getvalue())
    named = {one.line for one in (*found.mistakes, *found.left_out)}
    assert len(found.wishes) + len(named) <= len(rows)
    assert not named & {wish.line for wish in found.wishes}


@given(st.binary(max_size=60))
def test_no_bytes_whatever_break_the_reader(content: bytes) -> None:
    try:
        understand(read_sheet(content, "list.csv"), LABORATORY)
    except BadRequest as refused:
        assert "list.csv" in str(refused) or "Line" in str(refused)

"""The columns of a waiting list, by the names that laboratories give them, in English and Korean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

#: Our name of a column, and what may stand above it: in small letters, without spaces and signs.
NAMES: dict[str, str] = {
    "member": (
        "member who user username account unixaccount login id person student owner "
        "이름 신청자 사용자 사용자명 성명 계정 아이디 담당자 학생"
    ),
    "gpus": (
        "gpus gpu numberofgpus numgpus ngpus gpucount howmany howmanygpus cards "
        "gpu수 gpu개수 gpu갯수 gpu대수 gpu장수 장수 개수 수량 대수"
    ),
    "tier": (
        "tier tiers gputype gpukind gpumodel typeofgpu kind model whichgpu gpu종류 gpu타입 gpu모델 gpu기종 종류 기종"
    ),
    "since": (
        "since date requested requestedon requestdate dateofrequest submitted submittedon applied waitingsince day "
        "when timestamp 신청일 신청일자 신청날짜 신청일시 날짜 일자 등록일 접수일 요청일 대기시작"
    ),
    "time": (
        "time hours hour duration runtime howlong length expectedtime estimate h "
        "시간 예상시간 소요시간 예상소요시간 사용시간 기간 사용기간 예상기간"
    ),
    "days": "days daysneeded 일수",
    "project": "project projectname grant fund charge chargeto 과제 과제명 프로젝트 연구과제",
    "command": "command cmd commandline run script 명령 명령어 실행명령 실행명령어 스크립트 실행",
    "folder": (
        "folder cwd dir directory path workdir workingdirectory where "
        "폴더 작업폴더 경로 작업경로 디렉토리 디렉터리 위치"
    ),
    "checkpoint": "checkpoint ckpt checkpointpath saves 체크포인트 저장 저장파일 저장경로",
    "name": "name jobname title job task experiment 작업명 작업이름 작업 실험 실험명 제목",
    "note": "note notes remark remarks comment comments purpose 비고 메모 목적 용도 내용 설명",
    "state": "state status done 상태 진행 진행상태 완료 완료여부 사용여부",
    "number": "no nr number position rank order place 번호 순번 순서 연번 순위",
}
_BY_NAME = {written: ours for ours, names in NAMES.items() for written in names.split()}


def column_of(head: str) -> str:
    """Our name of a column; "" for one that is not known.

    >>> column_of("GPU 종류"), column_of("Requested on:"), column_of("GPU Type (H100/A100)"), column_of("advisor")
    ('tier', 'since', 'tier', '')
    """
    if head and not _plain(head):
        return "number"  # "#"
    return _BY_NAME.get(_plain(head)) or _BY_NAME.get(_plain(re.sub(r"\(.*?\)|\[.*?\]", "", head))) or ""


def _plain(head: str) -> str:
    return re.sub(r"[\W_]+", "", head).lower()


def known_columns(heads: Sequence[str]) -> Mapping[int, str]:
    """Our names by place; a column that is there twice counts once. "Name" is who waits, if no other column is."""
    found: dict[int, str] = {}
    for place, head in enumerate(heads):
        ours = column_of(head)
        if ours and ours not in found.values():
            found[place] = ours
    if "member" not in found.values():
        found = {place: "member" if ours == "name" else ours for place, ours in found.items()}
    return found

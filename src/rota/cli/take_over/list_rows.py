"""What a line of a waiting list asks for; what cannot be understood is named by its line and column. Pure."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol, TypeVar

from rota.cli.scripts.meaning import tier_of
from rota.cli.take_over.list_sheet import Row, Sheet
from rota.domain.moments import parse_moment_s
from rota.errors import BadRequest

_COUNT = re.compile(r"(\d{1,5})\s*(?:장|개|대|ea|gpus?|cards?)?", re.IGNORECASE | re.ASCII)
_TIMES = re.compile(
    r"(?:(\d{1,5})\s*[x×*]\s*(\S.*)|(\S.*?)\s*(?:[x×*:]|\s)\s*(\d{1,5})\s*(?:장|개|대|ea|gpus?)?)", re.I
)
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z가-힣]+)?", re.ASCII | re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,4}):(\d{2})", re.ASCII)
_UNIT_S = {
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "분"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "시간"), 3600.0),
    **dict.fromkeys(("d", "day", "days", "일"), 86400.0),
    **dict.fromkeys(("w", "week", "weeks", "주"), 7 * 86400.0),
}
LONGEST_S = 366 * 86400.0
ANY = ("any", "all", "-", "아무거나", "상관없음", "무관", "전체")
OVER = ("done", "finished", "cancelled", "canceled", "yes", "y", "o", "x", "완료", "끝", "종료", "취소", "반납", "삭제")
RUNNING = ("running", "inuse", "using", "active", "사용중", "진행중", "실행중")
WAITING = ("waiting", "pending", "queued", "no", "n", "대기", "대기중", "신청", "예정", "미완료")
MOST_NAME = 40
T = TypeVar("T")


class People(Protocol):
    """Who has an account."""

    def account(self, written: str) -> str:
        """The account that a list means by this. Raises BadRequest."""
        ...

    def home(self, account: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Laboratory:
    """What a list is read against."""

    people: People
    tiers: Sequence[str]
    projects: Sequence[str]  #: empty: jobs may name any
    now: float
    zone: tzinfo | None = None  #: None: this machine's


@dataclass(frozen=True, slots=True)
class Wish:
    """One line, understood."""

    line: int
    member: str
    command: str
    folder: str
    gpus: int = 1
    tiers: tuple[str, ...] = ()
    since: float | None = None
    time_s: float | None = None
    project: str | None = None
    checkpoint: str | None = None
    name: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a line."""

    line: int
    column: str  #: as it stands in the list; "" for the line as a whole
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}{f', {self.column}' if self.column else ''}: {self.message}"


@dataclass(frozen=True, slots=True)
class Understood:
    """A whole list."""

    wishes: tuple[Wish, ...]
    mistakes: tuple[Mistake, ...]
    left_out: tuple[Mistake, ...]  #: lines that need nothing, and why


def understand(sheet: Sheet, laboratory: Laboratory) -> Understood:
    """Every line, with all its mistakes and not only the first."""
    wishes: list[Wish] = []
    mistakes: list[Mistake] = []
    left_out: list[Mistake] = []
    seen: dict[str, int] = {}
    for row in sheet.rows:
        reader = _Reader(row, sheet, laboratory)
        if why := reader.why_left_out():
            left_out.append(Mistake(row.line, sheet.heads.get("state", ""), why))
            continue
        wish = reader.wish(seen)
        mistakes += reader.mistakes
        if wish is not None:
            wishes.append(wish)
    return Understood(tuple(wishes), tuple(mistakes), tuple(left_out))


class _Reader:
    """Reads one line and collects its mistakes."""

    def __init__(self, row: Row, sheet: Sheet, laboratory: Laboratory) -> None:
        self._row, self._sheet, self._laboratory = row, sheet, laboratory
        self.mistakes: list[Mistake] = []

    def why_left_out(self) -> str:
        """Of a line that is crossed off; "" for one that waits."""
        state = re.sub(r"[\s_.-]+", "", self._row.cells.get("state", "")).lower()
        if state in OVER:
            return "it is done with"
        return "it has its turn already, outside of Rota" if state in RUNNING else ""

    def wish(self, seen: dict[str, int]) -> Wish | None:
        """The line, or None when something is wrong with it."""
        cells, laboratory = self._row.cells, self._laboratory
        self._check_state()
        member = self._read("member", laboratory.people.account)
        gpus, kind = self._read("gpus", _gpus) or (1, "")
        tiers = self._read("tier", self._tiers, kind) or ()
        since = self._read("since", lambda text: parse_moment_s(text, laboratory.now, laboratory.zone))
        time_s = self._read("time", _span_s) or self._read("days", lambda text: _span_s(text, 86400.0))
        project = self._read("project", self._project)
        command = cells.get("command", "")
        if not command:
            self._wrong("command", f"there is no command, and Rota runs commands. {_LATER}")
        if member is None or self.mistakes:
            return None
        home = laboratory.people.home(member)
        folder = _under(home, cells.get("folder", ""), member)
        checkpoint = _under(folder, cells["checkpoint"], member, home) if "checkpoint" in cells else None
        name = _name(cells.get("name", "") or cells.get("note", "") or script_in(command))
        origin = _origin((member, command, folder, str(since)), seen)
        return Wish(
            self._row.line, member, command, folder, gpus, tiers, since, time_s, project, checkpoint, name, origin
        )

    def _check_state(self) -> None:
        state = re.sub(r"[\s_.-]+", "", self._row.cells.get("state", "")).lower()
        if state and state not in WAITING:
            self._wrong("state", f"{self._row.cells['state']!r} says neither that it waits nor that it is done.")

    def _read(self, column: str, parse: Callable[[str], T], otherwise: str = "") -> T | None:
        """A cell, or `otherwise` where it is empty; None when both are, or when it is a mistake."""
        text = " ".join(self._row.cells.get(column, otherwise).split())
        if not text:
            if column == "member":
                self._wrong(column, "nobody is named.")
            return None
        try:
            return parse(text)
        except BadRequest as wrong:
            self._wrong(column, str(wrong))
            return None

    def _tiers(self, text: str) -> tuple[str, ...]:
        known = self._laboratory.tiers
        found = []
        for word in re.split(r"\s*(?:[,/|;+&]|\bor\b|또는)\s*", text.lower()):
            if word.replace(" ", "") in ANY:
                return ()
            tier = _tier(word, known)
            if tier is None:
                raise BadRequest(f"there is no tier {word!r} here. Tiers: {', '.join(known)}; or any.")
            found.append(tier)
        return tuple(dict.fromkeys(found))

    def _project(self, text: str) -> str:
        known = self._laboratory.projects
        found = next((project for project in known if project.lower() == text.lower()), None)
        if known and found is None:
            raise BadRequest(f"there is no project {text!r}. Projects: {', '.join(known)}.")
        return found or text

    def _wrong(self, column: str, message: str) -> None:
        self.mistakes.append(Mistake(self._row.line, self._sheet.heads.get(column, column), message))


def _tier(word: str, known: Sequence[str]) -> str | None:
    """The tier that is meant: `A100 80GB`, `NVIDIA RTX 3090`."""
    tier = tier_of(word, known)
    if tier in known:
        return tier
    whole = re.sub(r"\d+\s*gi?b\b|\s+", "", word)
    return next((tier for tier in known if whole.endswith(tier)), None)


def _gpus(text: str) -> tuple[int, str]:
    """How many, and the type that stands beside the number: `2`, `2장`, `2 x H100`, `H100 2`."""
    if match := _COUNT.fullmatch(text):
        count, kind = int(match[1]), ""
    elif match := _TIMES.fullmatch(text):
        count, kind = int(match[1] or match[4]), match[2] or match[3]
    else:
        raise BadRequest(f"{text!r} is not a number of GPUs. Write it like 2.")
    if not count:
        raise BadRequest("0 GPUs are none. Rota shares GPUs; leave the line out.")
    return count, kind


def _span_s(text: str, unit_s: float = 3600.0) -> float:
    """Seconds of `8`, `8h`, `3일 12시간`, `1:30`; a bare number counts hours, or what the column says."""
    if match := _CLOCK.fullmatch(text):
        seconds = int(match[1]) * 3600.0 + int(match[2]) * 60
    else:
        parts = _SPAN.findall(text)
        written = "".join(number + unit for number, unit in parts)
        units = [_UNIT_S.get(unit.lower()) if unit else unit_s for _, unit in parts]
        if not parts or written != re.sub(r"\s+", "", text) or None in units:
            raise BadRequest(f"{text!r} is no time. Write it in hours, like 8, or like 8h or 3d.")
        seconds = sum(float(number) * (unit or 0) for (number, _), unit in zip(parts, units, strict=True))
    if not 0 < seconds <= LONGEST_S:
        raise BadRequest(f"{text!r} is not a time between nothing and a year. Write it in hours, like 8, or like 3d.")
    return seconds


def _under(folder: str, path: str, member: str, home: str = "") -> str:
    """A path of the list as an absolute one."""
    home = home or folder
    for own in ("~", f"~{member}"):
        if path == own or path.startswith(f"{own}/"):
            path = home + path[len(own) :]
    return path if path.startswith("/") else f"{folder.rstrip('/')}/{path}".rstrip("/") or "/"


def script_in(command: str) -> str:
    """What a command line runs, for a name: the first word that is a file of it, else the first word."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    files = [word for word in words if re.search(r"\.(py|sh|jl|R|ipynb|sbatch)$", word)]
    return (files or words or ["job"])[0].rpartition("/")[2]


def _name(text: str) -> str:
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain[:MOST_NAME].strip() or "job"


def _origin(parts: Iterable[str], seen: dict[str, int]) -> str:
    """A line by what it says, so that it is known again wherever it stands; equal lines are counted."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
    seen[digest] = seen.get(digest, 0) + 1
    return f"list entry {digest}" + (f" ({seen[digest]})" if seen[digest] > 1 else "")


_LATER = (
    "Write it into a column 'command', or leave the line out: when it is known, rota run --as MEMBER --since DATE "
    "-- COMMAND keeps the place."
)

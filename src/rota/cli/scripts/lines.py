"""`#ROTA` and `#SBATCH` lines of a script, as words. Pure: text in, words out."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from rota.errors import BadRequest

MARKS = ("#ROTA", "#SBATCH")
#: Lines of other batch systems. sbatch takes #PBS and #BSUB lines as far as it knows them; Rota does not.
FOREIGN = ("#PBS", "#BSUB", "#$ ", "#COBALT", "#FLUX:")


@dataclass(frozen=True, slots=True)
class Line:
    """One line with options."""

    mark: str  #: "#ROTA" or "#SBATCH"
    number: int
    words: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"line {self.number}"


@dataclass(frozen=True, slots=True)
class Lines:
    """A script's lines with options, in their order."""

    options: tuple[Line, ...]
    foreign: str = ""  #: the mark of the first line for another batch system

    @property
    def is_for_slurm(self) -> bool:
        return any(line.mark == "#SBATCH" for line in self.options)


def read_lines(text: str) -> Lines:
    """The lines before the first command count, as with sbatch (sbatch(1), DESCRIPTION). Raises BadRequest."""
    found: list[Line] = []
    foreign = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            break
        foreign = foreign or next((mark.strip() for mark in FOREIGN if line.startswith(mark)), "")
        mark = next((mark for mark in MARKS if line.startswith(mark)), None)
        if mark is not None and line[len(mark) : len(mark) + 1] in ("", "-", " ", "\t"):
            found.append(Line(mark, number, _words(line[len(mark) :], number, mark)))
    return Lines(tuple(found), foreign)


def _words(rest: str, number: int, mark: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(rest, comments=True))
    except ValueError as wrong:
        raise BadRequest(f"Line {number}: {mark}{rest}: {wrong}. Close the quotes.") from None

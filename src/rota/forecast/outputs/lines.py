"""A job's output as a screen shows it: cut wherever a line begins anew, without colours, in bounded memory."""

from __future__ import annotations

import codecs
import re

#: Characters of a line that are looked at; a longer one (a dump of a tensor) has no counter behind them.
LONGEST = 1000
#: Carriage returns and backspaces draw a bar again; cursor movements go to another bar.
_BREAK = re.compile(r"[\r\n\b]+|\x1b\[[0-9;?]*[A-HJKfsu]")
_DRESS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")


class Lines:
    """Takes bytes in pieces of any size, gives whole lines."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""  # what has come of the line that is not at its end yet

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that this piece brings to an end; empty ones are left out."""
        *whole, self._rest = _BREAK.split(self._rest + self._decoder.decode(chunk))
        if len(self._rest) > LONGEST + 100:  # an escape sequence cut in two must stay whole behind it
            self._rest = self._rest[:LONGEST] + self._rest[-50:]
        return [line for line in map(_plain, whole) if line]

    def unended(self) -> str:
        """The line so far that has not ended: a bar waits there until it is drawn again, perhaps for an hour."""
        return _plain(self._rest)

    def skip(self) -> None:
        """Output is left out here: what comes next is not the rest of this line."""
        self._decoder.reset()
        self._rest = ""


def _plain(line: str) -> str:
    return _DRESS.sub("", line[:LONGEST]).rstrip() if "\x1b" in line else line[:LONGEST].rstrip()

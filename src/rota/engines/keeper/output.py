"""What the job prints, read for its progress: a little of it, now and then, and never at the cost of the turn."""

from __future__ import annotations

import os
import stat

from rota.engines.keeper.order import TurnOrder
from rota.engines.keeper.rights import as_member

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rota.forecast.outputs import Reader

REST_S = 4.0  # between two looks: progress every few seconds is all that anybody can use
#: Of one look. A job that prints more between two looks is read at the beginning and the end of it; so the reading
#: takes at most about 0.05 s of a processor in 5 s (1 to 2 MB/s, measured on bars of tqdm and on lines made for it).
HEAD_BYTES, TAIL_BYTES = 16 * 2**10, 48 * 2**10


class Output:
    """Reads one turn's output as it grows. Works with the turn's log, and with a member's own regular file."""

    def __init__(self, order: TurnOrder, log: int) -> None:
        """Call before the job starts: of a member's own file, only what is new is this turn's."""
        self._order, self._log = order, log
        with as_member(order):
            self._offset = _size_at(order.output) if order.output is not None else 0
        self._file: int | None = None
        self._reader: Reader | None = None
        self._next_look = 0.0
        self._is_given_up = False
        self.progress: tuple[int, int] | None = None

    def look(self, now: float) -> bool:
        """Read on; says whether something else is known of the progress."""
        if self._is_given_up or now < self._next_look:
            return False
        self._next_look = now + REST_S
        before = self.progress
        try:
            self._read_on()
        except Exception:  # whatever a job prints, its turn must not be lost for a number on a page
            self._is_given_up, self.progress = True, None
        return self.progress != before

    def _read_on(self) -> None:
        if self._file is None:
            self._file = self._open()
        size = os.fstat(self._file).st_size
        if size == self._offset:
            return
        reader = self._reader = self._reader or self._new_reader()
        if size < self._offset:  # the member emptied their file
            reader.skip()
            self._offset = 0
        if size - self._offset > HEAD_BYTES + TAIL_BYTES:
            reader.feed(os.pread(self._file, HEAD_BYTES, self._offset))
            reader.skip()
            self._offset = size - TAIL_BYTES
        piece = os.pread(self._file, size - self._offset, self._offset)
        self._offset += len(piece)
        reader.feed(piece)
        self.progress = reader.progress

    def _open(self) -> int:
        """The file that the job prints to. Raises OSError when it is none that can be read again."""
        if self._order.output is None:
            return self._log
        with as_member(self._order):
            file = os.open(self._order.output, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise OSError(f"{self._order.output} is no file")
        return file

    def _new_reader(self) -> Reader:
        # Not at the top: its patterns take longer to build than a keeper to start, and the job would wait for them.
        from rota.forecast.outputs import Reader  # noqa: PLC0415

        return Reader(self._order.argv, self._order.progress_before)


def _size_at(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0

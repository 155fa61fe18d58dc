"""Counters that a job prints, followed from line to line: how far each is, and whether it can be trusted."""

from __future__ import annotations

from rota.forecast.outputs.sightings import Counted, Named

#: Ranks that print through each other differ by so much of the whole without having begun anew.
JITTER_PART = 50


class Counter:
    """Steps, batches or bars: what it shows is done."""

    def __init__(self, seen: Counted, line: int) -> None:
        self.name, self.total, self.is_bar = seen.name, seen.total, seen.is_bar
        self.is_epochs, self.is_steps = seen.is_epochs, seen.is_steps
        self.first = self.step = seen.step
        self.born = self.lap_began = self.seen = self.moved = self.moved_before = line  #: by number of the line
        self.moves = 0
        self.is_confirmed = False  #: the Trainer's dictionary was printed below it
        self.is_distrusted = False  #: it began anew, and no counter around it said why
        self.is_unexplained = False  #: it has just begun anew, and what is around it may still say why
        self.turned_at: dict[int, int] = {}  #: by older counter: where that one was when this one last began anew
        self.turns_inside = 0  #: how often a counter inside began anew for exactly one step of this one

    @property
    def is_trusted(self) -> bool:
        return not self.is_distrusted and not self.is_unexplained

    @property
    def is_complete(self) -> bool:
        return self.step >= self.total

    def see(self, step: int, line: int) -> bool:
        """It is there now; says whether it has begun anew."""
        is_near_end = not self.is_complete or step * 2 > self.total
        if step < self.step and is_near_end and self.step - step <= max(1, self.total // JITTER_PART):
            return False  # another rank, a little behind
        is_anew = step < self.step
        self.seen = line
        if step > self.step:
            self.moves += 1
            self.is_distrusted |= self.is_unexplained
        if is_anew:
            self.lap_began = line
        if step != self.step:
            self.moved_before, self.moved, self.step = self.moved, line, step
        return is_anew


class Epochs:
    """`Epoch 3/90` in words: whether the third has begun or is over, what follows it must tell."""

    def __init__(self, seen: Named, total: int | None, line: int) -> None:
        self.first = self.number = seen.number
        self.total = total
        self.is_total_printed = seen.total is not None  #: beside the number, not announced elsewhere
        self.is_from_zero = seen.is_from_zero or seen.number == 0
        self.has_figures, self.shape = seen.has_figures, seen.shape
        self.is_repeated = False  #: lines alike name the same epoch: they are printed in it, not at its end
        self.born = self.moved = self.moved_before = line
        self.is_distrusted = False

    def see(self, seen: Named, total: int | None, line: int, may_begin_anew: bool) -> None:
        """It is there now."""
        self.is_from_zero |= seen.is_from_zero or seen.number == 0
        if total is not None and total != self.total:
            self.is_distrusted |= self.total is not None
            self.total = total
        if seen.number > self.number:
            self._move(seen.number, line)
            self.shape = seen.shape
        elif seen.number == self.number:
            self.has_figures &= seen.has_figures  # one line at its beginning, one at its end
            self.is_repeated |= seen.shape == self.shape
        elif may_begin_anew:
            self.first = seen.number
            self._move(seen.number, line)
        elif self.number - seen.number > 1 or self._is_last(self.number):
            self.is_distrusted = True  # cross-validation, or two jobs that write to one file

    @property
    def is_past_its_total(self) -> bool:
        """More than was announced. A printed total may itself count from 0: of three, the last is `Epoch 2/2`."""
        return self.total is not None and self.number + (self.is_from_zero and not self.is_total_printed) > self.total

    @property
    def is_end_of_one(self) -> bool | None:
        """Whether the words stand at the end of an epoch, by themselves; None: the next epoch will tell."""
        if not self.has_figures or self.is_repeated:
            return False
        return True if self.moved > self.born else None

    def _is_last(self, number: int) -> bool:
        return self.total is not None and number >= self.total - self.is_from_zero

    def _move(self, number: int, line: int) -> None:
        self.moved_before, self.moved, self.number = self.moved, line, number

    def done(self, number: int, is_end_of_one: bool) -> int:
        """How many are done when that number is shown at the end of an epoch, or else at its beginning."""
        done = number + self.is_from_zero - (not is_end_of_one)
        return max(0, min(done, self.total if self.total is not None else done))

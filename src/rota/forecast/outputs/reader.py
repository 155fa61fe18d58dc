"""Which of the counters in a job's output counts the whole job: the outermost that moves forward, or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rota.forecast.outputs.counters import Counter, Epochs
from rota.forecast.outputs.lines import Lines
from rota.forecast.outputs.sightings import Counted, Named, Sighting, look, look_at_bar
from rota.forecast.outputs.totals import EPOCHS, STEPS, Totals

MOST_COUNTERS = 32  # at a time; of more, the one that was not seen for longest is forgotten
#: A counter without a name is believed when its total is what people choose, not what a data set happens to give.
CHOSEN_LEAST, CHOSEN_MULTIPLE = 2000, 1000
#: Progress that falls back by more than this part of the job, or one outermost step, was none.
SLACK_PART = 0.02

#: (done, total) of counters inside each other, the outermost first.
Chain = tuple[tuple[int, int], ...]


class Reader:
    """Follows one turn's output. Memory and the time for a line are bounded, whatever the job prints.

    `command` is the job's command line; `before` is how far the job was before this turn, as (step, total).
    """

    def __init__(self, command: Iterable[str] = (), before: tuple[int, int] | None = None) -> None:
        self._before = before
        self._lines = Lines()
        self._totals = Totals(command)
        self._line = 0
        self._counters: dict[tuple[str, int], Counter] = {}
        self._folds: Epochs | None = None
        self._epochs: Epochs | None = None
        self._says_epoch = (self._totals.of(EPOCHS) or 0) > 1
        self._is_over = False
        self._parts: tuple[float, int] | None = None  # Hugging Face's fraction of epochs, of how many
        self._chosen: object = None
        self._reached = 0.0  # of the job, by what is chosen
        self._is_lost = False
        self.progress: tuple[int, int] | None = None  #: (step, total); None: not known, or no more

    def feed(self, chunk: bytes) -> None:
        """The next piece of output, cut anywhere."""
        for line in self._lines.feed(chunk):
            self._line += 1
            self._take(look(line))
        self._take(look_at_bar(self._lines.unended()))
        self.progress = self._judge()

    def skip(self) -> None:
        """Output is left out here, since there was too much of it."""
        self._lines.skip()

    # --- taking notes -------------------------------------------------------------------------

    def _take(self, seen: Sighting | None) -> None:
        if seen is None:
            return
        for what, number in seen.announced:
            self._totals.hear(what, number)
        self._says_epoch |= seen.says_epoch
        self._is_over |= seen.is_over
        if seen.fold is not None:
            self._folds = self._named(self._folds, seen.fold, may_begin_anew=False)
        if seen.epoch is not None:
            folds = self._folds
            may_begin_anew = folds is not None and self._epochs is not None and folds.moved > self._epochs.moved
            self._epochs = self._named(self._epochs, seen.epoch, may_begin_anew)
        if seen.counted is not None:
            self._counted(seen.counted)
        if seen.saved_step is not None:
            self._step("checkpoint", seen.saved_step)
        if seen.bare_step is not None:
            self._step("step", seen.bare_step)
        if seen.epochs_done is not None:
            self._trainers(seen.epochs_done, seen.is_trainers)

    def _named(self, known: Epochs | None, seen: Named, may_begin_anew: bool) -> Epochs:
        total = seen.total or self._totals.of(EPOCHS)
        if known is None:
            return Epochs(seen, total, self._line)
        moved = known.moved
        known.see(seen, total, self._line, may_begin_anew)
        if known.moved > moved:
            for counter in self._counters.values():
                counter.is_unexplained = False  # it was drawn anew just before the epoch was named
        return known

    def _counted(self, seen: Counted) -> None:
        key = (seen.name, seen.total)
        counter = self._counters.get(key)
        if counter is None:
            self._counters[key] = counter = Counter(seen, self._line)
            self._forget_one()
            self._note_turn(counter)
            return
        lap_began = counter.lap_began
        if counter.see(seen.step, self._line):
            is_inside = self._note_turn(counter)
            counter.is_unexplained |= not is_inside and not self._has_named_moved_since(lap_began)

    def _note_turn(self, inner: Counter) -> bool:
        """A counter begins: where are those that are older? Says whether one of them has moved on meanwhile."""
        is_inside = False
        for outer in self._counters.values():
            if outer.born < inner.born and outer is not inner:
                moved = outer.step - inner.turned_at.get(outer.born, outer.step)
                is_inside |= moved > 0
                # Exactly one step for each lap inside: it counts those laps. An evaluation every 500 steps says less.
                outer.turns_inside += moved == 1
                inner.turned_at[outer.born] = outer.step
        return is_inside

    def _has_named_moved_since(self, line: int) -> bool:
        return any(named is not None and named.moved > line for named in (self._folds, self._epochs))

    def _step(self, name: str, step: int) -> None:
        """Without a total of its own: it counts where one was announced."""
        total = self._totals.of(STEPS)
        if total is not None and step <= total:
            self._counted(Counted(name, step, total, is_steps=True))

    def _trainers(self, epochs_done: float, is_trainers: bool) -> None:
        total = self._totals.of(EPOCHS)
        if total is not None and epochs_done <= total:
            self._parts = (epochs_done, total)
        unnamed = [counter for counter in self._counters.values() if counter.is_bar and counter.name == ""]
        if is_trainers and unnamed:
            max(unnamed, key=lambda counter: counter.seen).is_confirmed = True

    def _forget_one(self) -> None:
        if len(self._counters) > MOST_COUNTERS:
            oldest = min(self._counters, key=lambda key: self._counters[key].seen)
            del self._counters[oldest]

    # --- judging ------------------------------------------------------------------------------

    def _judge(self) -> tuple[int, int] | None:
        """What all of it says of the job."""
        found = self._found()
        if self._is_lost or found is None:
            return None
        chosen, first, chain = found
        step, total = _combined(chain)
        if self._is_over:
            step = total
        if chosen != self._chosen:
            self._chosen, self._reached = chosen, 0.0
        if step / total < self._reached - max(SLACK_PART, 1 / chain[0][1]):
            self._is_lost = True  # whatever it counts, it is not this job
            return None
        if step / total < self._reached:
            return self.progress
        self._reached = step / total
        return self._since_before(first / chain[0][1], step, total)

    def _since_before(self, first: float, step: int, total: int) -> tuple[int, int] | None:
        """A job that goes on may count on, or count from 0 only what is left. `first` is the part it began with."""
        before, whole = self._before or (0, total)
        if whole == total or 2 * first >= before / whole:
            return step, total
        if whole - before <= total < whole:
            return whole - total + step, whole
        return None

    def _found(self) -> tuple[object, int, Chain] | None:
        """The counter that was chosen, how much it showed as done when it was first seen, and how far it is."""
        over_epochs = [counter for counter in self._counters.values() if counter.is_epochs]
        if over_epochs:
            outer = min(over_epochs, key=lambda counter: counter.born)
            return None if not outer.is_trusted or not outer.moves else (outer, outer.first, self._inside(outer))
        if self._epochs is not None:
            return self._found_in_words(self._epochs)
        alone = self._alone()
        if alone is not None:
            return alone, alone.first, self._inside(alone) if alone.turns_inside else ((alone.step, alone.total),)
        if self._parts is not None:
            done, total = self._parts
            return self._totals, 0, ((round(1000 * done), 1000 * total),)
        return None

    def _found_in_words(self, epochs: Epochs) -> tuple[object, int, Chain] | None:
        total = epochs.total or self._totals.of(EPOCHS)
        folds = self._folds
        if total is None or epochs.is_distrusted or epochs.is_past_its_total:
            return None
        if folds is not None and (folds.is_distrusted or not folds.total):
            return None
        inner = self._inner(epochs.born, epochs.moved_before, is_named=True)
        # A counter that ran before the first epoch was named ends before each name: those stand at the end of epochs.
        is_end = inner.born < epochs.born if inner else epochs.is_end_of_one
        if is_end is None:
            return None
        chain = _with_inner(min(epochs.done(epochs.number, is_end), total), total, inner, epochs.moved)
        if folds is not None and folds.total:
            chain = ((folds.done(folds.number, is_end_of_one=False), folds.total), *chain)
        return (epochs, is_end), epochs.done(epochs.first, is_end), chain

    def _inside(self, outer: Counter) -> Chain:
        """A bar over epochs with what runs inside it."""
        inner = self._inner(outer.born + 1, outer.moved_before, is_named=False)
        return _with_inner(outer.step, outer.total, inner, outer.moved + 1)

    def _inner(self, born: int, seen_since: int, is_named: bool) -> Counter | None:
        """The first counter inside: what comes after it in an epoch is evaluation."""
        inside = [
            counter
            for counter in self._counters.values()
            if counter.seen >= seen_since and counter.is_trusted and (is_named or counter.born >= born)
        ]
        return min(inside, key=lambda counter: counter.born, default=None)

    def _alone(self) -> Counter | None:
        """A counter of everything, where no epochs are told. Without a sign that it is one, none is."""
        moving = [counter for counter in self._counters.values() if counter.moves and counter.is_trusted]
        for believed in (list(self._announced(moving)), [each for each in moving if each.is_confirmed]):
            if believed:
                return min(believed, key=lambda counter: counter.born)
        believed = [counter for counter in moving if counter.turns_inside or self._is_likely(counter)]
        if len({counter.total for counter in believed}) > 1 and not any(each.turns_inside for each in believed):
            return None  # one part of the job after the other, and who knows how many
        return min(believed, key=lambda counter: counter.born, default=None)

    def _announced(self, moving: Iterable[Counter]) -> Iterator[Counter]:
        totals = {total for total in (self._totals.of(STEPS), self._totals.of(EPOCHS)) if total and total > 1}
        return (counter for counter in moving if counter.total in totals)

    def _is_likely(self, counter: Counter) -> bool:
        is_chosen = counter.total >= CHOSEN_LEAST and counter.total % CHOSEN_MULTIPLE == 0
        return not self._says_epoch and (counter.is_steps or is_chosen)


def _with_inner(done: int, total: int, inner: Counter | None, begun: int) -> Chain:
    """Of a whole, and of the one step of it that began at that line."""
    if inner is None:
        return ((done, total),)
    return (done, total), (inner.step if inner.seen >= begun and done < total else 0, inner.total)


def _combined(chain: Chain) -> tuple[int, int]:
    """Counters inside each other as one.

    >>> _combined(((2, 90), (120, 265)))
    (650, 23850)
    """
    step, whole = 0, 1
    for done, total in chain:
        step, whole = step * total + done, whole * total
    return min(step, whole), whole

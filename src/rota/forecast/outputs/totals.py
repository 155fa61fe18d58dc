"""How many epochs or steps a job is going to make, as far as its command line or its output announces it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

EPOCHS, STEPS = "epochs", "steps"

_NAMES = {
    EPOCHS: "epochs epoch num_epochs n_epochs nepochs max_epochs max_epoch total_epochs train_epochs num_train_epochs "
    "number_of_epochs",
    STEPS: "steps num_steps n_steps max_steps total_steps train_steps max_train_steps num_train_steps iters num_iters "
    "max_iters train_iters total_iters iterations num_iterations max_iterations",
}
_OPTIONS = {name: what for what, names in _NAMES.items() for name in names.split()}
_NUMBER = r"(\d{1,3}(?:,\d{3})+|\d{1,10})(?![\d/]|\.\d|\s*(?:/|of\b|out of\b))"
_IN_OUTPUT = re.compile(
    r"(?<![a-z_.])(?:(?P<epochs>(?:num_train_|(?:num|max|n|total|scheduled|number of)[_ ])?epochs)"
    r"|(?:max|total|num_train|max_train)_(?:train_)?(?:steps|iters|iterations)"
    r"|(?:total|maximum|number of) (?:optimi[sz]ation |train |training )?(?:steps|iterations))"
    rf"['\"]?\s*(?::|=)\s*{_NUMBER}",
)


def in_command(argv: Iterable[str]) -> Iterator[tuple[str, int]]:
    """What a command line asks for, also one that a shell is given as one word.

    >>> list(in_command(["sh", "-c", "python train.py --epochs 90 trainer.max_steps=5000 --lr 1"]))
    [('epochs', 90), ('steps', 5000)]
    """
    words = " ".join(argv).replace("'", " ").replace('"', " ").split()
    for word, following in zip(words, [*words[1:], ""]):
        name, is_assigned, value = word.partition("=")
        if not is_assigned and not word.startswith("--"):
            continue
        what = _OPTIONS.get(name.lstrip("-+").rpartition(".")[2].replace("-", "_").casefold())
        value = (value if is_assigned else following).rstrip(";&|)")
        if what and value.isascii() and value.isdigit():
            yield what, int(value)


def in_line(line: str) -> Iterator[tuple[str, int]]:
    """What a line of output announces.

    >>> list(in_line("  Total optimization steps = 1,500")), list(in_line("Namespace(lr=0.1, epochs=90)"))
    ([('steps', 1500)], [('epochs', 90)])
    """
    for found in _IN_OUTPUT.finditer(line.casefold()):
        yield EPOCHS if found["epochs"] else STEPS, int(found[found.re.groups].replace(",", ""))


class Totals:
    """What was announced; the command line stands above the output, and two different words count as none."""

    def __init__(self, argv: Iterable[str]) -> None:
        self._said: dict[str, set[int]] = {EPOCHS: set(), STEPS: set()}
        self._asked: dict[str, set[int]] = {EPOCHS: set(), STEPS: set()}
        for what, number in in_command(argv):
            self._asked[what].add(number)

    def hear(self, what: str, number: int) -> None:
        """A line announces it."""
        if len(self._said[what]) < 2:
            self._said[what].add(number)

    def of(self, what: str) -> int | None:
        """How many there will be, when that is clear."""
        said = self._asked[what] or self._said[what]
        number = next(iter(said)) if len(said) == 1 else 0
        return number or None

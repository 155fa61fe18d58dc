"""What one line of a job's output shows: a counter of epochs, of steps, a bar, a word about the end."""

from __future__ import annotations

import re
from typing import NamedTuple

from rota.forecast.outputs import totals


class Named(NamedTuple):
    """Which epoch (or fold) it is: `Epoch 3/90`. Whether that one has begun or is over, the words seldom tell."""

    number: int
    total: int | None = None
    is_from_zero: bool = False  #: known to count from 0
    has_figures: bool = False  #: losses or times follow: printed when something was done, not before
    shape: str = ""  #: of what follows, without its numbers


class Counted(NamedTuple):
    """How many are done: `45%|###  | 120/265`, `step 120/265`."""

    name: str  #: what tells one counter from another; numbers in it are left out
    step: int
    total: int
    is_epochs: bool = False  #: a bar over the epochs themselves
    is_steps: bool = False  #: its name says that it counts the steps of the training
    is_bar: bool = False


class Sighting(NamedTuple):
    """Everything of one line."""

    fold: Named | None = None
    epoch: Named | None = None
    counted: Counted | None = None
    saved_step: int | None = None  #: in the name of a checkpoint that was written
    bare_step: int | None = None  #: `iter 100: loss 2.1`, of an unknown total
    epochs_done: float | None = None  #: Hugging Face's `{'epoch': 0.27}`
    is_trainers: bool = False  #: the dictionary that Hugging Face's Trainer prints below its one bar
    is_over: bool = False  #: Lightning's last word
    says_epoch: bool = False
    announced: tuple[tuple[str, int], ...] = ()


#: Lines without any of these are not looked at further; those with are looked at in small letters.
_HINTS = ("/", " of ", "epoch", "step", "iter", "checkpoint-")
_N = r"(\d{1,3}(?:,\d{3})+|\d{1,10})"
_OF = r"\s*(?:/|of|out of)\s*"
_TRAIN = r"(?:\s*\(train\))?"
_BEFORE = r"(?<![a-z_.])"
_END = r"(?!\d|/|\.\d)"

_OPENS = r"\s*[:=#]?\s*[\[(]?\s*"
_OF_TRAINING = r"(?:global|train|training|optimi[sz]er|optimi[sz]ation|update)"
_N_OF_N = rf"{_OPENS}{_N}{_OF}{_N}{_END}"

_FOLD = re.compile(rf"{_BEFORE}(?:fold|trial|repeat|repetition|seed|run|task|stage|phase){_N_OF_N}")
_EPOCH_OF = re.compile(
    rf"{_BEFORE}(?:epochs?|ep|episodes?|generation|round)\.?{_TRAIN}{_N_OF_N}",
)
_EPOCH_AT = re.compile(  # `Epoch: [3][ 120/5000]`, `Epoch 3:  45%|`, timm's `Train: 3 [ 120/5000`
    rf"{_BEFORE}(?<!per )(?:(epoch){_TRAIN}{_OPENS}|train:\s*(?=\d+\s*\[))(\d{{1,6}})\]?"
    r"(?!\d|\.\d|\s*(?:/|of\b|out of\b|%))",
)
_STEP_OF = re.compile(
    rf"{_BEFORE}({_OF_TRAINING}?[ _]?(?:steps?|iters?|iterations?|updates?)|(?:mini-?)?batch(?:es)?){_TRAIN}{_N_OF_N}",
)
_STEP_AT = re.compile(rf"{_BEFORE}(?:{_OF_TRAINING}[ _])?(?:step|iter|iteration){_OPENS}{_N}\]?(?![\d/]|\.\d|\s*of\b)")
_BRACKET = re.compile(rf"[\[(]\s*{_N}\s*/\s*{_N}\s*[\](\s]")
_TQDM = re.compile(r"(\d{1,3})%\|[^|]{0,400}\|\s*([\d.,]+[kmg]?)/([\d.,]+[kmg]?)\s*\[([^\]]*)(\]?)")
_KERAS = re.compile(rf"^\s*{_N}/{_N}\s+(?:━|\[[=>.])")
_BLOCKS = re.compile(rf"[━╸╺╾─]{{3,}}\s*{_N}/{_N}{_END}")
_LEADING = re.compile(rf"^\s*{_N}/{_N}\s")
_TRAINERS = re.compile(r"""\s*\{.{0,900}['"]epoch['"]:\s*'?(\d+(?:\.\d+)?)""")
_SAVED = re.compile(r"checkpoint-(\d{1,10})\b|epoch=\d+-step=(\d{1,10})\b")
_OVER = re.compile(r"trainer\.fit` stopped: `max_(?:epochs|steps)=\d+` reached")
_FIGURES = re.compile(r"loss|acc|[a-z]\s*[:=]?\s*-?\d+\.\d")
_EPOCHS_NAME = re.compile(r"(?:train(?:ing)? )?epochs?(?: progress)?")
_STEPS_NAME = re.compile(
    rf"(?:{_OF_TRAINING} )?(?:steps?|iters?|iterations?|updates?)|total|overall(?: progress)?",
)
_DIGITS = re.compile(r"\d[\d.,]*")

#: Beside the training: what these words stand before is no measure of the job. Not as parts of paths.
_ASIDE = re.compile(
    r"(?<![\w/.\-])(?:val|valid|validat\w*|eval\w*|test|testing|sanity|predict\w*|infer\w*|download\w*|fetch\w*|loading"
    r"|load(?:ed)?|sav(?:e|ed|ing)|map|filter\w*|tokeni[sz]\w*|pre-?process\w*|prepar\w*|generat(?:e|ing)|extract\w*"
    r"|cach\w*|shards?|collect\w*|comput\w*|best|warm-?up\w*|resum\w*|patience|files?|build\w*|convert\w*|verif\w*"
    r"|scan\w*|read|reading|writ\w*|split\w*|index\w*|copy\w*|upload\w*|import\w*|install\w*|compil\w*|quanti[sz]\w*"
    r"|metrics?|fid|sampl(?:e|ing)|render\w*|check\w*|decod\w*|encod\w*|stopping|wait\w*)(?![\w/.])",
)


def look(line: str) -> Sighting | None:
    """What the line shows; None when there is nothing."""
    line = line.casefold()
    if not any(hint in line for hint in _HINTS):
        return None
    bar = _bar(line)
    before_bar = line if bar is None else line[: bar.begins]
    counted = bar.counted if bar else _count(_EPOCH_OF.sub(" ", _FOLD.sub(" ", line)))
    says_epoch = "epoch" in line
    trainers = _TRAINERS.match(line) if says_epoch else None
    saved = _SAVED.search(line) if "checkpoint-" in line or "-step=" in line else None
    return Sighting(
        fold=_named(_FOLD, before_bar),
        epoch=None if trainers or saved else _epoch(line, before_bar, bar),
        counted=None if saved else counted,
        saved_step=int(saved[1] or saved[2]) if saved else None,
        bare_step=None if saved or counted or bar else _bare_step(line),
        epochs_done=float(trainers[1]) if trainers else None,
        is_trainers=bool(trainers) and "learning_rate" in line and "loss" in line,
        is_over=bool(_OVER.search(line)),
        says_epoch=says_epoch,
        announced=() if _is_aside(line.partition("epochs")[0]) else tuple(totals.in_line(line)),
    )


def look_at_bar(line: str) -> Sighting | None:
    """What a bar shows that stands at the end of the output: only when it is there to its last character."""
    found = _TQDM.search(line)
    return look(line) if found and found[5] and found.end() == len(line) else None


# --- bars ----------------------------------------------------------------------------------------


class _Bar(NamedTuple):
    counted: Counted | None  #: None: a bar that measures something else
    begins: int  #: where its name ends
    is_rich: bool = False


def _bar(line: str) -> _Bar | None:
    if found := _TQDM.search(line):
        return _Bar(_tqdm(found, line[: found.start()]), found.start())
    if found := _KERAS.search(line):
        return _Bar(_counted("keras", found[1], found[2], is_bar=True), 0)
    if found := _BLOCKS.search(line):
        name = line[: found.start()]
        count = None if _is_aside(name) else _counted(_nameless(name), found[1], found[2], is_bar=True)
        return _Bar(count, found.start(), is_rich="•" in line)
    return None


def _tqdm(found: re.Match[str], name: str) -> Counted | None:
    """None for downloads, what lies beside the training, and lines that two processes wrote into each other."""
    step, total = _scaled(found[2]), _scaled(found[3])
    if "b/s" in found[4] or _is_aside(name) or total <= 0 or abs(100 * step / total - int(found[1])) > 2:
        return None
    plain = name.strip(" :\t")
    is_epochs = bool(_EPOCHS_NAME.fullmatch(plain)) or "/epoch" in found[4] or "epoch/" in found[4]
    return Counted(_nameless(name), step, total, is_epochs, bool(_STEPS_NAME.fullmatch(plain)), is_bar=True)


def _scaled(text: str) -> int:
    factor = {"k": 1e3, "m": 1e6, "g": 1e9}.get(text[-1], 1)
    try:
        return round(float(text.rstrip("kmg").replace(",", "")) * factor)
    except ValueError:
        return 0


# --- text ----------------------------------------------------------------------------------------


def _epoch(line: str, before_bar: str, bar: _Bar | None) -> Named | None:
    if bar is not None and bar.counted is not None and bar.counted.is_epochs:
        return None
    found = _named(_EPOCH_OF, before_bar)
    if found and bar and bar.is_rich and found.total:  # Lightning's other bar: the last of three is `Epoch 2/2`
        return Named(found.number, found.total + 1, is_from_zero=True)
    if found:
        return found
    if bar is not None and (leading := _LEADING.match(before_bar)) and not _is_aside(before_bar):
        return Named(_number(leading[1]), _number(leading[2]))  # YOLO: `  3/90   2.1G   1.31: 45%|...`
    at = _EPOCH_AT.search(before_bar)
    if at is None or _is_aside(before_bar[: at.start()]):
        return None
    is_from_zero = at[1] is None or "v_num=" in line  # timm's and Lightning's own
    follows = before_bar[at.end() :]
    return Named(int(at[2]), None, is_from_zero, bool(_FIGURES.search(follows)), _nameless(follows))


def _named(pattern: re.Pattern[str], text: str) -> Named | None:
    found = pattern.search(text)
    if found is None or _is_aside(text[: found.start()]):
        return None
    follows = text[found.end() :]
    return Named(_number(found[1]), _number(found[2]), False, bool(_FIGURES.search(follows)), _nameless(follows))


def _count(line: str) -> Counted | None:
    found = _STEP_OF.search(line)
    if found and not _is_aside(line[: found.start()]):
        name = found[1].strip()
        return _counted(name, found[2], found[3], is_steps="batch" not in name)
    found = _BRACKET.search(line)
    if found and not _is_aside(line[: found.start()]):
        return _counted("[]" + _nameless(line[: found.start()]), found[1], found[2])
    return None


def _bare_step(line: str) -> int | None:
    found = _STEP_AT.search(line)
    return None if found is None or _is_aside(line[: found.start()]) else _number(found[1])


def _counted(name: str, step: str, total: str, is_steps: bool = False, is_bar: bool = False) -> Counted | None:
    if _number(total) == 0 or _number(step) > _number(total):
        return None
    return Counted(name, _number(step), _number(total), is_steps=is_steps, is_bar=is_bar)


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _nameless(name: str) -> str:
    """A bar's name without what changes in it: `Epoch 3, loss 0.31` and `Epoch 4, loss 0.28` are one bar's."""
    return _DIGITS.sub("#", name).strip()[:60]


def _is_aside(text: str) -> bool:
    return bool(_ASIDE.search(text))

"""Rota's word to a running job. One file, standard library only, Python 3.6 or later; outside Rota it does nothing.

import rota_turn

for step in range(start, steps):
    train_one_step()
    rota_turn.progress(step, steps)
    if rota_turn.ending():                    # somebody else's turn has come
        save(rota_turn.checkpoint_path())
        raise SystemExit(85)                  # "give me another turn"
"""

import json
import os
import time
from typing import Optional

__all__ = ["checkpoint_path", "done", "ending", "progress", "turn_ends"]

_ASK_AGAIN_S = 0.2  # between two looks for the notice, so that asking in a tight loop costs nothing
_TELL_AGAIN_S = 1.0  # between two reports of progress

_is_ending = False
_asked_at = -_ASK_AGAIN_S
_told_at = -_TELL_AGAIN_S


def ending() -> bool:
    """Whether this turn is about to end: save now, and exit."""
    global _is_ending, _asked_at  # noqa: PLW0603  (a module is all the state that a one-file library has)
    now = time.monotonic()
    if not _is_ending and now - _asked_at >= _ASK_AGAIN_S:
        _asked_at = now
        notice = os.environ.get("ROTA_NOTICE")
        _is_ending = notice is not None and os.path.exists(notice)
    return _is_ending


def checkpoint_path(default: Optional[str] = None) -> Optional[str]:
    """The path that was given with --checkpoint; `default` outside Rota."""
    return os.environ.get("ROTA_CHECKPOINT", default)


def turn_ends() -> Optional[float]:
    """Epoch seconds until which this turn is guaranteed; None outside Rota."""
    ends = os.environ.get("ROTA_TURN_ENDS")
    return float(ends) if ends else None


def done() -> None:
    """The job is finished: no further turn, also when this one was about to end."""
    _write("ROTA_RESULT", "done")


def progress(step: int, total: int) -> None:
    """How far the job is. Cheap: at most once a second is anything written, and at the end."""
    global _told_at  # noqa: PLW0603  (as above)
    now = time.monotonic()
    if now - _told_at >= _TELL_AGAIN_S or step >= total:
        _told_at = now
        _write("ROTA_PROGRESS", json.dumps({"step": int(step), "total": int(total)}))


def _write(variable: str, text: str) -> None:
    path = os.environ.get(variable)
    if not path:
        return
    draft = f"{path}.{os.getpid()}.tmp"
    with open(draft, "w") as file:
        file.write(text)
    os.rename(draft, path)

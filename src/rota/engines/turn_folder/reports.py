"""The files that a keeper writes, as the engine's events."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rota.engines.contract import Began, Ended, EngineEvent, Noticed, Progressed, Saved
from rota.engines.keeper import files


def read(folder: Path, name: str) -> dict[str, Any]:
    """A file of the turn's folder; empty when it is not there yet."""
    return files.read_json(str(folder / name)) or {}


def news(turn: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[EngineEvent]:
    """What state.json says that it did not say before."""

    def is_new(name: str) -> bool:
        return now.get(name) is not None and now.get(name) != before.get(name)

    if is_new("began_at"):
        yield Began(turn, float(now["began_at"]))
    if is_new("notice_at"):
        yield Noticed(turn, float(now["notice_at"]))
    if is_new("saved_at"):
        yield Saved(turn, float(now["saved_at"]), now.get("interval_s"))
    if now.get("progress") != before.get("progress"):
        step, total = now.get("progress") or (0, 0)
        yield Progressed(turn, float(now.get("progress_at") or time.time()), int(step), int(total))


def ended(turn: str, written: Mapping[str, Any]) -> Ended:
    """exit.json."""
    return Ended(
        turn=turn,
        at=float(written["at"]),
        clock_s=float(written["clock_s"]),
        began_at=written["began_at"],
        exit_code=written["exit_code"],
        signal=written["signal"],
        notice_at=written["notice_at"],
        was_terminated=bool(written["was_terminated"]),
        said_done=bool(written["said_done"]),
        saved_at=written["saved_at"],
        saved_after_notice=bool(written["saved_after_notice"]),
        error=str(written["error"]),
        is_lost=bool(written.get("is_lost", False)),
    )


def lost(turn: str, folder: Path, at: float, error: str) -> Ended:
    """A turn whose keeper died without a word: what its files still say.

    The clock is what can be proved: from the begin to the last sign of life (a file of the turn that was written), or
    to now when the keeper's end was seen.
    """
    state, begun = read(folder, files.STATE), read(folder, files.BEGUN)
    began_at = state.get("began_at") or begun.get("began_at")
    clock_s = max(at - float(began_at), 0.0) if began_at else 0.0
    return Ended(
        turn=turn,
        at=at,
        clock_s=clock_s,
        began_at=float(began_at) if began_at else None,
        notice_at=state.get("notice_at"),
        saved_at=state.get("saved_at"),
        error=error,
        is_lost=True,
    )


def as_written(lost: Ended) -> dict[str, object]:
    """exit.json in the name of a keeper that could not write it."""
    names = (
        "turn", "at", "clock_s", "began_at", "exit_code", "signal", "notice_at", "was_terminated", "said_done",
        "saved_at", "saved_after_notice", "error", "is_lost",
    )  # fmt: skip
    return {name: getattr(lost, name) for name in names}

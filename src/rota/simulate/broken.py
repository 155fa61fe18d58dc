"""An invariant that does not hold, by name: so that a smaller day can be asked whether it fails in the same way."""

from __future__ import annotations

import traceback


class Broken(AssertionError):
    """What is said of an invariant of design.md, and why it does not hold."""

    def __init__(self, invariant: str, what: str) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant


def require(holds: bool, invariant: str, what: str) -> None:
    """Raises Broken unless it holds."""
    if not holds:
        raise Broken(invariant, what)


def kind_of(error: Exception) -> str:
    """What went wrong, without its numbers: the invariant, or the defect's type and where it was raised."""
    if isinstance(error, Broken):
        return error.invariant
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {frames[-1].name}" if frames else type(error).__name__

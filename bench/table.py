"""Figures beside their targets, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    median: float
    unit: str
    target: str
    beside: str


def show(rows: Sequence[Row]) -> None:
    """Print them, as wide as the longest name."""
    width = max(36, *(len(row.what) + 2 for row in rows))
    print(f"{'what':<{width}}{'median':>12}  {'target':<12}{'beside'}")
    for row in rows:
        print(f"{row.what:<{width}}{row.median:>8.1f} {row.unit:<7}{row.target:<12}{row.beside}")

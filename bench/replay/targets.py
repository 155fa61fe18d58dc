"""A figure beside its target. Nothing here fails: a missed target is a line of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """One figure and the bound it is held against; none: it is only reported."""

    what: str
    measured: float
    bound: float | None
    unit: str = ""
    digits: int = 2
    is_at_least: bool = False  #: the bound is a lower one

    @property
    def verdict(self) -> str:
        """Met, or missed with the factor by which.

        >>> Target("jobs/s", 15_000, 20_000, is_at_least=True).verdict
        'missed (1.33x)'
        """
        if self.bound is None:
            return ""
        worse, better = (self.bound, self.measured) if self.is_at_least else (self.measured, self.bound)
        if worse <= better:
            return "met"
        if better <= 0:
            return "missed"
        factor = worse / better
        return f"missed ({factor:.2f}x)" if factor >= 1.005 else "missed (by less than 1%)"

    @property
    def wanted(self) -> str:
        """The bound in words."""
        if self.bound is None:
            return ""
        return f"{'>=' if self.is_at_least else '<='} {self.bound:,.{self.digits}f}{self.unit}"


def say_targets(targets: Sequence[Target]) -> str:
    """One line each, figures under each other."""
    return "\n".join(
        f"  {one.what:<66}{one.measured:>12,.{one.digits}f}{one.unit:<8}{one.wanted:>16}  {one.verdict}".rstrip()
        for one in targets
    )


def say_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as needed, the first to the left and the others to the right."""
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = []
    for first, *others in [heads, *rows]:
        cells = (f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True))
        lines.append("  ".join([f"{first:<{widths[0]}}", *cells]).rstrip())
    return "\n".join(lines)

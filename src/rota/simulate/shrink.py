"""Makes a failing day small: happenings are taken out, many at a time, then one by one, while it fails alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

MOST_TRIES = 3000


def shrink(numbers: Sequence[int], fails: Callable[[Sequence[int]], bool], tries: int = MOST_TRIES) -> tuple[int, ...]:
    """The smallest selection found that still fails; none of it can be left out alone, unless tries ran out.

    Delta debugging (Zeller and Hildebrandt, IEEE TSE 2002) with Hypothesis' schedule: pieces of half the length, then
    a quarter, down to one, and again from the start as long as single ones could be taken out.
    """
    kept = tuple(numbers)
    length = max(len(kept) // 2, 1)
    while kept:
        before, start = kept, 0
        while start < len(kept):
            smaller = kept[:start] + kept[start + length :]
            if tries <= 0:
                return kept
            tries -= 1
            if fails(smaller):
                kept = smaller
            else:
                start += length
        if length > 1:
            length = max(min(length, len(kept)) // 2, 1)
        elif kept == before:
            return kept
    return kept

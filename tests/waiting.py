"""Waiting for a condition instead of sleeping for a guessed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], timeout_s: float = 20.0, every_s: float = 0.02, what: str = "") -> T:
    """The first true value of the condition; AssertionError when it stays false for `timeout_s`."""
    give_up_at = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > give_up_at:
            raise AssertionError(f"not within {timeout_s:g} s: {what or condition}")
        time.sleep(every_s)
    return value

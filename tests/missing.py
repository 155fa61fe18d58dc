"""What to do where a program that a test needs is not installed."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def is_missing(why: str) -> NoReturn:
    """A failure in CI, which has everything; a skip with the reason elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)

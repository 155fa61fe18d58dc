"""Numbers of things as people say them."""

from __future__ import annotations


def say_count(number: int, one: str) -> str:
    """How many there are.

    >>> say_count(1, "job"), say_count(7423, "waiting job")
    ('1 job', '7,423 waiting jobs')
    """
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"

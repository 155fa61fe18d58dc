"""Times, JSON and colours as every command prints them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import click

from rota.domain.durations import say_duration

STATE_COLOURS = {
    "running": "green",
    "waiting": "yellow",
    "held": "cyan",
    "finished": "bright_black",
    "failed": "red",
    "cancelled": "bright_black",
}


def print_answer(answer: dict[str, Any], as_json: bool, show: Callable[[dict[str, Any]], None]) -> None:
    """The answer as JSON, or as people read it."""
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        show(answer)


def say_time(at: float | None, now: float) -> str:
    """A time in the member's zone, as short as it is clear: 14:30, Thu 14:30, 23 Nov 14:30."""
    if at is None:
        return ""
    then, today = time.localtime(at), time.localtime(now)
    if abs(at - now) < 120:
        return time.strftime("%H:%M:%S", then)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M", then)
    if abs(at - now) > 300 * 86400:
        return time.strftime("%d %b %Y %H:%M", then)
    return time.strftime("%a %H:%M" if abs(at - now) < 6 * 86400 else "%d %b %H:%M", then)


def coloured_state(state: str) -> str:
    """A state in its colour; click drops colours where there is no terminal."""
    return click.style(state, fg=STATE_COLOURS.get(state))


def say_span(seconds: float | None) -> str:
    """A duration, or nothing."""
    return "" if seconds is None else say_duration(seconds)

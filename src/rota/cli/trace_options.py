"""The options of every command that replays a trace, and how it becomes that replay. Imports nothing of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import click

INFORMATION = ("none", "noisy", "oracle")
#: Those that are handed on as they are, if they were given.
NAMES = ("fleet", "information", "seed", "members", "projects", "skew", "config")

_OPTIONS = (
    click.option("--fleet", metavar="FLEET", help='GPUs to replay on: h100:8,rtx3090:4 or "2x h100:8, 5x rtx3090:4"'),
    click.option("--seed", type=click.IntRange(0), default=0, help="Of estimates and drawn members [default: 0]"),
    click.option(
        "--members", type=click.IntRange(1, 100_000), help="Draw so many members over the trace, m1 the busiest"
    ),
    click.option("--projects", type=click.IntRange(1, 100_000), help="Draw so many projects, p1 to pN"),
    click.option(
        "--skew",
        type=click.FloatRange(0, 10),
        default=1.0,
        help="Of drawn members: Zipf's exponent; 0: all equal [default: 1]",
    ),
    click.option(
        "--share", "shares", metavar="PROJECT=WEIGHT", multiple=True, help="A project's weight [default: 1 each]"
    ),
    click.option("--any-tier", is_flag=True, help="Let every job take every tier, for a fleet of other GPUs"),
    click.option(
        "--config", metavar="FILE", type=click.Path(), help="A laboratory's rota.toml [default: Rota's defaults]"
    ),
)


def trace_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds them to a command, in this order."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def trace_words(options: dict[str, Any]) -> list[str]:
    """The same words again; what only a command line can get wrong is refused."""
    if not options["fleet"]:
        raise click.UsageError("On which GPUs? Say it with --fleet, for example --fleet h100:8,rtx3090:4")
    if (options["projects"] or 0) > (options["members"] or options["projects"] or 0):
        raise click.UsageError("More projects than members: a drawn member belongs to one project. Raise --members.")
    words = [f"--share={share}" for share in options["shares"]]
    words += [f"--{name}={options[name]}" for name in NAMES if options[name] is not None]
    return [*words, *(["--any-tier"] if options["any_tier"] else [])]


def become(module: str, words: Sequence[str]) -> NoReturn:
    """This process goes on as that module."""
    os.execv(sys.executable, [sys.executable, "-P", "-m", module, *words])

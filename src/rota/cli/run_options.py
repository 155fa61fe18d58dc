"""The options of `rota run`, which `#ROTA` lines of a script share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from rota.cli.main import client
from rota.domain.durations import parse_duration_s
from rota.domain.sizes import parse_size_bytes
from rota.errors import RotaError


class Checked(click.ParamType[Any]):
    """A value with a parser of the domain."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name, self._parse = name, parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except RotaError as wrong:
            self.fail(str(wrong), param, ctx)


DURATION = Checked("duration", parse_duration_s)
SIZE = Checked("size", parse_size_bytes)
COUNT = click.IntRange(min=1, max=100_000)


def _since(text: str) -> float:
    from rota.domain.moments import parse_moment_s  # noqa: PLC0415  (its patterns are seldom needed)

    return parse_moment_s(text, time.time())


def _complete_tiers(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    try:
        tiers = client().get("/fleet")["tiers"]
    except RotaError:
        return []
    return [tier for tier in [*tiers, "any"] if tier.startswith(incomplete)]


#: Every option, in the order in which --help shows them.
OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--gpus", type=COUNT, default=1, show_default=True, metavar="N", help="GPUs; several start together"),
    click.option("--gpu-memory", type=SIZE, metavar="40G", help="Memory that each GPU must have"),
    click.option("--cpus", type=COUNT, metavar="N", help="Processor cores beside them"),
    click.option("--mem", type=SIZE, metavar="64G", help="Host memory beside them"),
    click.option(
        "--tier", metavar="h100,a100|any", default="any", shell_complete=_complete_tiers,
        help="Classes of GPUs that will do, the preferred first [default: any]",
    ),
    click.option("--project", metavar="P", help="What it is charged to"),
    click.option(
        "--checkpoint", metavar="PATH",
        help="File, folder or glob that the job renews as it goes, and continues from: says that it can be stopped",
    ),
    click.option(
        "--time", "time_s", type=DURATION, metavar="8h",
        help="Your guess of its whole run time, all turns together: short ones come sooner, and it ends nothing. "
        "Without --checkpoint: the limit of its one turn",
    ),
    click.option("--name", metavar="X", help="What lists call it [default: the script's name]"),
    click.option("--retries", type=click.IntRange(0, 1000), default=0, metavar="N", help="Tries again when it fails"),
    click.option("--after", multiple=True, metavar="JOB", help="Starts when JOB has finished (any:JOB: has ended)"),
    click.option("--array", metavar="1-10", help="One job for each number: 1-10, 1-10:2, 1,3,5-7"),
    click.option("--param", multiple=True, metavar="k=v1,v2", help="One job for each value; replaces {k}"),
    click.option("--signal", "notice_signal", metavar="USR1", help="The signal that says that the turn ends"),
    click.option("--output", metavar="FILE", help="Write its output there (%j job, %a task, %x name, %u member)"),
    click.option("--hold", is_flag=True, help="Keep it off the list until: rota release"),
    click.option("--as", "member", metavar="MEMBER", help="Submit for somebody else (administrators)"),
    click.option(
        "--since", type=Checked("date", _since), metavar="DATE",
        help="Since when it has waited on another list, such as 2026-10-12 (administrators)",
    ),
)  # fmt: skip


def dry_run_options(command: Any) -> Any:
    """`--dry-run` and `--compare`, which are typed and never written into a script."""
    compare = click.option(
        "--compare",
        "has_compare",
        is_flag=True,
        help="With --dry-run: when it would begin and be done like this, on other tiers, with less",
    )
    dry_run = click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing")
    return dry_run(compare(command))


def run_options(command: Any) -> Any:
    """All of them."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command

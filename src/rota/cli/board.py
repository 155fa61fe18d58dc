"""`rota board`: the live board in a terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from rota.cli.client import Answer
from rota.cli.main import client, state_option
from rota.cli.output import say_time
from rota.cli.told import after_turn, when
from rota.errors import RotaError

if TYPE_CHECKING:
    from rich.console import RenderableType

SHOWN_WAITING = 15
COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "bright_red", "bright_cyan", "bright_magenta")


@click.command("board", epilog="\b\nExample:\n  rota board        leave with Ctrl-C")
@state_option
def board_command() -> None:
    """Who has which GPU now, and who waits; it follows what happens."""
    from rich.console import Console  # noqa: PLC0415  (Rich is slow to import, and only the board needs it)
    from rich.live import Live  # noqa: PLC0415

    api, console = client(), Console()
    if not sys.stdout.isatty():
        console.print(_draw(api.get("/board")))
        return
    with Live(_draw(api.get("/board")), console=console, screen=True, auto_refresh=False) as live:
        while True:
            try:
                for board in api.events("/events"):
                    live.update(_draw(board), refresh=True)
            except (RotaError, OSError):
                live.update(f"The daemon in {api.state_dir} does not answer; trying again...", refresh=True)
            time.sleep(1.0)


def _draw(board: Answer) -> RenderableType:
    from rich.console import Group  # noqa: PLC0415  (as above)

    trouble = [_text(f"! {sentence}", "bold red") for sentence in board["trouble"]]
    return Group(*trouble, _gpus(board), "", _waiting(board))


def _gpus(board: Answer) -> RenderableType:
    """One row per GPU, with what is left of the quantum as a bar."""
    from rich.table import Table  # noqa: PLC0415  (as above)

    now = board["at"]
    projects = sorted({turn["project"] for turn in board["turns"]})
    colours = {project: COLOURS[place % len(COLOURS)] for place, project in enumerate(projects)}
    turns = {turn["id"]: turn for turn in board["turns"]}
    drawn = Table(title=f"{board['laboratory']}  {time.strftime('%H:%M:%S', time.localtime(now))}", box=None)
    for head in ("GPU", "tier", "job", "member", "project", "guaranteed", "", "then"):
        drawn.add_column(head, no_wrap=True)
    for gpu in board["gpus"]:
        turn = turns.get(gpu["turn"])
        if turn is None:
            state = "free" if gpu["condition"] == "healthy" else f"{gpu['condition']} {gpu['why']}"
            drawn.add_row(gpu["label"], gpu["tier"], _text(state, "dim"))
            continue
        colour = colours[turn["project"]]
        left = max(min((turn["guaranteed_until"] - now) / board["quantum_s"], 1.0), 0.0)
        said = "saving" if turn["state"] == "ending" else say_time(turn["guaranteed_until"], now) if left else "goes on"
        drawn.add_row(
            gpu["label"], gpu["tier"], _text(f"{turn['job']} {turn['name'][:24]}", colour), _text(turn["member"]),
            _text(turn["project"], colour), said, f"[{colour}]{'█' * round(left * 10)}[/{colour}]",
            after_turn(turn["forecast"], now),
        )  # fmt: skip
    return drawn


def _waiting(board: Answer) -> RenderableType:
    from rich.table import Table  # noqa: PLC0415  (as above)

    drawn = Table(title=f"{board['waiting_count']} waiting, {board['held_count']} held", box=None)
    for head in ("", "job", "member", "needs", "when", "why"):
        drawn.add_column(head, no_wrap=head != "why")
    for job in board["waiting"][:SHOWN_WAITING]:
        needs = f"{job['gpus']} {job['tier']}"
        name = _text(f"{job['job']} {job['name'][:24]}")
        begins = when(job, board["at"])
        drawn.add_row(str(job["place"] or ""), name, _text(job["member"]), needs, begins, _text(job["reason"]))
    return drawn


def _text(said: str, style: str = "") -> RenderableType:
    """Names are text, never markup."""
    from rich.text import Text  # noqa: PLC0415  (as above)

    return Text(said, style=style)

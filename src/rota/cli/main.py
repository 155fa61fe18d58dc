"""`rota`: finds the command, runs it, and turns every failure into a sentence and an exit code."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import click

import rota
from rota.cli.client import TIMEOUT_S, ApiError, Client, default_state_dir
from rota.failures import fail, failures_told

#: Where each command lives. A module is imported only when its command is used.
COMMANDS = {
    "up": "up",
    "run": "submit",
    "batch": "scripts.batch",
    "sbatch": "scripts.sbatch",
    "list": "listing",
    "show": "jobs",
    "why": "jobs",
    "logs": "logs",
    "cancel": "jobs",
    "hold": "jobs",
    "release": "jobs",
    "give-back": "jobs",
    "move": "jobs",
    "board": "board",
    "fleet": "fleet",
    "export": "export",
    "import": "take_over.command",
    "project": "project",
    "policy": "policy",
    "forecast": "forecast",
    "replay": "replay",
    "slurm": "slurm.command",
    "web": "web",
    "doctor": "doctor",
    "completion": "completion",
}


class LazyGroup(click.Group):
    """Imports a command when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"rota.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_") + "_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A mistyped command is answered with the one that was meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib  # noqa: PLC0415  (only for a mistake)

            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            meant = f"Did you mean: rota {near[0]}" if near else "See: rota --help"
            raise click.UsageError(f"There is no command {args[0]!r}. {meant}")
        return super().resolve_command(ctx, args)


def _set_state(ctx: click.Context, _: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        ctx.ensure_object(dict)["state"] = value
    return value


def state_option(command: Any) -> Any:
    """`--state DIR`, which every command takes, before or after its name."""
    return click.option(
        "--state",
        metavar="DIR",
        callback=_set_state,
        expose_value=False,
        help="The daemon's state folder [default: $ROTA_STATE, /var/lib/rota, or yours]",
    )(command)


def json_option(command: Any) -> Any:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs")(command)


def state_dir() -> Path:
    """The state folder that this command line means."""
    stated = click.get_current_context().ensure_object(dict).get("state")
    return Path(stated) if stated else default_state_dir()


def client(timeout_s: float = TIMEOUT_S) -> Client:
    """The daemon that this command line means."""
    return Client(state_dir(), timeout_s)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(rota.__version__, prog_name="rota")
@state_option
def group() -> None:
    """Fair turns on a laboratory's few good GPUs.

    \b
    rota run --checkpoint run.pt -- python train.py    put a job on the waiting list
    rota list                                          who has a turn, who waits
    rota why 12                                        why job 12 waits
    rota logs -f 12                                    what it prints
    """


def main() -> None:
    """The entry point."""
    wants_json = "--json" in sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else "--json" in sys.argv[1:]
    with failures_told(wants_json):
        try:
            group.main(standalone_mode=False, prog_name="rota")
        except click.exceptions.Exit as asked:
            sys.exit(asked.exit_code)
        except click.UsageError as wrong:
            fail(_usage(wrong), "bad_request", wrong.exit_code, wants_json)
        except click.ClickException as wrong:
            fail(wrong.format_message(), "bad_request", 1, wants_json)
        except click.Abort:
            sys.exit(130)
        except ApiError as refused:
            fail(str(refused), refused.wire_code, refused.wire_exit_code, wants_json)


def _usage(wrong: click.UsageError) -> str:
    """Click's message, and where the options are."""
    said = wrong.format_message()
    command = wrong.ctx.command_path if wrong.ctx else "rota"
    return said if "--help" in said or "\n" in said else f"{said}\nFor the options: {command} --help"


if __name__ == "__main__":
    main()

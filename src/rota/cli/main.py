"""`rota`: finds the command, runs it, and turns every failure into a sentence and an exit code."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

import rota
from rota.cli.client import ApiError, Client, default_state_dir
from rota.errors import RotaError

#: Where each command lives. A module is imported only when its command is used.
COMMANDS = {
    "up": "up",
    "run": "submit",
    "batch": "batch",
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
    "project": "project",
    "policy": "policy",
    "replay": "replay",
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


def client() -> Client:
    """The daemon that this command line means."""
    return Client(state_dir())


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
    try:
        group.main(standalone_mode=False, prog_name="rota")
        sys.stdout.flush()
    except click.exceptions.Exit as asked:
        sys.exit(asked.exit_code)
    except click.ClickException as wrong:
        _fail(_usage(wrong), "bad_request", wrong.exit_code if isinstance(wrong, click.UsageError) else 1, wants_json)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except ApiError as refused:
        _fail(str(refused), refused.wire_code, refused.wire_exit_code, wants_json)
    except RotaError as failed:
        _fail(str(failed), failed.code, failed.exit_code, wants_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what reads our output has seen enough
        sys.exit(141)
    except Exception as defect:  # a traceback never reaches a member
        if os.environ.get("ROTA_DEBUG"):
            raise
        said = f"This is a defect in Rota: {type(defect).__name__}: {defect}\nWith ROTA_DEBUG=1 it shows where."
        _fail(said, "failed", 1, wants_json)


def _usage(wrong: click.ClickException) -> str:
    """Click's message, and where the options are."""
    said = wrong.format_message()
    if not isinstance(wrong, click.UsageError):
        return said
    command = wrong.ctx.command_path if wrong.ctx else "rota"
    return said if "--help" in said or "\n" in said else f"{said}\nFor the options: {command} --help"


def _fail(message: str, code: str, exit_code: int, as_json: bool) -> NoReturn:
    if as_json:
        print(json.dumps({"error": code, "message": message}))
    print(f"rota: {message}", file=sys.stderr)
    sys.exit(exit_code)


if __name__ == "__main__":
    main()

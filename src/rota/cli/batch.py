"""`rota batch SCRIPT`: the same as `rota run`, from the script's own lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rota.cli.batch_lines import read_lines
from rota.cli.checks import checked_argv
from rota.cli.main import json_option, state_option
from rota.cli.run_options import OPTIONS, dry_run_options, run_options
from rota.cli.submit import submit
from rota.errors import BadRequest, NoSuchThing

EPILOG = """\b
Examples:
  rota batch train.sh
  rota batch train.sbatch --checkpoint runs/*.ckpt     options here override the script's lines

\b
In the script, before its first command:
  #ROTA --gpus 2 --checkpoint model.pt
  #SBATCH --gres=gpu:h100:2 --time=8:00:00
"""
SHELLS = ("/bin/sh", "/bin/bash", "/usr/bin/bash", "/usr/bin/env bash", "/usr/bin/env sh")


@click.command("batch", epilog=EPILOG, context_settings={"allow_interspersed_args": True})
@run_options
@dry_run_options
@json_option
@state_option
@click.argument("script")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def batch_command(
    ctx: click.Context,
    /,
    script: str,
    args: tuple[str, ...],
    dry_run: bool,
    has_compare: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Put a script on the waiting list, with the options of its #ROTA and #SBATCH lines.

    The script's text is kept as it is now, so it can be changed while the job waits.
    """
    text = _read(script)
    lines = read_lines(text)
    for remark in lines.ignored:
        click.echo(f"rota: ignored {remark}", err=True)
    typed = {name for name in options if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE}
    merged = {"name": Path(script).name, **_defaults(options), **lines.options, **_rota_options(lines.rota_words)}
    merged.update({name: options[name] for name in typed})
    if merged.get("name") is None:
        merged["name"] = Path(script).name
    submit(_argv(script, text, args), merged, dry_run, has_compare, as_json)


def _defaults(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "name"}


def _read(script: str) -> str:
    try:
        return Path(script).read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise NoSuchThing(f"There is no script {script}. Look at the spelling, or cd to its folder.") from None
    except UnicodeDecodeError:
        raise BadRequest(f"{script} is not a text file in UTF-8. For a program: rota run -- {script}") from None
    except OSError as failed:
        raise BadRequest(f"{script} cannot be read: {failed.strerror}.") from None


def _rota_options(words: list[str]) -> dict[str, Any]:
    """#ROTA lines through the very parser of the command line."""

    @click.command("#ROTA", add_help_option=False)
    def lines(**_: Any) -> None: ...

    parser = lines
    for option in reversed(OPTIONS):
        parser = option(parser)
    context = parser.make_context("#ROTA", list(words))
    given = click.core.ParameterSource.COMMANDLINE
    return {name: value for name, value in context.params.items() if context.get_parameter_source(name) is given}


def _argv(script: str, text: str, args: tuple[str, ...]) -> list[str]:
    """A shell script is handed over as text, as sbatch does; anything else is run where it stands."""
    first = text.partition("\n")[0]
    if not first.startswith("#!"):
        raise BadRequest(f"{script} must begin with the line of its interpreter, such as #!/bin/bash")
    interpreter = first[2:].strip()
    if interpreter.split(" -")[0].strip() in SHELLS:
        return checked_argv([*interpreter.split(), "-c", text, script, *args])
    click.echo(f"rota: {script} is run where it stands; change it only when the job has ended", err=True)
    return checked_argv([*interpreter.split(), str(Path(script).absolute()), *args])

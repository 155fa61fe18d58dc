"""`rota batch SCRIPT`: the same as `rota run`, from the script's own lines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from rota.cli.checks import checked_argv, checked_cwd
from rota.cli.daemon_names import DaemonNames
from rota.cli.main import client, json_option, state_option
from rota.cli.run_options import dry_run_options, run_options
from rota.cli.scripts.job import account_name, prepared
from rota.cli.scripts.options import read_options, remarks_on
from rota.cli.scripts.script import read_script
from rota.cli.submit import submit
from rota.slurm.sbatch_options import Reader

EPILOG = """\b
Examples:
  rota batch train.sh
  rota batch train.sbatch --checkpoint runs/*.ckpt     options here override the script's lines

\b
In the script, before its first command:
  #ROTA --gpus 2 --checkpoint model.pt
  #SBATCH --gres=gpu:h100:2 --time=8:00:00

\b
With sbatch's own options, and its answer: rota sbatch
"""


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
    read = read_script(script)
    wanted = read_options(read, (), Reader(), DaemonNames(client()))
    typed = {name for name in options if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE}
    merged = {**options, **wanted.options, **{name: options[name] for name in typed}}
    merged["name"] = merged["name"] or Path(script).name
    for remark in remarks_on(read, wanted, merged):
        click.echo(f"rota: {remark}", err=True)
    job = prepared(read, args, wanted, merged, checked_cwd(), os.environ, account_name())
    submit(checked_argv(job.argv), {**merged, **job.options}, dry_run, has_compare, as_json, job.environment)

"""`rota completion`: shell completion."""

from __future__ import annotations

import click

SHELLS = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/completions/rota.fish"}


@click.command("completion", epilog="\b\nExample:\n  rota completion bash >> ~/.bashrc")
@click.argument("shell", type=click.Choice(list(SHELLS)))
def completion_command(shell: str) -> None:
    """Print the completion script for SHELL: commands, options, job numbers, tiers, GPUs."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415  (only here)

    from rota.cli.main import group  # noqa: PLC0415  (main imports this module by name)

    completer = get_completion_class(shell)
    if completer is None:
        raise click.ClickException(f"click knows no completion for {shell}.")
    click.echo(completer(group, {}, "rota", "_ROTA_COMPLETE").source())

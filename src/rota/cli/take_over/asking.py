"""Asking before something large is changed."""

from __future__ import annotations

from typing import Any

import click


def asking_options(command: Any) -> Any:
    """`--yes` and `--dry-run`."""
    yes = click.option("--yes", "-y", is_flag=True, help="Do not ask")
    dry_run = click.option("--dry-run", is_flag=True, help="Show what would be taken over; change nothing")
    return dry_run(yes(command))


def is_wanted(question: str, yes: bool, as_json: bool) -> bool:
    """Ask, unless it was said before."""
    if yes or as_json:
        return True
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        raise click.ClickException("Nothing was changed. Where nobody can answer, say it before: --yes") from None

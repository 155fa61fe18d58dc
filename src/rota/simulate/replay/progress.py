"""How far a replay has come, for a person at a terminal; nothing for anybody else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress(policy: str, jobs: int) -> Iterator[Callable[[int], None]]:
    """Takes the number of jobs finished so far."""
    if not sys.stderr.isatty():
        yield lambda finished: None
        return
    shown = 0
    with click.progressbar(length=jobs, label=f"{policy:<11}", file=sys.stderr, show_pos=True) as bar:

        def show(finished: int) -> None:
            nonlocal shown
            bar.update(finished - shown)
            shown = finished

        yield show
        show(jobs)

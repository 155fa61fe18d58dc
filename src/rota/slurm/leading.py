"""Slurm's commands for the daemon that leads, and for no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rota.slurm.commands import Run, SlurmUnavailable


def while_leading(run: Run, surely_leads: Callable[[], bool]) -> Run:
    """The same commands, refused at each moment at which another daemon could lead.

    What a daemon records is fenced by its database; what it says to Slurm, from beside its loop, is not. One that was
    frozen for a minute would go on with what it was about to say, and with what it believed a minute ago.
    """

    def led(words: Sequence[str], given: str = "") -> str:
        if not surely_leads():
            raise SlurmUnavailable("This Rota waits for its database, to be sure that no other one leads.")
        return run(words, given)

    return led

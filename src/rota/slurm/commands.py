"""Slurm's commands: run with a limit on their time, and every failure as one sentence.

The commands and not slurmrestd: they are on every machine of a cluster, need no token, and speak for whoever runs them.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence

from rota.errors import EngineUnavailable

TIMEOUT_S = 10.0  # Slurm's own MessageTimeout (slurm.conf(5)): after it a command gives up by itself

_KEPT = ("PATH", "SLURM", "SBATCH", "MUNGE", "TZ")

#: (words, standard input) -> standard output. Raises SlurmUnavailable, SlurmRefused.
Run = Callable[[Sequence[str], str], str]


class SlurmUnavailable(EngineUnavailable):
    """Slurm does not answer, or in a way that cannot be read: the same may work later."""

    code = "slurm_unavailable"

    def __init__(self, message: str, is_for_good: bool = False) -> None:
        super().__init__(message)
        self.is_for_good = is_for_good  #: until somebody installs Slurm's commands


class SlurmRefused(EngineUnavailable):
    """Slurm answered, and said no; `said` is what it said."""

    code = "slurm_refused"

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message)
        self.said = said


#: What the commands print when the controller is what is missing (slurm_strerror(3) of 22.05 to 25.05).
_AWAY = (
    "unable to contact slurm controller", "connection refused", "connection timed out", "timed out", "zero bytes",
    "communication connection failure", "unexpected message received", "protocol authentication error",
    "invalid authentication credential", "munge encode failed", "transport endpoint", "no route to host",
    "socket timed out", "standby mode", "unable to establish controller machine", "authentication",
    "incompatible versions", "protocol version",
)  # fmt: skip


def commands(timeout_s: float = TIMEOUT_S, environment: Mapping[str, str] | None = None) -> Run:
    """A runner of Slurm's commands that are on PATH; `environment` is added to our own (SLURM_CONF).

    Of our own environment they get what is Slurm's and nothing else: sbatch hands all of it on to the job, whose member
    must not see a daemon's secrets. With --export it would not, but then every job waits a second or two for a login
    shell of its member (sbatch(1), --export and --get-user-env).
    """

    def run(words: Sequence[str], given: str = "") -> str:
        kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
        own = {**kept, "LC_ALL": "C.UTF-8", "SLURM_TIME_FORMAT": "%s", **(environment or {})}
        try:
            done = subprocess.run(
                list(words), input=given.encode(), capture_output=True, timeout=timeout_s, env=own, check=False
            )
        except FileNotFoundError:
            raise SlurmUnavailable(
                f"There is no command {words[0]} here. Install Slurm's commands: apt install slurm-client",
                is_for_good=True,
            ) from None
        except subprocess.TimeoutExpired:
            raise SlurmUnavailable(f"Slurm does not answer: {words[0]} took longer than {timeout_s:g} s.") from None
        except OSError as failed:
            raise SlurmUnavailable(f"{words[0]} cannot be run: {failed.strerror}.") from None
        said = done.stderr.decode(errors="replace").strip() or done.stdout.decode(errors="replace").strip()
        if done.returncode != 0:
            raise _failure(words[0], said or f"exit code {done.returncode}")
        return done.stdout.decode(errors="replace")

    return run


def _failure(command: str, said: str) -> SlurmUnavailable | SlurmRefused:
    last = said.splitlines()[-1].removeprefix(f"{command}: ").removeprefix("error: ")[:300]
    if any(mark in said.lower() for mark in _AWAY):
        return SlurmUnavailable(f"Slurm does not answer {command}: {last}")
    return SlurmRefused(f"Slurm refused {command}: {last}", said)

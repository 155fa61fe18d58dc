"""A script that is to run: its text as it is now, its interpreter, its command line."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rota.cli.scripts.lines import Lines, read_lines
from rota.errors import BadRequest, NoSuchThing

SHELLS = ("sh", "bash", "dash", "zsh", "ksh")
MOST_BYTES = 128 * 1024 - 1  # of one word of a command line (execve(2), MAX_ARG_STRLEN)


@dataclass(frozen=True, slots=True)
class Script:
    """One script."""

    name: str  #: as its member calls it: a path, or "sbatch" from standard input
    text: str
    lines: Lines
    has_file: bool = True  #: whether it can be run where it stands

    @property
    def interpreter(self) -> list[str]:
        """The words behind `#!`."""
        return self.text.partition("\n")[0].removeprefix("#!").split()

    @property
    def is_shell(self) -> bool:
        return self._program in SHELLS

    @property
    def is_text(self) -> bool:
        """Whether its text is handed over, so that the file may change while the job waits."""
        return self.is_shell or (not self.has_file and self._program.startswith("python"))

    @property
    def _program(self) -> str:
        words = [word for word in self.interpreter if not word.startswith("-")]
        words = words[1:] if words and Path(words[0]).name == "env" else words
        return Path(words[0]).name if len(words) == 1 else ""

    @property
    def is_for_slurm(self) -> bool:
        return self.lines.is_for_slurm


def read_script(path: str, *, searches_path: bool = False) -> Script:
    """A script's file. sbatch looks on PATH for what is not in this folder. Raises NoSuchThing, BadRequest."""
    file = Path(path)
    if searches_path and "/" not in path and not file.exists():
        file = Path(shutil.which(path) or path)
    try:
        return script_of(path, file.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise NoSuchThing(f"There is no script {path}. Look at the spelling, or cd to its folder.") from None
    except UnicodeDecodeError:
        raise BadRequest(f"{path} is not a text file in UTF-8. For a program: rota run -- {path}") from None
    except OSError as failed:
        raise BadRequest(f"{path} cannot be read: {failed.strerror}.") from None


def script_of(name: str, text: str, *, has_file: bool = True) -> Script:
    """A script by its text. Raises BadRequest when sbatch would not take it either, or Rota cannot hand it over."""
    if not text.startswith("#!"):
        raise BadRequest(f"{name} must begin with the line of its interpreter, such as #!/bin/bash")
    if "\r\n" in text:
        raise BadRequest(f"{name} has DOS line ends. Make them Unix ones: sed -i 's/\\r$//' {name}")
    if "\0" in text:
        raise BadRequest(f"{name} is not a text file. For a program: rota run -- {name}")
    if len(text.encode()) > MOST_BYTES:
        raise BadRequest(f"{name} is {len(text.encode()):,} bytes long, and at most {MOST_BYTES:,} can be handed over.")
    return Script(name, text, read_lines(text), has_file)


def argv_of(script: Script, args: Sequence[str], first_line: str = "", *, is_login: bool = False) -> list[str]:
    """A shell script is handed over as text, as sbatch does; anything else is run where it stands.

    `first_line` takes the place of the script's first, which a shell passes over; `is_login` reads the profile before.
    """
    if not script.is_text and not script.has_file:
        program = " ".join(script.interpreter)
        raise BadRequest(f"{script.name} is for {program}, which needs its file, and only its text is here.")
    if not script.is_text:
        return [*script.interpreter, str(Path(script.name).absolute()), *args]
    if not script.is_shell:
        return [*script.interpreter, "-c", script.text, *args]
    text = first_line + "\n" + script.text.partition("\n")[2] if first_line else script.text
    login = ["-l"] if is_login and "-l" not in script.interpreter and "--login" not in script.interpreter else []
    return [*script.interpreter, *login, "-c", text, script.name, *args]

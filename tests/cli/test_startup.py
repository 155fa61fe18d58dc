"""The command line starts fast because it imports little, and speaks the API's language."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rota.api import schemas
from rota.cli.main import COMMANDS
from rota.cli.submit import submit_body

SLOW = ("pydantic", "fastapi", "sqlalchemy", "rich", "asyncio", "http.client", "email", "typing_extensions", "uvicorn")


@pytest.mark.parametrize("words", ["run --help", "list --help", "run -- no-such-command-here"])
def test_no_slow_library_is_imported_on_the_way(words: str) -> None:
    code = (
        f"import sys; sys.argv = ['rota', *{words.split()!r}]\n"
        "from rota.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"print('SLOW', [name for name in {SLOW!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "SLOW []", done.stdout + done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rota.cli.main", command, "--help"], capture_output=True, text=True, check=True
    )
    assert "Example" in done.stdout
    assert "--state" in done.stdout or command in ("completion", "replay")  # they ask no daemon


def test_what_run_sends_is_what_the_api_takes() -> None:
    options = {
        "gpus": 2, "gpu_memory": 2**35, "cpus": 4, "mem": 2**36, "tier": "h100,a100", "project": "p", "name": "x",
        "checkpoint": "c", "time_s": 3600.0, "notice_signal": "SIGTERM", "retries": 1, "after": ("3", "any:4"),
        "array": "1-2", "param": (), "output": "o-%j", "member": "kim",
    }  # fmt: skip
    body = submit_body(["true"], options, "/tmp", {"A": "b"})
    taken = schemas.SubmitBody.model_validate(body)
    assert taken.checkpoint == "/tmp/c"
    assert taken.notice_signal == "TERM"
    assert [(wanted.job, wanted.any_end) for wanted in taken.after] == [(3, False), (4, True)]
    assert len(taken.tasks) == 2


def test_a_mistyped_command_is_answered_with_the_one_that_was_meant() -> None:
    done = subprocess.run([sys.executable, "-m", "rota.cli.main", "lst"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Did you mean: rota list" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rota.cli.main", "completion", shell], capture_output=True, text=True, check=True
    )
    assert "_ROTA_COMPLETE" in done.stdout

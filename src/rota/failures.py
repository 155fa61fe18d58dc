"""How a command fails: one sentence on stderr and an exit code of design.md; with --json, an object on stdout, too."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from rota.errors import RotaError


@contextmanager
def failures_told(as_json: bool) -> Iterator[None]:
    """Around all that a command does: whatever is raised there ends the process. A traceback never reaches a member."""
    try:
        yield
        sys.stdout.flush()
    except RotaError as failed:
        fail(str(failed), failed.code, failed.exit_code, as_json)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what reads our output has seen enough
        sys.exit(141)
    except Exception as defect:
        if os.environ.get("ROTA_DEBUG"):
            raise
        said = f"This is a defect in Rota: {type(defect).__name__}: {defect}\nWith ROTA_DEBUG=1 it shows where."
        fail(said, "failed", 1, as_json)


def fail(message: str, code: str, exit_code: int, as_json: bool) -> NoReturn:
    """Say so and exit."""
    if as_json:
        print(json.dumps({"error": code, "message": message}))
    print(f"rota: {message}", file=sys.stderr)
    sys.exit(exit_code)

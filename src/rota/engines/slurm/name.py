"""How a turn is found again among Slurm's jobs: by a comment that only it has."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from rota.engines.contract import StartOrder
from rota.engines.keeper import files
from rota.errors import EngineUnavailable

_MOST_OF_A_NAME = 40


def site_id(turns_dir: Path) -> str:
    """Of this Rota: two on one cluster both have a turn 1.1. Made once, by whoever comes first.

    Raises EngineUnavailable.
    """
    path = turns_dir / "site.json"
    try:
        turns_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not path.exists():
            files.write_json_once(str(path), {"site": secrets.token_hex(6)})
    except FileExistsError:
        pass  # the daemon of the other head node was faster
    except OSError as failed:
        raise EngineUnavailable(f"The folder of turns {turns_dir} cannot be used: {failed.strerror}.") from failed
    found = (files.read_json(str(path)) or {}).get("site")
    if not isinstance(found, str):
        raise EngineUnavailable(f"{path} cannot be read. If it is damaged, remove it while no turn runs.")
    return found


def comment_prefix(site: str) -> str:
    """What the comments of all turns of this Rota begin with."""
    return f"rota {site} "


def job_name(order: StartOrder) -> str:
    """What squeue and sacct show, with the turn's id for whoever compares the books.

    >>> from rota.domain.jobs import Launch
    >>> job_name(StartOrder("12.3", 12, 3, "my bert/1", "vision", Launch((), "/"), (), 0.0))
    'rota.12.3.my_bert_1'
    """
    return f"rota.{order.turn}.{re.sub(r'[^A-Za-z0-9_-]', '_', order.job_name)[:_MOST_OF_A_NAME]}"

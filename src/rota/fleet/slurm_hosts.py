"""`python -m rota.fleet.slurm_hosts`: asks hosts what they have, over ssh and all at once, for `rota slurm init`.

Reads a JSON list of names, and prints a JSON object for each host when it has answered or could not be asked. ssh is
used as it is set up for whoever runs this, and never asks for a password.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from rota.fleet.tiers import tier_of
from rota.slurm.site.facts import SCRIPT, facts_as_told, parse_facts

CONNECT_S = 6  # a host in the same building answers within one
ANSWER_S = 40.0  # nvidia-smi takes seconds without its persistence mode, and up to 15 before the script gives it up
AT_ONCE = 32


def ask(where: str) -> dict[str, Any]:
    """One host's facts, or why there are none."""
    words = ["sh", "-s"] if is_here(where) else ssh_words(where)
    asked_at = time.time()
    try:
        done = subprocess.run(words, input=SCRIPT.encode(), capture_output=True, timeout=ANSWER_S, check=False)
    except subprocess.TimeoutExpired:
        return {"where": where, "facts": None, "why_not": f"no answer within {ANSWER_S:.0f} s"}
    except OSError as failed:
        return {"where": where, "facts": None, "why_not": f"{words[0]} cannot be run: {failed.strerror}"}
    facts = parse_facts(done.stdout.decode(errors="replace"), (asked_at + time.time()) / 2, tier_of)
    if facts is None:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        return {"where": where, "facts": None, "why_not": said[-1][:200] if said else "it gives no answer"}
    return {"where": where, "facts": facts_as_told(facts), "why_not": ""}


def ssh_words(where: str) -> list[str]:
    """How a host is reached. sh by name, since a person's own shell may be any."""
    return ["ssh", "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_S}", "--", where, "sh -s"]


def is_here(where: str) -> bool:
    """Whether that is this machine."""
    name = socket.gethostname()
    return where in ("localhost", "127.0.0.1", "::1", name, name.partition(".")[0])


def main() -> None:
    """Ask them all."""
    names: Sequence[str] = json.load(sys.stdin)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for answer in as_completed([pool.submit(ask, name) for name in names]):
            print(json.dumps(answer.result()), flush=True)


if __name__ == "__main__":
    main()

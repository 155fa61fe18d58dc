"""Asking hosts what they have, and saying it. The asking itself is a process of its own: it knows GPUs' models."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from rota.domain.counts import say_count
from rota.domain.sizes import say_size
from rota.slurm.site.facts import facts_from
from rota.slurm.site.join import LOCAL, Asked

NOT_ASKED = "it was not asked: --no-ssh"


def ask_hosts(names: Sequence[str], *, is_ssh_used: bool, is_quiet: bool) -> dict[str, Asked]:
    """Each host's answer. On a terminal it is seen how far it is: some hosts take half a minute."""
    asked = dict.fromkeys(names, Asked(None, NOT_ASKED))
    to_ask = [name for name in names if is_ssh_used or name in LOCAL]
    if not to_ask:
        return asked
    command = [sys.executable, "-m", "rota.fleet.slurm_hosts"]
    is_hidden = is_quiet or not sys.stderr.isatty()
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asking,
        click.progressbar(
            length=len(to_ask), label="asking hosts", file=sys.stderr, hidden=is_hidden, show_pos=True
        ) as bar,
    ):
        assert asking.stdin is not None and asking.stdout is not None
        asking.stdin.write(json.dumps(to_ask))
        asking.stdin.close()
        for line in asking.stdout:
            answer = json.loads(line)
            facts = facts_from(answer["facts"]) if answer["facts"] is not None else None
            asked[answer["where"]] = Asked(facts, answer["why_not"])
            bar.update(1)
    return asked


def say_host(host: Mapping[str, Any]) -> str:
    """`gpu1: 64 CPUs, 512G, 8 h100`."""
    gpus = ", ".join(f"{kind['count']} {kind['type']}" for kind in host["gpus"]) or "no GPU"
    guessed = f" ({' and '.join(host['guessed'])} guessed)" if host["guessed"] else ""
    memory = say_size(host["memory_mib"] << 20)
    return f"{host['name']}: {say_count(host['cpus'], 'CPU')}, {memory}, {gpus}{guessed}"

"""A look from every node, by a step of a second: accounts, clock, Python, the folder of turns, GPUs."""

from __future__ import annotations

import os
import pwd
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rota.domain.counts import say_count
from rota.fleet.findings import Finding
from rota.fleet.slurm_doctor.here import CLOCK_S
from rota.fleet.slurm_doctor.nodes import is_bad
from rota.fleet.slurm_doctor.world import Site, Unanswered, World, ask, in_parallel
from rota.slurm.version import parse_version

Record = Mapping[str, str]
MOST_NODES = 256
MOST_ACCOUNTS = 200
FIRST_MEMBER_UID = 1000  # login.defs(5), UID_MIN
LEAST_PYTHON = (3, 9)  # what a turn's keeper runs with
WAIT_S = 8  # for a node to have a free core

#: Arguments: Python, the mark in the folder of turns, where turns come over the line, then names of accounts.
_SCRIPT = """
echo "time $(date +%s)"
echo "python $("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>&1 | tail -n 1)"
if [ -r "$2" ]; then echo "mark seen"; else echo "mark missing"; fi
if [ -n "$3" ]; then
    reach='import socket, sys; host, _, port = sys.argv[1].rpartition(":")'
    reach="$reach; socket.create_connection((host.strip('[]'), int(port)), 3)"
    if "$1" -c "$reach" "$3" 2>/dev/null; then echo "post reached"; else echo "post missing"; fi
fi
shift 3
for name; do echo "uid $name $(id -u "$name" 2>/dev/null || echo none)"; done
"""


def look_from_nodes(world: World, site: Site, nodes: Sequence[Record]) -> Iterator[Finding]:
    """What every node that is up says of itself, within half a minute for all of them."""
    alive = [node["NodeName"] for node in nodes if not is_bad(node)][:MOST_NODES]
    accounts = _accounts()
    with suppress(OSError):
        site.turns_dir.mkdir(parents=True, exist_ok=True)
    mark = site.turns_dir / f".doctor-{secrets.token_hex(6)}"
    try:
        with suppress(OSError):
            mark.touch()
        steps = [partial(_step, world, _words(site, name, mark, accounts)) for name in alive]
        answers = in_parallel(steps)
    finally:
        with suppress(OSError):
            mark.unlink()
    found = [
        finding for name, answer in zip(alive, answers, strict=True) for finding in judge(name, answer, accounts, site)
    ]
    yield from found
    silent = sum(finding.check == "deep" for finding in found)
    if silent < len(alive) and not any(finding.ok is False for finding in found):
        where, way = say_count(len(alive) - silent, "node"), "the way to us" if site.post else "turns_dir"
        yield Finding("deep", True, f"a step ran on {where}: accounts, clocks, Python and {way} are right there")


def _accounts() -> dict[str, int]:
    """The people of this machine, whose numbers must be the same on the nodes."""
    people = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall() if FIRST_MEMBER_UID <= entry.pw_uid < 60_000}
    with suppress(KeyError):
        people[pwd.getpwuid(os.getuid()).pw_name] = os.getuid()
    return dict(sorted(people.items())[:MOST_ACCOUNTS])


def _words(site: Site, node: str, mark: Path, accounts: Mapping[str, int]) -> list[str]:
    where = [f"--partition={site.partition}"] if site.partition else []
    return [
        "srun", "--quiet", "--input=none", "--nodes=1", "--ntasks=1", "--cpus-per-task=1", "--mem=32M", "--gres=none",
        "--time=1", f"--immediate={WAIT_S}", "--job-name=rota-doctor", "--chdir=/", f"--nodelist={node}", *where,
        *site.options, "sh", "-c", _SCRIPT, "sh", site.python, str(mark), site.post, *accounts,
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What one node's step printed, and between which moments of our clock."""

    text: str
    before: float
    after: float


def _step(world: World, words: Sequence[str]) -> Answer:
    before = world.now()
    answer = ask(world.run_step, words)
    text = f"failed {answer.why.strip().splitlines()[-1]}" if isinstance(answer, Unanswered) else answer
    return Answer(text, before, world.now())


def judge(node: str, answer: Answer, accounts: Mapping[str, int], site: Site) -> Iterator[Finding]:
    """What one node's answer means."""
    lines = [line.partition(" ")[::2] for line in answer.text.splitlines()]
    said = dict(lines)
    if "time" not in said:
        why = said.get("failed", "it printed nothing")
        mend = f"srun --nodelist={node} hostname. A busy node has no core for it; a firewall lets no answer through"
        yield Finding("deep", None, f"no step ran on {node}: {why}", mend)
        return
    yield from _numbers(node, [rest.split() for kind, rest in lines if kind == "uid"], accounts)
    ahead_s = _ahead_s(said["time"], answer)
    if abs(ahead_s) > CLOCK_S:
        way = "ahead of" if ahead_s > 0 else "behind"
        text = f"that of {node} is {abs(ahead_s):.0f} s {way} this one: Rota would misjudge checkpoints by their times"
        yield Finding("clocks", False, text, f"ssh {node} chronyc tracking; apt install chrony")
    if parse_version(said.get("python", "")) < LEAST_PYTHON:
        text = f"{node}: {site.python} is {said.get('python') or 'missing'}, and a turn needs 3.9 or later there"
        mend = f'[slurm] python = "/path/to/python3" in rota.toml, or install it on {node}'
        yield Finding("python", False, text, mend)
    if site.post and said.get("post") != "reached":
        text = f"{node} does not reach {site.post}, where turns come over the line; nobody listens while Rota is down"
        mend = f"sudo rota up, then again; or let port {site.post.rpartition(':')[2]} through the firewall"
        yield Finding("post", None, text, mend)
    elif not site.post and said.get("mark") != "seen":
        text = f"{node} does not see {site.turns_dir}: a turn would never begin there"
        yield Finding("turns_dir", False, text, f"mount it on {node} under the same path, or change [slurm] turns_dir")


def _ahead_s(said: str, answer: Answer) -> float:
    """By how much at least a node's clock is ahead of ours; its answer has whole seconds."""
    at = float(said) if said.isdigit() else answer.before
    if at > answer.after:
        return at - answer.after
    return min(at + 1 - answer.before, 0.0)


def _numbers(node: str, found: Sequence[Sequence[str]], accounts: Mapping[str, int]) -> Iterator[Finding]:
    numbers = {words[0]: words[1] for words in found if len(words) == 2}
    missing = [name for name in accounts if numbers.get(name) == "none"]
    other = [name for name, uid in accounts.items() if numbers.get(name, "none") not in ("none", str(uid))]
    if other:
        name = other[0]
        text = (
            f"{', '.join(other[:4])} have other numbers on {node} ({name}: {numbers[name]}, here {accounts[name]}): "
            "their turns run as somebody else, or not at all"
        )
        yield Finding("accounts", False, text, f"usermod --uid {accounts[name]} {name} on {node}, or one LDAP for all")
    if missing:
        text = f"{', '.join(missing[:4])}{' and more' if len(missing) > 4 else ''} not known on {node}"
        yield Finding("accounts", None, text, f"useradd --uid NUMBER NAME on {node}, or one LDAP for all")

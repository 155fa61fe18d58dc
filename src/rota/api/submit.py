"""A submit as it comes over the wire becomes the daemon's command."""

from __future__ import annotations

import json
import os
import pwd
import shlex
from pathlib import Path

from rota.api.peers import Peer
from rota.api.schemas import SubmitBody
from rota.daemon.commands import Submit, Task
from rota.domain.jobs import Dependency, Launch, Request
from rota.domain.members import Member
from rota.errors import BadRequest

#: A task of an array may bring its own command line, as JSON, in this variable (see cli/arrays.py).
TASK_ARGV = "ROTA_TASK_ARGV"
SHOWN_COMMAND = 200  # characters of the command line that lists show
MOST_BYTES = 1_000_000  # of command line and environment together, well below what execve(2) takes


def submit_command(body: SubmitBody, me: Member, peer: Peer | None, is_simulated: bool) -> Submit:
    """The command. Raises BadRequest."""
    if not body.argv[0].strip():
        raise BadRequest("The command is empty. Write it after the options: rota run -- python train.py")
    request = Request(
        gpus=body.gpus,
        gpu_memory_bytes=body.gpu_memory_bytes,
        cpus=body.cpus,
        memory_bytes=body.memory_bytes,
        tiers=tuple(body.tiers),
        checkpoint=_absolute(body.checkpoint, "--checkpoint"),
        time_s=body.time_s,
        notice_signal=body.notice_signal,
        retries=body.retries,
        after=tuple(Dependency(wanted.job, wanted.any_end) for wanted in body.after),
    )
    member = body.member or me.name
    uid, gid, groups = _account(member, me, peer, is_simulated)
    size = sum(map(len, body.argv)) + sum(len(k) + len(v) for k, v in body.environment.items())
    if size > MOST_BYTES:
        raise BadRequest(f"Command line and environment are {size:,} bytes; at most {MOST_BYTES:,} can be started.")
    launch = Launch(
        argv=tuple(body.argv),
        cwd=_absolute(body.cwd, "the working directory") or "/",
        environment=dict(body.environment),
        umask=body.umask,
        uid=uid,
        gid=gid,
        groups=groups,
        output=_absolute(body.output, "--output"),
    )
    return Submit(
        me, member, body.project, request, _tasks(body, launch), body.dry_run, body.held, body.waiting_since,
        body.origin or "",
    )  # fmt: skip


def _tasks(body: SubmitBody, launch: Launch) -> tuple[Task, ...]:
    if not body.tasks:
        return (Task(body.name or _name(launch.argv), launch, _shown(launch.argv)),)
    return tuple(_array_task(body, launch, number, extra) for number, extra in enumerate(body.tasks, start=1))


def _array_task(body: SubmitBody, launch: Launch, number: int, extra: dict[str, str]) -> Task:
    extra = dict(extra)
    argv = _own_argv(extra.pop(TASK_ARGV, None)) or launch.argv
    label = extra.get("ROTA_ARRAY_TASK", str(number))
    own = Launch(
        argv=argv,
        cwd=launch.cwd,
        environment={**launch.environment, **extra},
        umask=launch.umask,
        uid=launch.uid,
        gid=launch.gid,
        groups=launch.groups,
        output=launch.output,
    )
    return Task(f"{body.name or _name(argv)}_{label}", own, _shown(argv), label)


def _own_argv(written: str | None) -> tuple[str, ...]:
    if written is None:
        return ()
    try:
        argv = json.loads(written)
    except ValueError:
        argv = None
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) and "\0" not in word for word in argv):
        raise BadRequest(f"{TASK_ARGV} must be a command line as a JSON list of words.")
    return tuple(argv)


def _name(argv: tuple[str, ...]) -> str:
    """What a job is called when its member gave it no name: the script, not the interpreter."""
    argv = argv[: argv.index("-c")] if "-c" in argv[1:] else argv  # what follows -c is code, not a name
    words = [Path(word).name for word in argv if not word.startswith("-")]
    interpreters = ("python", "bash", "sh", "env", "torchrun", "accelerate", "uv")
    own = [word for word in words if not word.startswith(interpreters)]
    name = (own or words or ["job"])[0]
    return "".join(c if c.isprintable() else "?" for c in name)[:60] or "job"


def _shown(argv: tuple[str, ...]) -> str:
    line = " ".join(shlex.join(_without_text(argv)[:50]).split())
    line = "".join(c if c.isprintable() else "?" for c in line)
    return line if len(line) <= SHOWN_COMMAND else line[: SHOWN_COMMAND - 1] + "…"


def _without_text(argv: tuple[str, ...]) -> tuple[str, ...]:
    """A script that is handed over as text is shown by its name, which stands behind the text."""
    if "-c" not in argv[1:-2]:
        return argv
    place = argv.index("-c", 1)
    return argv[:place] + argv[place + 2 :] if "\n" in argv[place + 1] else argv


def _absolute(path: str | None, what: str) -> str | None:
    if path and not path.startswith("/"):
        raise BadRequest(f"{what} must be an absolute path over the API, and {path!r} is not.")
    return path or None


def _account(member: str, me: Member, peer: Peer | None, is_simulated: bool) -> tuple[int, int, tuple[int, ...]]:
    """uid, gid and groups that the job runs with. Members of a simulated laboratory need no account."""
    try:
        account = pwd.getpwnam(member) if member != me.name or peer is None else pwd.getpwuid(me.uid)
    except KeyError:
        if not is_simulated and member != me.name:
            raise BadRequest(f"There is no account {member!r} on this machine.") from None
        return me.uid, peer.gid if peer else os.getgid(), ()
    gid = peer.gid if peer and member == me.name else account.pw_gid
    return account.pw_uid, gid, tuple(os.getgrouplist(account.pw_name, gid))

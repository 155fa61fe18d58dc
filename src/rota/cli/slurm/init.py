"""`rota slurm init`: the files of a Slurm cluster, written into a folder. No host is changed."""

from __future__ import annotations

import json
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from rota.cli.main import json_option
from rota.cli.slurm.folder import check_folder, kept_key, write_files
from rota.cli.slurm.hosts import ask_hosts, say_host
from rota.errors import BadRequest
from rota.slurm.site.config import Site
from rota.slurm.site.files import KEY_BYTES, SiteFile, site_files
from rota.slurm.site.hosts import Host
from rota.slurm.site.join import Asked, agreed_uid, join_controller, join_host
from rota.slurm.site.notation import EXAMPLE, Stated, checked, parse_file, parse_hosts
from rota.slurm.site.notes import notes
from rota.slurm.site.script import host_names, script_name

SHOWN_MISTAKES = 3
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
_SETTING = re.compile(r"([A-Za-z]{3,60})=([^\n\r]*)", re.ASCII)
EPILOG = """\b
A host is asked over ssh what it has, if you can log in there without a password. What is known can be written instead:
  gpu1:h100:8                                   eight GPUs of type h100
  "gpu[01-12]:gpu=h100:8,cpus=64,memory=512G"   twelve hosts, nothing left to ask
FILE may be CSV (host,gpu,cpus,memory), TOML ([[hosts]] with name, gpu, cpus, memory), or have one host in each line.

\b
Examples:
  rota slurm init gpu1,gpu2,gpu3 --controller head
  rota slurm init localhost                     this machine alone
  rota slurm init --hosts servers.csv --out slurm-site
"""


@click.command("init", epilog=EPILOG)
@click.argument("hosts", metavar="HOST[,HOST...]", nargs=-1)
@click.option(
    "--hosts", "file", metavar="FILE", type=click.Path(path_type=Path), help="Read the hosts from this file as well"
)
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), default="slurm-site", show_default=True)
@click.option("--controller", metavar="HOST", help="Where Slurm's controller runs [default: the first host]")
@click.option("--cluster", metavar="NAME", default="lab", show_default=True, help="The cluster's name in records")
@click.option("--partition", metavar="NAME", default="gpu", show_default=True, help="The one list of nodes")
@click.option("--slurmdbd", metavar="HOST", help="Record jobs with the slurmdbd on this host, instead of in a file")
@click.option(
    "--autodetect",
    type=click.Choice(["nvml", "nvidia"]),
    help="Let slurmd find GPUs: nvml where its package has that plug-in (Debian's has not), nvidia from Slurm 24.11",
)
@click.option("--no-ssh", is_flag=True, help="Ask no other host; what is not written is guessed")
@click.option("--no-cgroup", is_flag=True, help="For hosts without control groups: nothing keeps jobs off others' GPUs")
@click.option(
    "--no-configless", is_flag=True, help="Give every host its own copy of slurm.conf, instead of fetching it"
)
@click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="A line of slurm.conf, added or instead of ours"
)
@click.option("--force", is_flag=True, help="Write again into a folder that is not empty; its munge key is kept")
@json_option
def init_command(hosts: tuple[str, ...], file: Path | None, as_json: bool, **options: Any) -> None:
    """Write what it takes to set up Slurm: configuration, munge key, and a script to run on each host.

    Everything goes into a folder. No host is changed, nor anything in /etc of this one.
    """
    stated = _stated(hosts, file)
    _check_names(options)
    is_new = check_folder(options["out"], options["force"])
    controller = str(options["controller"] or stated[0].where)
    asked = ask_hosts(_all_names(stated, controller), is_ssh_used=not options["no_ssh"], is_quiet=as_json)
    found = _join(stated, asked)
    facts = [answer.facts for answer in asked.values() if answer.facts is not None]
    site = Site(
        cluster=options["cluster"],
        controller=join_controller(controller, asked[controller]),
        hosts=found,
        partition=options["partition"],
        database=options["slurmdbd"] or "",
        has_cgroups=not options["no_cgroup"] and all(fact.has_cgroups for fact in facts),
        is_configless=not options["no_configless"],
        finds_gpus=options["autodetect"] or "",
        slurm_uid=agreed_uid(facts),
        overrides=_overrides(options["settings"]),
    )
    remarks = notes(found, stated, asked, site.cluster, site.slurm_uid)
    key = kept_key(options["out"]) or secrets.token_bytes(KEY_BYTES)
    files = list(site_files(site, key, remarks))
    write_files(options["out"], files, is_new=is_new)
    told = _told(site, options["out"], files, remarks)
    if as_json:
        click.echo(json.dumps(told))
    else:
        _show(told)


# --- what was asked for --------------------------------------------------------------------------


def _stated(words: Sequence[str], file: Path | None) -> tuple[Stated, ...]:
    hosts = list(parse_hosts(",".join(words))) if words else []
    if file is not None:
        try:
            hosts += parse_file(file.read_text(encoding="utf-8"), file.name)
        except (OSError, UnicodeDecodeError) as wrong:
            said = wrong.strerror if isinstance(wrong, OSError) else "it is no text in UTF-8"
            raise BadRequest(f"The hosts' file {file} cannot be read: {said}.") from None
    if not hosts:
        raise click.UsageError(f"Which hosts? {EXAMPLE}\nThis machine alone: rota slurm init localhost")
    return checked(hosts)


def _check_names(options: Mapping[str, Any]) -> None:
    for name in ("cluster", "partition"):
        if not _NAME.fullmatch(options[name]):
            raise click.UsageError(
                f"--{name} {options[name]!r}: at most 40 small letters, digits, - and _. Write --{name} gpu"
            )
    for name in ("controller", "slurmdbd"):
        given = options[name]
        if given is not None and [host.where for host in parse_hosts(given)] != [given]:
            raise click.UsageError(f"--{name} takes one host's name, and {given!r} is none.")


def _all_names(stated: Sequence[Stated], controller: str) -> list[str]:
    return list(dict.fromkeys([*(host.where for host in stated), controller]))


def _overrides(settings: Sequence[str]) -> dict[str, str]:
    given = {}
    for word in settings:
        match = _SETTING.fullmatch(word)
        if not match or match[1].lower() in ("nodename", "partitionname", "include"):
            raise click.UsageError(
                f"--set {word!r}: write it like --set SlurmdTimeout=120. Nodes are changed in the file."
            )
        given[match[1]] = match[2]
    return given


def _join(stated: Sequence[Stated], asked: Mapping[str, Asked]) -> tuple[Host, ...]:
    """Every host, or all that is unknown in one message."""
    found: dict[str, Host] = {}
    mistakes = []
    for written in stated:
        try:
            host = join_host(written, asked[written.where])
        except BadRequest as unknown:
            mistakes.append(str(unknown))
            continue
        if host.name in found:
            mistakes.append(f"{written.where} calls itself {host.name}, as another of the hosts does. Leave one out.")
        found[host.name] = host
    if mistakes:
        more = [f"and {len(mistakes) - SHOWN_MISTAKES} more hosts"] if len(mistakes) > SHOWN_MISTAKES else []
        raise BadRequest("\n".join([*mistakes[:SHOWN_MISTAKES], *more, "Nothing was written."]))
    return tuple(found.values())


# --- what is said --------------------------------------------------------------------------------


def _told(site: Site, folder: Path, files: Sequence[SiteFile], remarks: Sequence[str]) -> dict[str, Any]:
    first, *others = host_names(site)
    steps = [
        f"Read {folder}/INSTALL.md: it has every step, and what to do before the first.",
        f"Copy {folder} to {first}, the controller, and run there: sudo sh {script_name(first)}",
    ]
    if others:
        shown = ", ".join(others[:SHOWN_MISTAKES]) + (", ..." if len(others) > SHOWN_MISTAKES else "")
        steps.append(f"Then the same on each node, with its own script: {shown}")
    steps.append("See that all is well, on the controller: rota doctor --slurm")
    return {
        "folder": str(folder),
        "cluster": site.cluster,
        "controller": site.controller.name,
        "partition": site.partition,
        "hosts": [
            {
                "name": host.name,
                "address": host.address,
                "cpus": host.processors.cpus,
                "memory_mib": host.memory_mib,
                "job_memory_mib": host.job_memory_mib,
                "gpus": [{"type": kind.type, "count": kind.count} for kind in host.gpus],
                "guessed": list(host.guessed),
            }
            for host in site.hosts
        ],
        "files": [{"name": file.name, "what": file.what} for file in files],
        "notes": list(remarks),
        "next": steps,
    }


def _show(told: Mapping[str, Any]) -> None:
    click.echo(f"The cluster {told['cluster']}, with its controller on {told['controller']}:")
    for host in told["hosts"]:
        click.echo(f"  {say_host(host)}")
    click.echo(f"\nWritten to {told['folder']}; no host was changed:")
    width = max(len(file["name"]) for file in told["files"])
    for file in told["files"]:
        click.echo(f"  {file['name']:<{width}}  {file['what']}")
    if told["notes"]:
        click.echo(click.style("\nLook at these first:", fg="yellow"))
        for note in told["notes"]:
            click.echo(f"  - {note}")
    click.echo("\nWhat to do next, in this order:")
    for place, step in enumerate(told["next"], 1):
        click.echo(f"  {place}. {step}")
    sys.stdout.flush()

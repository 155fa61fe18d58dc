"""The folder through which Rota and a turn on a node talk: orders, notices, output, how it ended."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from rota.fleet.findings import Finding
from rota.fleet.mounts import is_shared
from rota.fleet.slurm_doctor.world import Site, World
from rota.slurm.config_answer import controllers


def turns_dir(world: World, site: Site, config: Mapping[str, str]) -> Iterator[Finding]:
    """Whether it is there, writable, and on a file system that nodes can have as well."""
    path = site.turns_dir
    if not path.is_absolute():
        yield Finding("turns_dir", False, f"{path} is no whole path", f'turns_dir = "{path.resolve()}" in rota.toml')
        return
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    if not os.access(there, os.W_OK | os.X_OK):
        text = f"{there} cannot be written by this account, so no turn can be handed over"
        yield Finding("turns_dir", False, text, f"ls -ld {there}; over NFS, root needs no_root_squash")
        return
    if site.post:
        yield Finding("turns_dir", True, f"{path}, of this machine alone: turns come over the line to {site.post}")
        return
    kind = world.file_system(there)
    if is_shared(kind):
        yield Finding("turns_dir", True, f"{path}, on {kind}")
        return
    is_one_machine = all(address in ("127.0.0.1", "localhost", "::1") for _, address in controllers(config))
    if is_one_machine:
        yield Finding("turns_dir", True, f"{path}, on {kind}: the whole cluster is this machine")
        return
    text = f"{path} is on {kind}, which other machines do not see: a turn on them would never begin"
    mend = '[slurm] turns_dir = "/shared/rota" in rota.toml; rota doctor --deep looks from the nodes'
    yield Finding("turns_dir", None, text, mend)

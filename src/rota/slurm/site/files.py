"""Every file of a site, with its mode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rota.slurm.site.config import Site, slurm_conf
from rota.slurm.site.gres import CGROUP_CONF, gres_conf
from rota.slurm.site.guide import install_guide
from rota.slurm.site.script import host_names, install_script, script_name

KEY = "munge.key"
KEY_BYTES = 128  # mungekey(8) makes as many: 1024 bits


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A file to be written."""

    name: str
    content: bytes
    mode: int
    what: str  #: for a person, in a few words


def site_files(site: Site, key: bytes, notes: Sequence[str]) -> Iterator[SiteFile]:
    """All of them; `key`: KEY_BYTES of randomness."""
    yield SiteFile("INSTALL.md", install_guide(site, notes).encode(), 0o644, "what to do, in order: begin here")
    yield SiteFile("slurm.conf", slurm_conf(site).encode(), 0o644, "how the cluster is; every line says why")
    yield SiteFile("gres.conf", gres_conf(site).encode(), 0o644, "which device files are which GPUs")
    cgroup = CGROUP_CONF if site.has_cgroups else NO_CGROUP_CONF
    yield SiteFile("cgroup.conf", cgroup.encode(), 0o644, "what keeps jobs off each other's GPUs")
    yield SiteFile(KEY, key, 0o400, "the hosts' shared secret: for root's eyes only")
    for name in host_names(site):
        yield SiteFile(script_name(name), install_script(site, name).encode(), 0o755, f"what to run on {name}")


NO_CGROUP_CONF = "# cgroup.conf: empty, because control groups were not found on every host.\n"

"""What a site may set for its turns in Slurm."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rota.engines.turn_folder.settings import KeeperSettings


@dataclass(frozen=True, slots=True)
class SlurmSite:
    """[slurm] of rota.toml, as far as the engine reads it."""

    turns_dir: Path  #: on a file system that the daemon and every node have under this path; with `post`: the daemon's
    partition: str = ""  #: "": Slurm's default one
    python: str = "python3"  #: on the nodes
    options: tuple[str, ...] = ()  #: further options of sbatch
    poll_s: float = 2.0  #: between two questions to Slurm, at least
    post: str = ""  #: "HOST:PORT" where couriers find the daemon; "": no couriers, `turns_dir` is shared
    node_dir: Path = Path("/var/tmp")  #: with `post`: for the turns' folders on the nodes
    fence_s: float = 20.0  #: a keeper that gave no sign of life for so long is dead; it gives one every second
    leaves_s: float = 30.0  #: a turn that has ended, from Slurm, with an epilog of the site's
    patience_s: float = 60.0  #: a turn that Slurm does not begin for so long goes back to the list
    keeper: KeeperSettings = field(default_factory=KeeperSettings)

"""The cluster as the engine uses it: one listing for all turns, and sbatch and scancel for one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from rota.domain.gpus import Fleet
from rota.engines.contract import StartOrder
from rota.engines.keeper import files
from rota.engines.keeper.courier import NEWS
from rota.engines.keeper.order import TurnOrder
from rota.engines.slurm import held
from rota.engines.slurm.name import comment_prefix, site_id
from rota.engines.slurm.parcel import LIBRARY, carrying_script, node_folder, node_name, site_secret
from rota.engines.slurm.settings import SlurmSite
from rota.engines.slurm.submit import OUTPUT, batch_script, batch_words, gres
from rota.engines.turn_folder.orders import turn_order
from rota.errors import EngineUnavailable
from rota.slurm import listing, partition
from rota.slurm.commands import Run, SlurmRefused, SlurmUnavailable
from rota.slurm.listing import Listed

IDLE_POLLS = 5  # without a turn, Slurm is asked so many times less often
MOST_OF_A_CORE = 0.04  # a listing of thousands of jobs costs something: the rest after it is in proportion
LIMITS_FOR_S = 600.0  # the partition's limit is asked anew after this


class Cluster:
    """Slurm's answers, kept from one question to the next."""

    def __init__(self, site: SlurmSite, fleet: Fleet, run: Run, library: Path, monotonic: Callable[[], float]) -> None:
        self._site, self._fleet, self._run, self._library, self._monotonic = site, fleet, run, library, monotonic
        self._is_root = os.geteuid() == 0
        self._site_id, self._secret = "", b""
        self._by_turn: dict[str, list[Listed]] = {}
        self._cost_s = 0.0
        self._limit: tuple[float, float | None] | None = None  #: when it was asked, and what it is
        self.asked_at = float("-inf")  #: monotonic: when the present listing was asked for

    def find_site(self) -> None:
        """Who we are to Slurm. Raises EngineUnavailable."""
        self._site_id = site_id(self._site.turns_dir)
        if self._site.post:
            self._secret = site_secret(self._site.turns_dir)

    # --- asking -------------------------------------------------------------------------------

    def is_due(self, has_turns: bool, is_urgent: bool) -> bool:
        """Whether to ask for the listing now."""
        rest_s = max(self._site.poll_s * (1 if has_turns else IDLE_POLLS), self._cost_s / MOST_OF_A_CORE)
        if is_urgent:
            rest_s = min(rest_s, self._site.poll_s)
        return self._monotonic() - self.asked_at >= rest_s

    def ask(self) -> None:
        """The listing of our turns' jobs. Raises SlurmUnavailable, SlurmRefused."""
        prefix = comment_prefix(self._site_id)
        began = self._monotonic()
        text = self._run(listing.words(self._is_root), "")
        by_turn: dict[str, list[Listed]] = {}
        for job in listing.parse_listing(text, prefix):
            by_turn.setdefault(job.comment.removeprefix(prefix).strip(), []).append(job)
        self._by_turn, self.asked_at = by_turn, began
        self._cost_s = self._monotonic() - began

    def listed(self, turn: str, job: int | None) -> Listed | None:
        """The turn's job; one that is too many, because sbatch was slow to answer, is sent away."""
        jobs = self._by_turn.get(turn, [])
        found = next((one for one in jobs if one.id == job), None)
        for other in jobs:
            if other.id != job and job is not None and other.is_pending:
                with contextlib.suppress(EngineUnavailable):
                    self.cancel(other.id)
        return found

    # --- telling ------------------------------------------------------------------------------

    def hand_over(self, order: StartOrder, folder: Path) -> int:
        """Submit the turn, at most once; Slurm's number of it. Raises SlurmUnavailable, SlurmRefused."""
        if gres(order.gpus) is None:
            raise SlurmRefused(f"Slurm cannot be asked for turn {order.turn}: its nodes would give different GPUs.", "")
        if (folder / held.HANDING_OVER).exists() and (found := self._by_turn.get(order.turn)):
            return self._note(folder, found[0].id)
        limit_s = self._limit_s()
        output, script = self._carried(order, folder) if self._site.post else self._shared(order, folder)
        words = batch_words(order, output, self._site_id, self._site, self._fleet, limit_s, self._is_root)
        said = self._run(words, script)
        number = said.strip().splitlines()[-1].partition(";")[0] if said.strip() else ""
        if not number.isdigit():
            raise SlurmUnavailable(f"sbatch answered no number: {said[:80]!r}")
        return self._note(folder, int(number))

    def cancel(self, job: int) -> None:
        """End a Slurm job; one that is over is no mistake. Raises SlurmUnavailable."""
        with contextlib.suppress(SlurmRefused):
            self._run(["scancel", "--quiet", str(job)], "")

    def nudge(self, job: int) -> None:
        """Have a keeper look into its folder now."""
        with contextlib.suppress(EngineUnavailable):
            self._run(["scancel", "--quiet", "--signal=USR1", "--batch", str(job)], "")

    def _note(self, folder: Path, job: int) -> int:
        files.write_json(str(folder / held.JOB), {"job": job}, is_durable=True)
        return job

    def _limit_s(self) -> float | None:
        now = self._monotonic()
        if self._limit is None or now - self._limit[0] > LIMITS_FOR_S:
            self._limit = now, partition.longest_s(self._run(partition.words(self._site.partition), ""))
        return self._limit[1]

    # --- the turn's folder --------------------------------------------------------------------

    def where_it_says(self, turn: str) -> str:
        """Where a script's own words are when they do not come to us."""
        return f"see {self._output(turn)} on its node" if self._site.post else ""

    def _shared(self, order: StartOrder, folder: Path) -> tuple[Path, str]:
        """The script's output, and the script. The folder is the member's own, since the keeper is their process."""
        uid, gid = (order.launch.uid, order.launch.gid) if self._is_root else (-1, -1)
        written = turn_order(order, folder, self._library, self._site.keeper, is_in_slurm=True)
        self._make_folder(written, folder, uid, gid)
        return folder / OUTPUT, batch_script(folder, self._library, self._site.python)

    def _carried(self, order: StartOrder, folder: Path) -> tuple[Path, str]:
        """The same where nodes do not see our folder, which is ours alone then: theirs is another one."""
        there = node_folder(order, self._site, node_name(self._site_id, self._secret, order.turn))
        news = there / NEWS
        written = turn_order(order, there, there / LIBRARY, self._site.keeper, wake_socket=news, is_in_slurm=True)
        output = self._output(order.turn)
        script = carrying_script(written, there, self._library, self._site, self._secret, output)
        self._make_folder(written, folder, -1, -1)
        return output, script

    def _output(self, turn: str) -> Path:
        return self._site.node_dir / f"{node_name(self._site_id, self._secret, turn)}.out"

    def _make_folder(self, written: TurnOrder, folder: Path, uid: int, gid: int) -> None:
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            os.chown(folder, uid, gid)
            files.write_json(str(folder / files.ORDER), written.to_json(), is_durable=True, mode=0o600)
            os.chown(folder / files.ORDER, uid, gid)
            files.write_json(str(folder / held.HANDING_OVER), {}, is_durable=True)
        except OSError as failed:
            raise EngineUnavailable(f"The turn's folder {folder} cannot be made: {failed.strerror}.") from failed

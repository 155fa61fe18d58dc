"""The Slurm engine: hands turns over to Slurm, and hears of them from Slurm and from their folders.

Everything that may wait (Slurm's commands, a shared file system) is done by one worker beside the daemon's loop, in
rounds: take orders, ask Slurm, hand over, tell ends, look at each turn. `poll` is one round.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from rota.domain.gpus import Fleet
from rota.engines.contract import Ended, EndOrder, EngineEvent, Patience, StartOrder
from rota.engines.keeper import files
from rota.engines.keeper.order import EndWish
from rota.engines.slurm.cluster import Cluster
from rota.engines.slurm.held import HANDING_OVER, JOB, Held
from rota.engines.slurm.judge import Act, act_on, why_lost, why_not_begun
from rota.engines.slurm.post import Post
from rota.engines.slurm.settings import SlurmSite
from rota.engines.slurm.trust import as_slurm_allows
from rota.engines.turn_folder import reports
from rota.engines.turn_folder.library import install_keeper, install_library
from rota.errors import EngineUnavailable
from rota.slurm.commands import Run, SlurmRefused, SlurmUnavailable
from rota.slurm.listing import Listed

log = structlog.get_logger()

CLOSE_S = 0.15  # between two rounds while a turn begins or ends
ROUND_S = 1.0  # otherwise; keepers say each second that they live
AWAY_S = 2.0  # between two questions to a Slurm that does not answer


class SlurmEngine:
    """Keeps the contract of engines/contract.py with jobs of a Slurm cluster."""

    def __init__(
        self,
        site: SlurmSite,
        fleet: Fleet,
        run: Run,
        clock: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.site, self._clock, self._monotonic = site, clock, monotonic
        self.wake: Callable[[], None] = lambda: None
        self._library = site.turns_dir / "lib"
        self._cluster = Cluster(site, fleet, run, self._library, monotonic)
        self._inbox: deque[Callable[[], None]] = deque()
        self._events: deque[EngineEvent] = deque()
        self._held: dict[str, Held] = {}
        self._leaving: dict[str, tuple[int, float]] = {}  #: turns that have ended: Slurm's job, and since when
        self._away: tuple[float, str] | None = None  #: since when Slurm does not answer, and what it says
        self._is_installed = False
        self._kick, self._is_stopping = threading.Event(), False
        self._post = Post(site, self._held.__contains__, self._kick.set) if site.post else None
        self._worker: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # --- the contract -------------------------------------------------------------------------

    def start(self, order: StartOrder) -> None:
        if trouble := self.trouble():
            raise EngineUnavailable(trouble)
        self._order(lambda: self._take(order))

    def end(self, order: EndOrder) -> None:
        self._order(lambda: self._wish(order))

    def adopt(self, order: StartOrder, was_started: bool) -> None:
        self._order(lambda: self._take_again(order, was_started))

    def events(self) -> Sequence[EngineEvent]:
        return [self._events.popleft() for _ in range(len(self._events))]

    def trouble(self) -> str:
        if self._away is None:
            return ""
        since, why = self._away
        return (
            f"The engine (Slurm) is unreachable since {time.strftime('%d %b %H:%M:%S', time.localtime(since))}: {why}"
        )

    # --- the worker ---------------------------------------------------------------------------

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Work beside this loop, and call `wake` in it on news."""
        self._loop = loop
        self._worker = threading.Thread(target=self._work, name="slurm", daemon=True)
        self._worker.start()

    def detach(self) -> None:
        """Let go of everything; turns go on in Slurm's hands."""
        self._is_stopping = True
        self._kick.set()
        if self._worker is not None:
            self._worker.join(timeout=self.site.poll_s + 3)
        if self._post is not None:
            self._post.stop()
        self._loop = None

    def _work(self) -> None:
        while not self._is_stopping:
            self._kick.clear()
            try:
                rest_s = self.poll()
            except Exception as failed:  # a full disk, a dead file system: turns go on, and it is tried again
                log.exception("defect", step="slurm")
                self._set_away(f"{type(failed).__name__}: {failed}")
                rest_s = AWAY_S
            self._kick.wait(rest_s)

    def poll(self) -> float:
        """One round; how long to rest after it, in seconds."""
        self._install()
        while self._inbox:
            self._inbox.popleft()()
        self._ask_slurm()
        for held in list(self._held.values()):
            if self._away is None and held.handed_over_at is None:
                self._hand_over(held)
            self._look_whatever_it_wrote(held)
        if self._away is None and self._leaving:
            self._see_off()
        if self._away is not None:
            return AWAY_S
        is_close = any(not held.begun or held.end is not None for held in self._held.values())
        return CLOSE_S if is_close else ROUND_S

    def _order(self, order: Callable[[], None]) -> None:
        self._inbox.append(order)
        self._kick.set()

    def _tell(self, *events: EngineEvent) -> None:
        self._events.extend(events)
        self._wake_daemon()

    def _wake_daemon(self) -> None:
        if self._loop is not None and not self._is_stopping:
            with contextlib.suppress(RuntimeError):  # the loop has just been closed
                self._loop.call_soon_threadsafe(self.wake)

    # --- orders -------------------------------------------------------------------------------

    def _take(self, order: StartOrder) -> None:
        """A turn to hold from now on; what its folder says decides whether it is still to be handed over."""
        if order.turn in self._held:
            return
        held = Held(order, self.site.turns_dir / order.turn)
        held.look(self._monotonic())
        number = reports.read(held.folder, JOB).get("job")
        if held.begun or isinstance(number, int):
            held.job = held.job or number
            held.handed_over_at = self._monotonic()
        self._held[order.turn] = held

    def _take_again(self, order: StartOrder, was_started: bool) -> None:
        folder = self.site.turns_dir / order.turn
        # Without begun.json it may still be pending, or be seen late through the file system: Slurm knows.
        if was_started and not (folder / files.ORDER).exists():
            error = "Its folder is gone, so nothing is known of it."
            self._tell(Ended(order.turn, self._clock(), 0.0, error=error, is_lost=True))
            return
        self._take(order)

    def _wish(self, end: EndOrder) -> None:
        held = self._held.get(end.turn)
        if held is not None:
            held.wish(end, self._monotonic())
            self._tell_end(held)

    # --- Slurm --------------------------------------------------------------------------------

    def _ask_slurm(self) -> None:
        """The listing, when it is due; it also shows that Slurm answers."""
        is_urgent = any(held.handed_over_at is None for held in self._held.values())
        if not self._cluster.is_due(bool(self._held), self._away is not None or is_urgent):
            return
        try:
            self._cluster.ask()
        except EngineUnavailable as failed:
            self._set_away(str(failed))
        else:
            if self._is_installed:
                self._set_back()

    def _hand_over(self, held: Held) -> None:
        if held.end is not None and not (held.folder / HANDING_OVER).exists():
            self._let_go(held, Ended(held.order.turn, self._clock(), 0.0, was_terminated=True))
            return
        try:
            held.job = self._cluster.hand_over(held.order, held.folder)
        except SlurmRefused as refused:
            self._let_go(held, Ended(held.order.turn, self._clock(), 0.0, error=str(refused), is_lost=True))
        except EngineUnavailable as failed:
            self._set_away(str(failed))
        else:
            held.handed_over_at = self._monotonic()

    def _set_away(self, why: str) -> None:
        if self._away is None:
            log.warning("slurm away", why=why)
            self._away = (self._clock(), why)
            self._wake_daemon()

    def _set_back(self) -> None:
        if self._away is not None:
            log.info("slurm back", after_s=round(self._clock() - self._away[0], 1))
            self._away = None
            self._wake_daemon()

    # --- looking ------------------------------------------------------------------------------

    def _look_whatever_it_wrote(self, held: Held) -> None:
        """The folder is its member's own: what stands there must not stop the turns of others."""
        try:
            self._look(held)
        except (ValueError, TypeError, LookupError, AttributeError) as failed:
            log.warning("damaged", turn=held.order.turn, why=repr(failed))
            listed = self._cluster.listed(held.order.turn, held.job)
            if listed is not None and not listed.is_over and self._away is None:
                self._cancel(held)
            elif self._away is None and self._cluster.asked_at > (held.handed_over_at or 0.0):
                error = "What its keeper wrote cannot be read."
                self._let_go(
                    held, Ended(held.order.turn, self._clock(), 0.0, error=error, is_lost=True), has_news=False
                )

    def _look(self, held: Held) -> None:
        """What is new of a turn, and what follows."""
        now = self._monotonic()
        held.look(now)
        if held.begun:
            self._tell_news(held)
            self._tell_end(held)
        written = reports.read(held.folder, files.EXIT)
        if written:
            listed = self._cluster.listed(held.order.turn, held.job)
            age_s = now - self._cluster.asked_at
            self._let_go(held, as_slurm_allows(reports.ended(held.order.turn, written), listed, age_s, self._clock()))
            return
        # What Slurm said before the turn was handed over, or a while ago, says nothing of it.
        if self._away is not None or held.handed_over_at is None or self._cluster.asked_at <= held.handed_over_at:
            return
        listed = self._cluster.listed(held.order.turn, held.job)
        sight = held.sight(listed, now, has_exit=False)
        site = self.site
        self._do(
            act_on(sight, fence_s=site.fence_s, patience_s=site.patience_s, term_s=site.keeper.term_s), held, listed
        )

    def _do(self, act: Act, held: Held, listed: Listed | None) -> None:
        match act:
            case Act.CANCEL if held.job is not None and not held.is_cancelled:
                if held.end is None:
                    held.cancel_reason = f"Slurm did not begin it in time ({listed.reason if listed else 'unknown'})."
                self._cancel(held)
            case Act.FENCE:
                held.wish(EndOrder(held.order.turn, Patience.AT_ONCE, why="its node was given up"), self._monotonic())
                self._tell_end(held)
            case Act.LOST:
                self._cancel(held)
                lost = reports.lost(held.order.turn, held.folder, held.last_sign_of_life(), why_lost(listed))
                self._keep(held, lost)
            case Act.NEVER_BEGAN:
                self._keep(held, self._unbegun(held, listed))

    def _unbegun(self, held: Held, listed: Listed | None) -> Ended:
        """Cancelled before it began, by us or somebody: nothing is lost; a job that dies at once is suspected."""
        is_ours = held.end is not None or held.is_cancelled
        said = held.said() or self._cluster.where_it_says(held.order.turn)
        error = held.cancel_reason if is_ours else why_not_begun(listed, said)
        return Ended(held.order.turn, self._clock(), 0.0, was_terminated=is_ours, error=error, is_lost=not is_ours)

    def _cancel(self, held: Held) -> None:
        held.is_cancelled = True
        if held.job is not None:
            try:
                self._cluster.cancel(held.job)
            except SlurmUnavailable as failed:
                held.is_cancelled = False
                self._set_away(str(failed))

    def _tell_news(self, held: Held) -> None:
        state: dict[str, Any] = reports.read(held.folder, files.STATE)
        if state and state != held.told:
            self._tell(*reports.news(held.order.turn, held.told, state))
            held.told = state

    def _tell_end(self, held: Held) -> None:
        """end.json, and a signal so that it is looked at now; the keeper looks each second anyway."""
        if held.end is None or held.end == held.end_told or not held.begun:
            return
        wish = EndWish(held.end.patience is Patience.AT_ONCE, held.end.grace_s, held.end.why)
        files.write_json(str(held.folder / files.END), wish.to_json(), is_durable=False)
        held.end_told = held.end
        if held.job is not None and self._away is None:
            self._cluster.nudge(held.job)

    def _keep(self, held: Held, ended: Ended) -> None:
        """Write an end in the keeper's name, so that a daemon after us tells the same, and let go."""
        path = held.folder / files.EXIT
        if not path.exists():
            files.write_json(str(path), reports.as_written(ended), is_durable=True)
        self._let_go(held, ended)

    def _let_go(self, held: Held, ended: Ended, has_news: bool = True) -> None:
        if has_news:
            self._tell_news(held)
        self._held.pop(held.order.turn, None)
        if held.job is not None and not held.is_cancelled:
            self._leaving[held.order.turn] = held.job, self._monotonic()
        self._tell(ended)

    def _see_off(self) -> None:
        """A keeper's last act is to write the end, and its Slurm job goes with it; one that stays has not ended."""
        now = self._monotonic()
        for turn, (job, since) in list(self._leaving.items()):
            if now - since < self.site.leaves_s or self._cluster.asked_at - since < self.site.leaves_s / 2:
                continue
            listed = self._cluster.listed(turn, job)
            if listed is not None and not listed.is_over:
                log.warning("still there", turn=turn, slurm_job=job)
                self._cluster.cancel(job)
            del self._leaving[turn]

    # --- places -------------------------------------------------------------------------------

    def _install(self) -> None:
        if self._is_installed:
            return
        try:
            install_library(self._library)
            install_keeper(self._library)
            self._cluster.find_site()
            if self._post is not None:
                self._post.start()
        except EngineUnavailable as failed:
            self._set_away(str(failed))
        else:
            self._is_installed = True

"""`python -m rota.server`: puts the parts together and serves until it is told to stop. `rota up` becomes this."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from rota.api.app import create_app
from rota.api.identity import Identity
from rota.api.site import Site
from rota.api.standby import create_standby
from rota.daemon.core import Core
from rota.daemon.forecasting.service import forecast_service
from rota.daemon.laboratory import Grace, Laboratory
from rota.daemon.leading import keep_leading
from rota.daemon.lock import hold_state_dir
from rota.daemon.service import Service
from rota.daemon.watch import look_first, watch
from rota.engines.turn_folder.logs import log_reader
from rota.errors import BadSettings, NotLeader, RotaError
from rota.front import Front, web_socket
from rota.settings import Settings, check_stated, load_settings
from rota.standby import Standby, begin_again, until_leading
from rota.store.contract import Store
from rota.store.open import sqlite_url
from rota.store.sql import SqlStore
from rota.timetable import check_reservations
from rota.turning import Turning, find_turning
from rota.web.pages import router, standby_router

log = structlog.get_logger()

#: The same at every start: a forecast changes because of news, not because the daemon was restarted.
FORECAST_SEED = 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """The command line of `rota up`."""

    state_dir: Path
    simulate: str | None
    slurm: bool
    config: Path
    web: str | None
    no_web: bool
    store: str | None


def main() -> None:
    """Serve; every failure on the way is one sentence on stderr and the exit code of design.md."""
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        asyncio.run(_serve(_read_command_line(), sys.stdout.isatty()))
    except RotaError as failed:
        print(f"rota: {failed}", file=sys.stderr)
        sys.exit(failed.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def _read_command_line() -> Wanted:
    parser = argparse.ArgumentParser(prog="rota up")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--simulate")
    parser.add_argument("--slurm", action="store_true")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--web")
    parser.add_argument("--no-web", action="store_true")
    parser.add_argument("--store")
    given = parser.parse_args()
    config = given.state / "rota.toml" if given.config is None else check_stated(given.config)
    return Wanted(given.state.absolute(), given.simulate, given.slurm, config, given.web, given.no_web, given.store)


async def _serve(wanted: Wanted, is_terminal: bool) -> None:
    """The whole life of a daemon: first it may stand by, then it leads."""
    settings = load_settings(wanted.config)
    _make_state_dir(wanted.state_dir)
    lock = hold_state_dir(wanted.state_dir)
    store_url = wanted.store or settings.store.url or sqlite_url(wanted.state_dir)
    standby = Standby(store_url, time.time)
    meanwhile = create_standby(standby.said, standby_router(standby.said))
    front = Front(wanted.state_dir, _web_socket(wanted, settings), meanwhile)
    try:
        store = await until_leading(standby, front)
        if store is not None:
            await _lead(wanted, _settings_now(wanted, settings), store, front, is_terminal)
    except NotLeader as lost:
        begin_again(lost)
    finally:
        await front.close()
        os.close(lock)


async def _lead(wanted: Wanted, settings: Settings, store: SqlStore, front: Front, is_terminal: bool) -> None:
    """As the one daemon that writes this record, until it is told to stop. Raises NotLeader when another one is."""
    try:
        # Who waits for Slurm says nothing to the database, and in the end another leads, whom Slurm may answer.
        turning = await front.unless_stopped(
            find_turning(wanted.simulate, wanted.slurm, settings, wanted.state_dir, store.surely_leads)
        )
        if turning is None:
            return
        service = _make_service(turning, settings, store)
        turning.engine.attach(asyncio.get_running_loop())
        try:
            service.core.recover(service.clock())
            if turning.look is not None:
                look_first(service.core, turning.look, service.clock())
            site = _make_site(wanted, settings, store, service, front, turning)
            await _run(site, turning, wanted, front, is_terminal)
        finally:
            turning.engine.detach()
    finally:
        store.close()


def _make_site(
    wanted: Wanted, settings: Settings, store: SqlStore, service: Service, front: Front, turning: Turning
) -> Site:
    forecasting = None
    if settings.forecast.enabled:
        forecasting = forecast_service(service, seed=FORECAST_SEED, monotonic=time.monotonic)
    return Site(
        service=service,
        identity=Identity(os.geteuid(), frozenset(settings.access.admins), store, service.clock),
        name=settings.web.name,
        state_dir=str(wanted.state_dir),
        store_name=store.kind,
        role="leader" if store.may_lose_lead else "alone",
        turns_dir=str(turning.turns_dir),
        read_log=log_reader(turning.turns_dir),
        clock=service.clock,
        web_url=front.web_url,
        forecasting=forecasting,
    )


def _make_service(turning: Turning, settings: Settings, store: Store) -> Service:
    laboratory = Laboratory(turning.fleet, store, settings.rules(), Grace())
    _take_settings(settings, laboratory)
    service = Service(Core(laboratory, turning.engine), time.time)
    turning.engine.wake = service.wake
    return service


def _take_settings(settings: Settings, laboratory: Laboratory) -> None:
    """Put the settings into force. Raises BadSettings, and then nothing has changed."""
    reservations = tuple(written.value() for written in settings.reservations)
    check_reservations(reservations, laboratory.fleet)
    laboratory.rules = settings.rules()
    laboratory.grace = Grace(settings.turns.grace_s, settings.turns.grace_max_s)
    laboratory.bounds = settings.turns.bounds()
    laboratory.reservations = reservations
    laboratory.deadlines = tuple(written.value() for written in settings.deadlines)


async def _run(site: Site, turning: Turning, wanted: Wanted, front: Front, is_terminal: bool) -> None:
    """Serve the API and run the daemon's loop until a signal says stop."""
    work = asyncio.create_task(site.service.run())
    beside = [asyncio.create_task(watch(site.service, turning.look, turning.look_every_s))] if turning.look else []
    if site.role == "leader":
        beside.append(asyncio.create_task(keep_leading(site.service)))
    if site.forecasting is not None:
        beside.append(asyncio.create_task(site.forecasting.run()))

    def close_pages() -> None:
        site.is_closing = True
        site.service.tell_watchers()

    front.before_stop = close_pages
    front.show(create_app(site, router(site.identity.is_signed_in)))
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, site, wanted)
    _welcome(site, is_terminal)
    try:
        await front.while_open(work)
    finally:
        await front.close()
        site.service.stop()
        for task in beside:
            task.cancel()
        if beside:
            await asyncio.wait(beside)
        await work
        _farewell(site)


def _settings_now(wanted: Wanted, at_start: Settings) -> Settings:
    """Those of the file when this daemon begins to lead, for which it may have waited weeks.

    A mistake that got in meanwhile must not be why nobody leads: then those of its start hold.
    """
    try:
        return load_settings(wanted.config)
    except RotaError as wrong:
        log.warning("settings not taken", why=str(wrong))
        return at_start


def _reload(site: Site, wanted: Wanted) -> None:
    """SIGHUP: take the settings anew; a mistake leaves the old ones in force."""
    core = site.core
    try:
        settings = load_settings(wanted.config)
        _take_settings(settings, core.laboratory)
    except RotaError as wrong:
        log.warning("settings not taken", why=str(wrong))
        core.trouble["settings"] = f"The settings file was not taken: {wrong}"
        return
    core.trouble.pop("settings", None)
    core.weigh_anew(site.clock())
    site.identity.admins = frozenset(settings.access.admins)
    site.name = settings.web.name
    log.info("settings taken", file=str(wanted.config), quantum_s=core.rules.quantum_s)
    site.service.wake()


# --- sockets and folders -------------------------------------------------------------------------


def _make_state_dir(state_dir: Path) -> None:
    """Root's is open to every member's eyes (the socket is in it), another's is private."""
    try:
        if not state_dir.exists():
            state_dir.mkdir(parents=True, mode=0o755 if os.geteuid() == 0 else 0o700)
        (state_dir / "turns").mkdir(exist_ok=True)
    except OSError as failed:
        raise BadSettings(
            f"The state folder {state_dir} cannot be used: {failed.strerror}. Choose another: --state DIR"
        ) from None


def _web_socket(wanted: Wanted, settings: Settings) -> socket.socket | None:
    if wanted.no_web or not settings.web.enabled:
        return None
    is_default = wanted.web is None and "listen" not in settings.web.model_fields_set
    return web_socket(wanted.web or settings.web.listen, is_default)


def _welcome(site: Site, is_terminal: bool) -> None:
    """What to type next, for the person at the terminal."""
    fleet = site.core.laboratory.fleet
    kind = "simulated " if fleet.is_simulated else ""
    print(f"Rota serves {len(fleet.gpus)} {kind}GPUs ({', '.join(fleet.tiers)}) from {site.state_dir}", flush=True)
    if is_terminal:
        state = f" --state {site.state_dir}" if "ROTA_STATE" not in os.environ else ""
        print(f"  a job:     rota run{state} -- python train.py\n  the list:  rota list{state}", flush=True)
        if site.web_url:
            print(f"  the page:  rota web{state}", flush=True)


def _farewell(site: Site) -> None:
    """A daemon that stops does not stop turns; who stopped it should know."""
    turns = len(site.core.books.turns)
    if turns:
        print(
            f"Rota stops; {turns} {'turn goes' if turns == 1 else 'turns go'} on. rota up finds them again.", flush=True
        )


if __name__ == "__main__":
    main()

"""`python -m rota.server`: puts the parts together and serves until it is told to stop. `rota up` becomes this."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn

from rota.api.app import create_app
from rota.api.identity import Identity
from rota.api.peers import PeerProtocol
from rota.api.site import Site
from rota.daemon.core import Core
from rota.daemon.forecasting.service import forecast_service
from rota.daemon.laboratory import Grace, Laboratory
from rota.daemon.lock import hold_state_dir
from rota.daemon.service import Service
from rota.daemon.watch import watch_health
from rota.engines.local.engine import KeeperSettings, LocalEngine
from rota.engines.turn_folder.logs import log_reader
from rota.errors import BadSettings, RotaError
from rota.fleet.inventory import find_fleet
from rota.settings import Settings, check_stated, load_settings
from rota.sockets import short_path
from rota.store.contract import Store
from rota.store.open import open_store, sqlite_url
from rota.timetable import check_reservations
from rota.web.pages import router

log = structlog.get_logger()

#: The same at every start: a forecast changes because of news, not because the daemon was restarted.
FORECAST_SEED = 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """The command line of `rota up`."""

    state_dir: Path
    simulate: str | None
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
    parser.add_argument("--config", type=Path)
    parser.add_argument("--web")
    parser.add_argument("--no-web", action="store_true")
    parser.add_argument("--store")
    given = parser.parse_args()
    config = given.state / "rota.toml" if given.config is None else check_stated(given.config)
    return Wanted(given.state.absolute(), given.simulate, config, given.web, given.no_web, given.store)


async def _serve(wanted: Wanted, is_terminal: bool) -> None:
    """The whole life of a daemon."""
    settings = load_settings(wanted.config)
    _make_state_dir(wanted.state_dir)
    lock = hold_state_dir(wanted.state_dir)
    store_url = wanted.store or settings.store.url
    store = open_store(store_url or sqlite_url(wanted.state_dir))
    service, engine = _make_service(wanted, settings, store)
    engine.attach(asyncio.get_running_loop())
    service.core.recover(service.clock())
    forecasting = None
    if settings.forecast.enabled:
        forecasting = forecast_service(service, seed=FORECAST_SEED, monotonic=time.monotonic)
    web_socket = _web_socket(wanted, settings)
    site = Site(
        service=service,
        identity=Identity(os.geteuid(), frozenset(settings.access.admins), store, service.clock),
        name=settings.web.name,
        state_dir=str(wanted.state_dir),
        store_name="PostgreSQL" if store_url.startswith("postgres") else "SQLite",
        read_log=log_reader(wanted.state_dir),
        clock=service.clock,
        web_url=_web_url(web_socket),
        forecasting=forecasting,
    )
    try:
        await _run(site, wanted, [_unix_socket(wanted.state_dir), *([web_socket] if web_socket else [])], is_terminal)
    finally:
        engine.detach()
        store.close()
        with contextlib.suppress(FileNotFoundError):
            (wanted.state_dir / "rota.sock").unlink()
        os.close(lock)


def _make_service(wanted: Wanted, settings: Settings, store: Store) -> tuple[Service, LocalEngine]:
    turns = settings.turns
    keeper = KeeperSettings(turns.term_s, turns.settle_s, turns.log_keep_bytes)
    engine = LocalEngine(wanted.state_dir, clock=time.time, settings=keeper)
    laboratory = Laboratory(find_fleet(wanted.simulate, settings.tiers.order), store, settings.rules(), Grace())
    _take_settings(settings, laboratory)
    service = Service(Core(laboratory, engine), time.time)
    engine.wake = service.wake
    return service, engine


def _take_settings(settings: Settings, laboratory: Laboratory) -> None:
    """Put the settings into force. Raises BadSettings, and then nothing has changed."""
    reservations = tuple(written.value() for written in settings.reservations)
    check_reservations(reservations, laboratory.fleet)
    laboratory.rules = settings.rules()
    laboratory.grace = Grace(settings.turns.grace_s, settings.turns.grace_max_s)
    laboratory.bounds = settings.turns.bounds()
    laboratory.reservations = reservations
    laboratory.deadlines = tuple(written.value() for written in settings.deadlines)


async def _run(site: Site, wanted: Wanted, sockets: list[socket.socket], is_terminal: bool) -> None:
    """Serve the API and run the daemon's loop until a signal says stop."""
    app = create_app(site, router(site.identity.is_signed_in))
    config = uvicorn.Config(
        app, http=PeerProtocol, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(config)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        site.is_closing = True
        site.service.tell_watchers()
        server.should_exit = True

    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # ours tell the pages first
    work = asyncio.create_task(site.service.run())
    beside = [asyncio.create_task(watch_health(site.service))]
    if site.forecasting is not None:
        beside.append(asyncio.create_task(site.forecasting.run()))
    serving = asyncio.create_task(server._serve(sockets))  # serve() would take the signals for itself
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, stop)
    loop.add_signal_handler(signal.SIGHUP, _reload, site, wanted)
    _welcome(site, is_terminal)
    try:
        await asyncio.wait({serving, work}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop()
        await serving
        site.service.stop()
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
        await work
        _farewell(site)


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


def _unix_socket(state_dir: Path) -> socket.socket:
    """Everybody may knock at root's door; the kernel says who it is. Another's door is closed to others."""
    path = state_dir / "rota.sock"
    with contextlib.suppress(FileNotFoundError):
        path.unlink()  # of a daemon that was killed; the lock says that none is alive
    listener = socket.socket(socket.AF_UNIX)
    umask = os.umask(0o177)
    try:
        with short_path(path) as short:
            listener.bind(short)
    finally:
        os.umask(umask)
    path.chmod(0o666 if os.geteuid() == 0 else 0o600)
    listener.listen(1024)
    return listener


def _web_socket(wanted: Wanted, settings: Settings) -> socket.socket | None:
    """Where the page is served. A default port that another Rota has already gives way to a free one."""
    if wanted.no_web or not settings.web.enabled:
        return None
    listen = wanted.web or settings.web.listen
    is_default = wanted.web is None and "listen" not in settings.web.model_fields_set
    host, _, port = listen.rpartition(":")
    try:
        return socket.create_server((host.strip("[]"), int(port)), backlog=1024)
    except (OSError, ValueError, OverflowError) as failed:
        if is_default:
            return socket.create_server((host, 0), backlog=1024)
        why = failed.strerror if isinstance(failed, OSError) else str(failed)
        raise BadSettings(
            f"The page cannot be served at {listen}: {why}.\n"
            "Choose another port with --web 127.0.0.1:8421, a free one with --web 127.0.0.1:0, or none with --no-web."
        ) from None


def _web_url(listener: socket.socket | None) -> str | None:
    if listener is None:
        return None
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


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

"""What a replay is of: trace, fleet and rules, as a command line and a settings file say."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rota.errors import BadRequest
from rota.fleet.notation import parse_fleet
from rota.fleet.speeds import table_speeds
from rota.policy.quantum import DEFAULT_BOUNDS, Bounds
from rota.policy.values import Rules
from rota.simulate.replay.compare import Setting
from rota.simulate.replay.fit import fit
from rota.simulate.replay.information import Information
from rota.simulate.replay.members import draw_members
from rota.simulate.replay.traces import read_trace
from rota.simulate.replay.values import Trace

if TYPE_CHECKING:
    from rota.settings import Settings


@dataclass(frozen=True, slots=True)
class Stated:
    """That part of a command line; a `rota` command has checked numbers and names."""

    trace: Path
    fleet: str
    information: Information | None
    seed: int
    members: int | None
    projects: int | None
    skew: float
    shares: tuple[str, ...]  #: PROJECT=WEIGHT
    any_tier: bool
    config: Path | None


def add_stated(parser: argparse.ArgumentParser) -> None:
    """The words that `stated` understands."""
    parser.add_argument("trace", type=Path)
    parser.add_argument("--fleet", required=True)
    parser.add_argument("--information", type=Information)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--members", type=int)
    parser.add_argument("--projects", type=int)
    parser.add_argument("--skew", type=float, default=1.0)
    parser.add_argument("--share", action="append", dest="shares", default=[])
    parser.add_argument("--any-tier", action="store_true")
    parser.add_argument("--config", type=Path)


def stated(given: dict[str, Any]) -> Stated:
    """Taken out of what was parsed: what is left is the command's own."""
    mine = {field.name: given.pop(field.name) for field in fields(Stated)}
    return Stated(**{**mine, "shares": tuple(mine["shares"])})


def setting_of(wanted: Stated) -> Setting:
    """Everything read and made to fit. Raises BadRequest and BadSettings."""
    settings = _settings(wanted.config)
    fleet = parse_fleet(wanted.fleet, settings.tiers.order if settings else ())
    trace = read_trace(wanted.trace)
    if members := wanted.members or wanted.projects:
        trace = draw_members(trace, members, wanted.projects or 1, wanted.skew, wanted.seed)
    trace = fit(trace, fleet, any_tier=wanted.any_tier)
    rules = settings.rules() if settings else Rules()
    weights = {**rules.project_weights, **_weights(wanted.shares, trace)}
    rules = replace(rules, project_weights=weights, speeds={**table_speeds(fleet), **rules.speeds})
    bounds: Bounds = settings.turns.bounds() if settings else DEFAULT_BOUNDS
    return Setting(trace, fleet, wanted.fleet, rules, bounds, wanted.information, wanted.seed)


def _settings(path: Path | None) -> Settings | None:
    if path is None:
        return None
    from rota.settings import check_stated, load_settings  # noqa: PLC0415  (pydantic is slow to import, and few need it)

    return load_settings(check_stated(path))


def _weights(shares: Sequence[str], trace: Trace) -> dict[str, float]:
    """By project, from PROJECT=WEIGHT."""
    projects = sorted({job.project for job in trace.jobs if job.project})
    weights = {}
    for share in shares:
        project, _, number = share.rpartition("=")
        try:
            weight = float(number)
        except ValueError:
            weight = 0.0
        if not project or not 0 < weight <= 1e6:
            raise BadRequest(f"--share {share} is not PROJECT=WEIGHT. Write it like --share p1=2.")
        if not projects:
            raise BadRequest(
                f"--share {share} means no project, for {trace.name} names none. Draw some: --members 20 --projects 4"
            )
        if project not in projects:
            some = ", ".join(projects[:8]) + (", ..." if len(projects) > 8 else "")
            raise BadRequest(f"There is no project {project!r} in {trace.name}. Its projects: {some}.")
        weights[project] = weight
    return weights

"""`rota replay`: reads a trace, replays it under each policy, and says what came of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rota.errors import BadRequest
from rota.failures import failures_told
from rota.fleet.notation import parse_fleet
from rota.fleet.speeds import table_speeds
from rota.policy.quantum import DEFAULT_BOUNDS, Bounds
from rota.policy.values import Rules
from rota.simulate.replay.compare import Setting, replay_one
from rota.simulate.replay.days import Day, day_of
from rota.simulate.replay.decisions import check_decisions, write_decisions
from rota.simulate.replay.fit import fit
from rota.simulate.replay.information import Information
from rota.simulate.replay.members import draw_members
from rota.simulate.replay.progress import progress
from rota.simulate.replay.report import as_json, offered_load, report_of
from rota.simulate.replay.table import say_reports, say_trace
from rota.simulate.replay.traces import read_trace
from rota.simulate.replay.values import Replayed, Trace

if TYPE_CHECKING:
    from rota.settings import Settings


@dataclass(frozen=True, slots=True)
class Wanted:
    """The command line, checked."""

    trace: Path
    fleet: str
    policies: tuple[str, ...]
    information: Information | None
    seed: int
    members: int | None
    projects: int | None
    skew: float
    shares: tuple[str, ...]  #: PROJECT=WEIGHT
    any_tier: bool
    config: Path | None
    pictures: Path | None
    day: str | None
    decisions: Path | None
    as_json: bool


def main() -> None:
    """Read the command line and replay."""
    wanted = _read_command_line(sys.argv[1:])
    with failures_told(wanted.as_json):
        run(wanted)


def run(wanted: Wanted) -> None:
    """The whole of `rota replay`."""
    setting = _setting(wanted)
    day = day_of(wanted.day, setting.trace) if wanted.day else None
    _check_outputs(wanted)
    replays = _replay_each(setting, wanted)
    reports = [report_of(replayed) for replayed in replays]
    if wanted.decisions is not None:
        write_decisions(wanted.decisions, replays)
    if not wanted.as_json:
        print(say_trace(setting))
        print(f"\n{say_reports(reports)}")
    pictures = _draw(wanted.pictures, setting, replays, day) if wanted.pictures else []
    if wanted.as_json:
        print(json.dumps({**_about(setting), "policies": [as_json(one) for one in reports], "pictures": pictures}))
    elif pictures:
        print("\nPictures:", *pictures, sep="\n  ")


def _setting(wanted: Wanted) -> Setting:
    """Trace, fleet and rules, as the command line and the settings file say."""
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


def _check_outputs(wanted: Wanted) -> None:
    """What cannot be written is said now, not after minutes."""
    if wanted.decisions is not None:
        check_decisions(wanted.decisions)
    if wanted.pictures is not None:
        try:
            wanted.pictures.mkdir(parents=True, exist_ok=True)
        except OSError as failed:
            raise BadRequest(
                f"There can be no folder {wanted.pictures}: {failed.strerror}. Choose another with --pictures."
            ) from None


def _replay_each(setting: Setting, wanted: Wanted) -> list[Replayed]:
    keeps_turns = wanted.pictures is not None or wanted.decisions is not None
    replays = []
    for policy in wanted.policies:
        with progress(policy, len(setting.trace.jobs)) as show:
            replays.append(replay_one(setting, policy, show, keeps_turns=keeps_turns))
    return replays


def _draw(folder: Path, setting: Setting, replays: Sequence[Replayed], day: Day | None) -> list[str]:
    from rota.simulate.replay.pictures.draw import draw  # noqa: PLC0415  (Altair is slow to import)

    return [str(path) for path in draw(folder, setting, replays, day)]


def _about(setting: Setting) -> dict[str, Any]:
    return {
        "trace": setting.trace.name,
        "fleet": setting.fleet_text,
        "gpus": len(setting.fleet.gpus),
        "offered_load": offered_load(setting.trace, setting.fastest_gpus),
        "left_out": setting.trace.left_out,
        "seed": setting.seed,
    }


def _read_command_line(words: Sequence[str]) -> Wanted:
    """What `cli/replay.py` hands on; it has checked the numbers and names."""
    parser = argparse.ArgumentParser(prog="rota replay")
    parser.add_argument("trace", type=Path)
    parser.add_argument("--fleet", required=True)
    parser.add_argument("--policy", action="append", dest="policies", required=True)
    parser.add_argument("--information", type=Information)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--members", type=int)
    parser.add_argument("--projects", type=int)
    parser.add_argument("--skew", type=float, default=1.0)
    parser.add_argument("--share", action="append", dest="shares", default=[])
    parser.add_argument("--any-tier", action="store_true")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--day")
    parser.add_argument("--decisions", type=Path)
    parser.add_argument("--json", action="store_true", dest="as_json")
    given = vars(parser.parse_args(words))
    return Wanted(**{**given, "policies": tuple(given["policies"]), "shares": tuple(given["shares"])})

"""`rota replay`: reads a trace, replays it under each policy, and says what came of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rota.errors import BadRequest
from rota.failures import failures_told
from rota.simulate.replay.compare import Setting, replay_one
from rota.simulate.replay.days import Day, day_of
from rota.simulate.replay.decisions import check_decisions, write_decisions
from rota.simulate.replay.progress import progress
from rota.simulate.replay.report import as_json, offered_load, report_of
from rota.simulate.replay.setting import Stated, add_stated, setting_of, stated
from rota.simulate.replay.table import say_reports, say_trace
from rota.simulate.replay.values import Replayed


@dataclass(frozen=True, slots=True)
class Wanted:
    """The command line, checked."""

    stated: Stated
    policies: tuple[str, ...]
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
    setting = setting_of(wanted.stated)
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
    add_stated(parser)
    parser.add_argument("--policy", action="append", dest="policies", required=True)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--day")
    parser.add_argument("--decisions", type=Path)
    parser.add_argument("--json", action="store_true", dest="as_json")
    given = vars(parser.parse_args(words))
    return Wanted(stated(given), **{**given, "policies": tuple(given["policies"])})

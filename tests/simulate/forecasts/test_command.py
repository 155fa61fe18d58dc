"""`rota forecast score --trace`, as a person types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROTA = (sys.executable, "-m", "rota.cli.main", "forecast", "score")
JOBS = "submit_s,gpus,duration_s\n" + "".join(f"{10 * number},1,{100 + number}\n" for number in range(40))


def score(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ROTA, *words], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    (tmp_path / "jobs.csv").write_text(JOBS)
    return tmp_path


def test_it_says_how_many_began_by_each_bound_and_how_others_do(lab: Path) -> None:
    done = score("--trace", "jobs.csv", "--fleet", "h100:2", folder=lab)
    assert done.returncode == 0, done.stderr
    assert "jobs had to wait for a first turn" in done.stdout
    assert "began by the 90 % bound" in done.stdout
    assert "walking the queue with the mean" in done.stdout


def test_json_has_the_promised_names(lab: Path) -> None:
    done = score("--trace", "jobs.csv", "--fleet", "h100:2", "--json", folder=lab)
    answer = json.loads(done.stdout)
    promised = {
        "forecasts",
        "coverage_90",
        "median_below",
        "pinball",
        "pinball_mean_walk",
        "pinball_backfill",
        "wall_s",
    }
    assert promised <= answer.keys()
    assert answer["forecasts"] > 10
    assert answer["pinball"] < answer["pinball_mean_walk"]


def test_where_nobody_waits_there_is_nothing_to_score(lab: Path) -> None:
    done = score("--trace", "jobs.csv", "--fleet", "h100:40", folder=lab)
    assert done.returncode == 0
    assert "Nobody had to wait" in done.stdout
    answer = json.loads(score("--trace", "jobs.csv", "--fleet", "h100:40", "--json", folder=lab).stdout)
    assert (answer["forecasts"], answer["coverage_90"]) == (0, None)


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (("--trace", "jobs.csv"), "--fleet", 2),
        (("--trace", "none.csv", "--fleet", "h100:2"), "none.csv", 5),
        (("--trace", "jobs.csv", "--fleet", "h100:2", "--days", "3"), "--days", 2),
        (("--members", "3"), "--trace", 2),
        (("--ends",), "--trace", 2),
    ],
)
def test_what_makes_no_sense_is_said_in_a_line(lab: Path, words: tuple[str, ...], says: str, code: int) -> None:
    done = score(*words, folder=lab)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_ends_of_jobs_can_be_scored_too(lab: Path) -> None:
    answer = json.loads(score("--trace", "jobs.csv", "--fleet", "h100:2", "--ends", "--json", folder=lab).stdout)
    assert answer["ends"]["forecasts"] == answer["forecasts"]

"""`rota replay` as a person types it, with the exact text that they see."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import pytest

from rota.cli import replay as cli
from rota.cli.trace_options import INFORMATION
from rota.policy.baselines import POLICIES
from rota.simulate.replay.information import Information
from rota.simulate.replay.members import draw_members
from rota.simulate.replay.sacct import SACCT_COMMAND
from rota.simulate.replay.values import Trace
from tests.simulate.replay.builders import a_busy_trace

ROTA = (sys.executable, "-m", "rota.cli.main", "replay")
SMALL = "submit_s,gpus,duration_s\n0,1,7200\n600,1,60\n900,8,3600\n1000,1,0\n"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command left."""

    code: int
    out: str
    err: str


def rota_replay(folder: Path, *words: str, **environment: str) -> Said:
    done = subprocess.run(
        [*ROTA, *words], cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    return Said(done.returncode, done.stdout, done.stderr)


def write(path: Path, trace: Trace) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["job_id", "submit_s", "gpus", "duration_s", "member", "project"])
        rows.writerows([job.id, job.submit_s, job.gpus, job.duration_s, job.member, job.project] for job in trace.jobs)


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A folder with a small trace."""
    (tmp_path / "small.csv").write_text(SMALL)
    return tmp_path


# What is printed


def test_two_policies_side_by_side(lab: Path) -> None:
    said = rota_replay(lab, "small.csv", "--fleet", "h100:1", "--policy", "fifo", "srtf")
    assert said == Said(
        0,
        """\
small on h100:1 (1 GPU): 2 jobs, submitted over 10min, offered load 12.10
Left out: 1 job without a duration
Left out: 1 job too large for this fleet (up to 8 GPUs)

                                       fifo      srtf
known of run times                     none    oracle
average JCT                        1h 55min   1h 1min
  against fifo                         1.00      0.53
median JCT                         1h 55min   1h 1min
99th percentile JCT                1h 59min        2h
mean wait for the first turn          55min      none
  99th percentile                  1h 48min      none
  longest                          1h 50min      none
largest slowdown                      111.0      1.01
  99.9th percentile, jobs > 10min      1.00      1.01
finish-time fairness, 95th perc.       53.0      0.98
preemptions                               0         1
stop-and-resume cost                  0.00%     0.55%
makespan                            2h 1min   2h 1min
replayed in                        under 1s  under 1s
""",
        "",
    )


def test_json_has_the_figures_of_each_policy_and_nothing_else_is_printed(lab: Path) -> None:
    said = rota_replay(
        lab, "small.csv", "--fleet", "h100:1", "--policy", "fifo,srtf", "--information", "noisy", "--json"
    )
    answer = json.loads(said.out)
    assert said.err == ""
    assert [(one["policy"], one["information"], one["jobs"]) for one in answer["policies"]] == [
        ("fifo", "noisy", 2),
        ("srtf", "noisy", 2),
    ]
    fifo = answer["policies"][0]
    assert (fifo["avg_jct_s"], fifo["mean_first_wait_s"], fifo["preemptions"]) == (6930, 3300, 0)
    assert fifo["max_slowdown"] == 111
    assert answer["left_out"] == ["1 job without a duration", "1 job too large for this fleet (up to 8 GPUs)"]


def test_without_a_policy_rota_is_replayed_beside_what_a_laboratory_would_otherwise_have(lab: Path) -> None:
    answer = json.loads(rota_replay(lab, "small.csv", "--fleet", "h100:8", "--json").out)
    assert [one["policy"] for one in answer["policies"]] == ["rota", "fifo", "backfill"]


def test_all_policies(lab: Path) -> None:
    answer = json.loads(rota_replay(lab, "small.csv", "--fleet", "h100:8", "--policy", "all", "--json").out)
    told = {one["policy"]: one["information"] for one in answer["policies"]}
    never_ask = {"fifo": "none", "tiresias": "none"}
    assert told == dict.fromkeys(POLICIES, "noisy") | {"sjf": "oracle", "srtf": "oracle"} | never_ask


def test_on_a_terminal_it_is_shown_how_far_each_replay_has_come(lab: Path) -> None:
    write(lab / "busy.csv", a_busy_trace(1200))
    master, slave = pty.openpty()
    words = ["busy.csv", "--fleet", "h100:8", "--policy", "fifo"]
    done = subprocess.run([*ROTA, *words], cwd=lab, stdout=subprocess.PIPE, stderr=slave, check=True)
    os.close(slave)
    shown = os.read(master, 65536).decode()
    assert "fifo" in shown and "500/1200" in shown and "1200/1200" in shown
    assert b"500/1200" not in done.stdout


# The same every time


def test_the_same_trace_fleet_and_seed_give_the_same_decisions_to_the_last_bit(lab: Path) -> None:
    write(lab / "busy.csv", a_busy_trace())
    written = []
    for hash_seed in ("1", "2"):
        words = ("--fleet", "2x h100:4, a100:2", "--policy", "all", "--seed", "5", "--decisions", f"{hash_seed}.csv")
        assert rota_replay(lab, "busy.csv", *words, PYTHONHASHSEED=hash_seed).code == 0
        written.append((lab / f"{hash_seed}.csv").read_bytes())
    assert written[0] == written[1]
    rows = list(csv.DictReader((lab / "1.csv").open()))
    assert {row["policy"] for row in rows} == set(POLICIES)
    assert {row["preempted"] for row in rows} == {"0", "1"}


def test_another_seed_gives_other_decisions(lab: Path) -> None:
    write(lab / "busy.csv", a_busy_trace())
    for seed in ("5", "6"):
        words = ("--fleet", "h100:8", "--policy", "rota", "--seed", seed, "--decisions", f"{seed}.csv")
        assert rota_replay(lab, "busy.csv", *words).code == 0
    assert (lab / "5.csv").read_bytes() != (lab / "6.csv").read_bytes()


# Members, projects, tiers, settings


def test_members_are_drawn_and_jobs_of_a_project_with_a_larger_share_begin_sooner(lab: Path) -> None:
    trace = a_busy_trace(400)
    write(lab / "busy.csv", trace)
    drawn = {str(job.id): job for job in draw_members(trace, 6, 2, skew=1.0, seed=0).jobs}
    words = ("busy.csv", "--fleet", "h100:8", "--policy", "rota", "--members", "6", "--projects", "2")
    waits = []
    for share in ("p1=9", "p2=9"):
        assert rota_replay(lab, *words, "--share", share, "--decisions", "turns.csv").code == 0
        first_turns: dict[str, float] = {}
        for turn in csv.DictReader((lab / "turns.csv").open()):
            begun_s = float(turn["began_s"])
            first_turns[turn["job"]] = min(begun_s, first_turns.get(turn["job"], begun_s))
        waits.append(fmean(first_turns[id] - job.submit_s for id, job in drawn.items() if job.project == "p1"))
    assert waits[0] < 0.8 * waits[1]


def test_a_tier_that_the_fleet_lacks_leaves_jobs_out_unless_any_will_do(lab: Path) -> None:
    (lab / "tiers.csv").write_text("submit_s,gpus,duration_s,tiers\n0,1,60,h100\n5,1,60,a100|v100\n9,1,60,b200|h100\n")
    said = rota_replay(lab, "tiers.csv", "--fleet", "h100:1", "--policy", "fifo")
    assert said.out.splitlines()[1] == (
        "Left out: 1 job for tiers that are not in this fleet (a100|v100; --any-tier takes them along)"
    )
    said = rota_replay(lab, "tiers.csv", "--fleet", "h100:1", "--policy", "fifo", "--any-tier", "--json")
    assert json.loads(said.out)["policies"][0]["jobs"] == 3


def test_a_laboratorys_own_settings_are_in_force(lab: Path) -> None:
    write(lab / "busy.csv", a_busy_trace())
    (lab / "rota.toml").write_text('[turns]\nquantum = "8h"\n')
    words = ("busy.csv", "--fleet", "h100:8", "--policy", "rota", "--json")
    usual, long = (
        json.loads(rota_replay(lab, *words, *more).out)["policies"][0]["preemptions"]
        for more in ((), ("--config", "rota.toml"))
    )
    assert long < usual


# Mistakes


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["none.csv", "--fleet", "h100:8"], 5, "There is no file or folder none.csv. Look for it with: ls ."),
        (
            ["small.csv"],
            2,
            "On which GPUs? Say it with --fleet, for example --fleet h100:8,rtx3090:4\n"
            "For the options: rota replay --help",
        ),
        (
            ["small.csv", "--fleet", "h100x8"],
            2,
            "'h100x8' is not a fleet. Write it like h100:8,rtx3090:4 or 2x h100:8, 5x rtx3090:4.",
        ),
        (
            ["small.csv", "--fleet", "h100:8", "--policy", "lifo"],
            2,
            "Invalid value for '--policy': 'lifo' is not one of 'rota', 'fifo', 'backfill', 'multifactor', 'tiresias', "
            "'sjf', 'srtf', 'all'.\nFor the options: rota replay --help",
        ),
        (
            ["small.csv", "--fleet", "h100:8", "--share", "p1=2"],
            2,
            "--share p1=2 means no project, for small names none. Draw some: --members 20 --projects 4",
        ),
        (
            ["small.csv", "--fleet", "h100:8", "--members", "2", "--share", "p2=2"],
            2,
            "There is no project 'p2' in small. Its projects: p1.",
        ),
        (
            ["small.csv", "--fleet", "h100:8", "--members", "2", "--share", "p1=much"],
            2,
            "--share p1=much is not PROJECT=WEIGHT. Write it like --share p1=2.",
        ),
        (
            ["small.csv", "--fleet", "h100:8", "--members", "2", "--projects", "3"],
            2,
            "More projects than members: a drawn member belongs to one project. Raise --members.\n"
            "For the options: rota replay --help",
        ),
        (
            ["small.csv", "--fleet", "h100:8", "--pictures", "p", "--day", "2"],
            2,
            "--day 2 is not a day of small. Its submits span days 1 to 1.",
        ),
        (
            ["small.csv", "--fleet", "h100:8", "--pictures", "small.csv/p"],
            2,
            "There can be no folder small.csv/p: Not a directory. Choose another with --pictures.",
        ),
        (
            ["small.csv", "--fleet", "h100:8", "--decisions", "no/such/folder"],
            2,
            "The decisions cannot be written to no/such/folder: No such file or directory. "
            "Choose another file with --decisions.",
        ),
        (
            ["small.csv", "--fleet", "h100:8", "--config", "rota.tmol"],
            2,
            "There is no settings file rota.tmol. Look at the spelling, or leave --config out.",
        ),
        (
            ["large.csv", "--fleet", "h100:8"],
            2,
            "No job of large fits this fleet: 2 jobs too large for this fleet (up to 16 GPUs). "
            "Replay it on a larger --fleet.",
        ),
    ],
)
def test_a_mistake_is_a_sentence_and_an_exit_code(lab: Path, words: list[str], code: int, said: str) -> None:
    (lab / "large.csv").write_text("submit_s,gpus,duration_s\n0,16,60\n1,9,60\n")
    answer = rota_replay(lab, *words, "--json")
    assert (answer.code, answer.err) == (code, f"rota: {said}\n")
    error = {5: "no_such_thing"}.get(code, "bad_settings" if "settings" in said else "bad_request")
    assert json.loads(answer.out) == {"error": error, "message": said}


def test_decisions_of_an_earlier_replay_stay_when_this_one_fails(lab: Path) -> None:
    (lab / "decisions.csv").write_text("of last week\n")
    words = ("small.csv", "--fleet", "h100:8", "--decisions", "decisions.csv", "--pictures", "small.csv/p")
    assert rota_replay(lab, *words).code == 2
    assert (lab / "decisions.csv").read_text() == "of last week\n"


def test_without_json_a_mistake_is_told_on_stderr_alone(lab: Path) -> None:
    assert rota_replay(lab, "none.csv", "--fleet", "h100:8").out == ""


def test_a_file_beside_the_trace_is_never_taken_for_a_module(lab: Path) -> None:
    (lab / "statistics.py").write_text("raise SystemExit('imported')")
    assert rota_replay(lab, "small.csv", "--fleet", "h100:8", "--policy", "fifo").code == 0


# The command line knows the replay by name alone


def test_the_command_line_names_the_policies_that_there_are() -> None:
    assert tuple(POLICIES) == cli.POLICIES
    assert tuple(information.value for information in Information) == INFORMATION


def test_help_says_what_to_type_for_a_trace_of_ones_own_cluster() -> None:
    assert f"\n  {SACCT_COMMAND}\n" in cli.EPILOG


def test_help_says_what_each_policy_is(lab: Path) -> None:
    said = rota_replay(lab, "--help")
    for policy in POLICIES:
        assert f"\n    {policy:<12} " in said.out or f"\n  {policy:<12} " in said.out


@pytest.mark.parametrize(
    ("words", "spread"),
    [
        (["t", "--policy", "rota", "fifo"], ["t", "--policy", "rota", "--policy", "fifo"]),
        (["t", "--policy", "rota,fifo", "--json"], ["t", "--policy", "rota", "--policy", "fifo", "--json"]),
        (["--policy=rota,fifo", "t"], ["--policy=rota", "--policy=fifo", "t"]),
        (["--policy", "rota", "t", "fifo"], ["--policy", "rota", "t", "fifo"]),
        (["--policy", "rota", "--policy", "fifo"], ["--policy", "rota", "--policy", "fifo"]),
        (["t", "--policy"], ["t", "--policy"]),
    ],
)
def test_policies_may_be_written_in_each_of_the_usual_ways(words: list[str], spread: list[str]) -> None:
    assert cli.spread_policies(words) == spread


def test_completion_offers_the_policies() -> None:
    environment = {**os.environ, "_ROTA_COMPLETE": "bash_complete", "COMP_WORDS": "rota replay t --policy ti"}
    done = subprocess.run(
        [str(Path(sys.executable).parent / "rota")],
        env={**environment, "COMP_CWORD": "4"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "plain,tiresias"

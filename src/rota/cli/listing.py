"""`rota list`: the waiting list and the turns."""

from __future__ import annotations

from typing import Any

import click

from rota.cli.main import client, json_option, state_option
from rota.cli.output import coloured_state, print_answer
from rota.cli.tables import table
from rota.cli.told import oldest, when

EPILOG = """\b
Examples:
  rota list                 turns, then the waiting list in its order
  rota list --mine --all    everything of yours, also what has ended
  rota list --json | jq '.jobs[] | select(.state == "waiting") | .job'
"""
HEADS = ("JOB", "NAME", "MEMBER", "PROJECT", "STATE", "TURNS", "GPUS", "TIER", "WHEN", "WHY")


@click.command("list", epilog=EPILOG)
@click.option("--all", "-a", "all_jobs", is_flag=True, help="Also jobs that have ended (the latest thousand)")
@click.option("--mine", "-m", is_flag=True, help="Only your jobs")
@json_option
@state_option
def list_command(all_jobs: bool, mine: bool, as_json: bool) -> None:
    """Who has a turn, and who waits, in the order in which they would be served."""
    answer = client().get("/jobs", all=all_jobs, mine=mine)
    print_answer(answer, as_json, lambda shown: click.echo(listing(shown)))


def listing(answer: dict[str, Any]) -> str:
    """The list as people read it."""
    jobs, now = answer["jobs"], answer["at"]
    trouble = "".join(f"\n! {sentence}" for sentence in answer["trouble"])
    if not jobs:
        return f"Nobody waits and nothing runs. To be the first: rota run -- python train.py{trouble}"
    rows = [job_row(job, now) for job in jobs]
    states = [job["state"] for job in jobs]
    counts = [f"{states.count(state)} {state}" for state in ("running", "waiting", "held") if state in states]
    age = oldest(jobs, now)
    summary = ", ".join(counts) or "nothing runs or waits"
    return f"{table(HEADS, rows)}\n\n{summary}{f'; forecasts {age}' if age else ''}{trouble}"


def job_row(job: dict[str, Any], now: float) -> tuple[str, ...]:
    """One line; what was lost is told before anything else."""
    return (
        str(job["job"]),
        job["name"][:30],
        job["member"],
        job["project"],
        coloured_state(job["state"]),
        str(job["turns"]),
        str(job["gpus"]),
        job["tier"],
        when(job, now),
        job["told"] if job["told"] and job["state"] != "running" else job["reason"],
    )

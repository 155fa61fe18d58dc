"""`rota show`, `why`, `cancel`, `hold`, `release`, `give-back`, `move`: one job, or several."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from rota.cli import told
from rota.cli.client import Answer
from rota.cli.main import client, json_option, state_option
from rota.cli.output import coloured_state, print_answer, say_span, say_time
from rota.cli.tables import table
from rota.domain.counts import say_count
from rota.domain.sizes import say_size
from rota.errors import RotaError

MOST_AT_ONCE = 10_000


class JobNumbers(click.ParamType[Any]):
    """`12`, or `12-20`; a name completes to the jobs there are."""

    name = "job"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        first, sign, last = str(value).partition("-")
        if not first.isdigit() or (sign and not last.isdigit()) or len(str(value)) > 30:
            self.fail(f"{value!r} is not a job's number. Numbers are the first column of: rota list", param, ctx)
        numbers = range(int(first), int(last or first) + 1)
        if len(numbers) > MOST_AT_ONCE:
            self.fail(f"{value} names {len(numbers):,} jobs; at most {MOST_AT_ONCE:,} at once.", param, ctx)
        return list(numbers)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem  # noqa: PLC0415  (only while completing)

        try:
            jobs = client().get("/jobs")["jobs"]
        except RotaError:
            return []
        found = (job for job in jobs if str(job["job"]).startswith(incomplete))
        return [CompletionItem(str(job["job"]), help=job["name"]) for job in found]


class JobNumber(JobNumbers):
    """Exactly one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        numbers = super().convert(value, param, ctx)
        if len(numbers) != 1:
            self.fail(f"{value!r} names several jobs, and this takes one.", param, ctx)
        return numbers[0]


one_job = click.argument("job", type=JobNumber(), metavar="JOB")
some_jobs = click.argument("jobs", type=JobNumbers(), nargs=-1, required=True, metavar="JOB...")


# --- reading -------------------------------------------------------------------------------------


@click.command("show", epilog="\b\nExample:\n  rota show 12")
@one_job
@json_option
@state_option
def show_command(job: int, as_json: bool) -> None:
    """Everything about one job: what it asked for, its turns, every step."""
    print_answer(client().get(f"/jobs/{job}"), as_json, _show)


def _show(answer: Answer) -> None:
    job, asked = answer["job"], answer["request"]
    now = answer["at"]
    click.echo(f"Job {job['job']}  {click.style(job['name'], bold=True)}  {coloured_state(job['state'])}")
    for line in dict.fromkeys(line for line in (job["reason"], job["told"]) if line):
        click.echo(f"  {line}")
    facts = {
        "member": job["member"],
        "project": job["project"],
        "command": job["command"],
        "came from": job["origin"],
        "folder": answer["cwd"],
        "asked": _asked(asked),
        "checkpoint": asked["checkpoint"] or "none: one turn, cannot be stopped",
        "progress": f"{job['progress'][0]} of {job['progress'][1]}" if job["progress"] else "",
        "GPU time": say_span(job["attained_gpu_s"]) if job["attained_gpu_s"] else "",
        **told.facts(job, answer["reliability"], answer["at"]),
    }
    for name, value in facts.items():
        if value:
            click.echo(f"  {name:<11}{value}")
    if answer["turns"]:
        click.echo("\n" + table(("TURN", "WHERE", "FROM", "TO", "ENDED", "EXIT", "LOST"), _turn_rows(answer, now)))
    click.echo("\n" + table(("AT", "STEP", "WHY"), [_step_row(step, now) for step in answer["history"]]))


def _asked(asked: Answer) -> str:
    parts = [say_count(asked["gpus"], "GPU")]
    if asked["gpu_memory_bytes"]:
        parts.append(f"{say_size(asked['gpu_memory_bytes'])} each")
    parts.append("of " + (" or ".join(asked["tiers"]) or "any tier"))
    if asked["cpus"]:
        parts.append(f"{asked['cpus']} CPUs")
    if asked["memory_bytes"]:
        parts.append(f"{say_size(asked['memory_bytes'])} memory")
    if asked["time_s"]:
        parts.append(f"for {say_span(asked['time_s'])}")
    return ", ".join(parts)


def _turn_rows(answer: Answer, now: float) -> list[tuple[str, ...]]:
    return [
        (
            str(turn["number"]),
            " ".join(turn["gpus"]),
            say_time(turn["began_at"] or turn["granted_at"], now),
            say_time(turn["ended_at"], now),
            turn["outcome"] or turn["state"],
            "" if turn["exit_code"] is None else str(turn["exit_code"]),
            say_span(turn["lost_s"]) if turn["lost_s"] >= 1 else "",
        )
        for turn in answer["turns"]
    ]


def _step_row(step: Answer, now: float) -> tuple[str, ...]:
    subject = f"turn {step['id']}" if step["subject"] == "turn" else "job"
    return say_time(step["at"], now), f"{subject} {step['after']}", step["reason"]


@click.command("why", epilog="\b\nExample:\n  rota why 12")
@one_job
@json_option
@state_option
def why_command(job: int, as_json: bool) -> None:
    """Why a job waits, or runs where it does, in one to three sentences."""
    print_answer(client().get(f"/jobs/{job}/why"), as_json, _show_why)


def _show_why(answer: Answer) -> None:
    expected = told.sentence(answer["forecast"], answer["at"])
    click.echo("\n".join([*answer["sentences"], *([expected] if expected else [])]))


# --- changing ------------------------------------------------------------------------------------


def _for_each(jobs: tuple[list[int], ...], path: str, as_json: bool, body: Answer | None = None) -> None:
    """The same for several jobs: each is tried, and the first refusal is the command's own."""
    api, done = client(), []
    refusals: list[RotaError] = []
    for job in [number for numbers in jobs for number in numbers]:
        try:
            message = api.post(f"/jobs/{job}/{path}", body)["message"]
        except RotaError as refused:
            refusals.append(refused)
            continue
        done.append({"job": job, "message": message})
        if not as_json:
            click.echo(message)
    if as_json and not refusals:
        click.echo(json.dumps({"jobs": done}))
    for further in refusals[1:]:
        click.echo(f"rota: {further}", err=True)
    if refusals:
        raise refusals[0]


def _changer(name: str, meaning: str) -> Callable[..., Any]:
    """Cancel, hold, release and give-back differ in their word alone."""

    @click.command(name, help=meaning, epilog=f"\b\nExamples:\n  rota {name} 12\n  rota {name} 12-15 20")
    @some_jobs
    @json_option
    @state_option
    def command(jobs: tuple[list[int], ...], as_json: bool) -> None:
        _for_each(jobs, name, as_json)

    return command


cancel_command = _changer("cancel", "Give jobs up. A running one is stopped at once; what it saved stays.")
hold_command = _changer("hold", "Keep jobs off the waiting list. A running one saves first.")
release_command = _changer("release", "Put held jobs back on the waiting list.")
give_back_command = _changer("give-back", "End your turn early: the job saves, and is on the list again.")


@click.command("move", epilog="\b\nExample:\n  rota move 12 --tier rtx3090,a100")
@some_jobs
@click.option("--tier", required=True, metavar="T", help="Tiers it accepts from now on, or: any")
@json_option
@state_option
def move_command(jobs: tuple[list[int], ...], tier: str, as_json: bool) -> None:
    """Change which tiers a job accepts."""
    _for_each(jobs, "move", as_json, {"tiers": [part.strip() for part in tier.split(",") if part.strip()]})

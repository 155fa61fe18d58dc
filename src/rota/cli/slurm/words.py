"""What two books say differently, in words and tables."""

from __future__ import annotations

from typing import Any

import click

from rota.cli.client import Answer
from rota.cli.output import say_span, say_time
from rota.cli.tables import table
from rota.domain.counts import say_count

FINDING_HEADS = ("TURN", "SLURM JOB", "MEMBER", "PROJECT", "ENDED", "WHAT DIFFERS")
ACCOUNT_HEADS = ("PROJECT", "MEMBER", "TURNS", "SLURM JOBS", "GPU HOURS", "IN SLURM", "DIFFERENCE")

Finding = dict[str, Any]


def summary(answer: Answer) -> str:
    """The one sentence that matters."""
    of_jobs = sum(finding["kind"] == "not in rota" for finding in answer["findings"])
    differ = len(answer["findings"]) - of_jobs
    within = f"within {answer['tolerance_s']:g} s or {100 * answer['tolerance_part']:g} %"
    turns = say_count(answer["turns"], "turn")
    if not answer["turns"]:
        said = "No turn to compare"
    elif not differ:
        said = f"{turns}: all agree {within}" if answer["turns"] > 1 else f"{turns}, and it agrees {within}"
    else:
        agree = answer["turns"] - differ
        verbs = ("agrees" if agree == 1 else "agree", "differs" if differ == 1 else "differ")
        said = f"{turns}, {agree:,} {verbs[0]} {within}; {differ:,} {verbs[1]}"
    if of_jobs:
        said += f"; Slurm has {say_count(of_jobs, 'turn')} that Rota's record has not"
    return f"{said}."


def show_comparison(answer: Answer) -> None:
    """Summary, differences, sums, and what was not compared."""
    now = answer["now"]
    whose = f", turns of {answer['whose']}" if answer["whose"] else ""
    until = "now" if answer["until"] == now else say_time(answer["until"], now)
    click.echo(answer["sentence"])
    click.echo(f"From {say_time(answer['since'], now)} to {until}{whose}; Slurm's record: {answer['read']}.")
    for note in _notes(answer):
        click.echo(f"- {note}")
    if answer["findings"]:
        click.echo("\n" + table(FINDING_HEADS, [_row(finding, now) for finding in answer["findings"]]))
    if answer["accounts"]:
        sums = [*answer["accounts"], *_total(answer)]
        click.echo("\n" + table(ACCOUNT_HEADS, [_account(account) for account in sums]))


def finding_words(finding: Finding, now: float) -> str:
    """One difference as a sentence."""
    kind, hours = finding["kind"], _hours(finding["gpu_s"])
    if kind == "not in slurm":
        return f"Rota has {hours} GPU hours for it, Slurm has no job."
    if kind == "not in rota":
        return f"Slurm ran it for {hours} GPU hours, Rota has no such turn."
    if kind == "open in slurm":
        return f"It ended at {say_time(finding['ended_at'], now)}; in Slurm it has not ended."
    if kind == "open in rota":
        return f"In Slurm it ended at {say_time(finding['ended_at'], now)}; in Rota it has not ended."
    said = [_difference(one) for one in finding["differences"]]
    if kind == "double":
        jobs = len(finding["jobs"])
        said.insert(0, f"{jobs} jobs ran for one turn" if jobs > 1 else "Slurm ran its job several times")
    sentence = "; ".join(said)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _difference(one: dict[str, Any]) -> str:
    rota, slurm = one["rota"], one["slurm"]
    if one["what"] in ("begin", "end"):
        verb = "began" if one["what"] == "begin" else "ended"
        return f"it {verb} {say_span(abs(slurm - rota))} {'earlier' if slurm < rota else 'later'} in Slurm"
    if one["what"] == "gpu_s":
        return f"{_hours(rota)} GPU hours, in Slurm {_hours(slurm)}"
    if one["what"] == "gpus":
        return f"{say_count(rota, 'GPU')}, in Slurm {slurm}"
    if one["what"] == "nodes":
        return f"on {rota}, in Slurm on {slurm}"
    return f"{rota}'s, in Slurm {slurm}'s"


def _notes(answer: Answer) -> list[str]:
    """What was not compared, and why."""
    notes = (
        ("fresh", "turn", "ended just now and may not be in Slurm's record yet: not compared"),
        ("before_book", "turn", "ended before Slurm's file begins: not compared. Add the older file with --from"),
        ("outside", "turn", "ran on GPUs that are not Slurm's: not compared"),
        ("others", "Slurm job", "of another Rota: left out"),
        ("unmeasured", "Slurm job", "without a recorded number of GPUs: counted with those that the turn had in Rota"),
        ("unreadable", "line", "of Slurm's record cannot be read: left out"),
    )
    return [f"{say_count(answer[name], one)} {said}." for name, one, said in notes if answer[name]]


def _row(finding: Finding, now: float) -> tuple[str, ...]:
    jobs = ", ".join(finding["jobs"]) or "-"
    ended = say_time(finding["ended_at"], now) or "-"
    return finding["turn"], jobs, finding["member"], finding["project"] or "-", ended, finding["text"]


def _account(account: dict[str, Any]) -> tuple[str, ...]:
    rota, slurm = account["rota_gpu_s"], account["slurm_gpu_s"]
    apart = slurm - rota
    said = f"{'+' if apart > 0 else '-'}{say_span(abs(apart))}" if abs(apart) >= 1 else "none"
    part = f" ({100 * apart / rota:+.1f} %)" if rota and abs(apart) >= 1 else ""
    counts = f"{account['turns']:,}", f"{account['jobs']:,}"
    return account["project"] or "-", account["member"], *counts, _hours(rota), _hours(slurm), said + part


def _total(answer: Answer) -> list[dict[str, Any]]:
    """The sum of all accounts, where there are several."""
    if len(answer["accounts"]) < 2:
        return []
    names = ("turns", "jobs", "rota_gpu_s", "slurm_gpu_s")
    sums = {name: sum(account[name] for account in answer["accounts"]) for name in names}
    return [{"project": "all", "member": "", **sums}]


def _hours(gpu_s: float) -> str:
    return f"{gpu_s / 3600:,.2f}"

"""`rota import slurm-queue`: what is asked, shown and said."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence

import click

from rota.cli.main import client, json_option, state_option
from rota.cli.output import say_time
from rota.cli.tables import table
from rota.cli.take_over.asking import asking_options, is_wanted
from rota.cli.take_over.queue_import import Outcome, TakeOver
from rota.cli.take_over.queue_plan import Entry
from rota.domain.counts import say_count
from rota.errors import RotaError
from rota.slurm.commands import commands
from rota.slurm.queue import ENVIRONMENT

TIMEOUT_S = 60.0  # squeue --json of ten thousand jobs
HEADS = ("SLURM", "USER", "NAME", "TASKS", "GPUS", "WAITS SINCE", "ROTA")
QUEUE_EPILOG = """\b
Examples:
  rota import slurm-queue --dry-run       what would be taken over, and what not, and why
  sudo rota import slurm-queue            everybody's jobs, with the place that they have
  rota import slurm-queue --partition gpu --cancel

\b
Each job is first recorded in Rota and held there, then held in Slurm, and only then put on Rota's list: nothing runs
twice, and nothing is lost when it breaks off. To take up a broken one: type it again. More: docs/moving-to-rota.md
"""


@click.command("slurm-queue", epilog=QUEUE_EPILOG)
@click.option("--user", metavar="U", help="Only this member's jobs [default: yours; everybody's for root]")
@click.option("--partition", metavar="P", help="Only jobs of this partition")
@click.option("--project", metavar="P", help="What they are charged to where Slurm's account is no project of Rota's")
@click.option("--keep", "keeps", is_flag=True, help="Leave Slurm's jobs as they are; they are held in Rota")
@click.option("--cancel", "cancels", is_flag=True, help="Cancel them in Slurm, instead of holding them there")
@asking_options
@json_option
@state_option
def slurm_queue_command(
    user: str | None,
    partition: str | None,
    project: str | None,
    keeps: bool,
    cancels: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Take over the jobs that wait in Slurm: script, folder, environment, what they ask for and what they follow."""
    if keeps and cancels:
        raise click.UsageError("--keep and --cancel exclude each other.")
    import_ = TakeOver(commands(TIMEOUT_S, ENVIRONMENT), client(), project)
    entries = import_.entries(user, partition)
    wanted = [entry for entry in entries if entry.is_taken]
    if not as_json:
        click.echo(_plan(entries, import_))
    if dry_run or not wanted:
        if as_json:
            click.echo(_json([], entries, import_))
        return
    if not is_wanted(f"Take over {say_count(len(wanted), 'job')}?", yes, as_json):
        click.echo("Nothing was changed.")
        return
    try:
        outcomes = import_.take(wanted, keeps=keeps, cancels=cancels)
    except RotaError:
        click.echo(_broken_off(import_.outcomes), err=True)
        raise
    click.echo(_json(outcomes, entries, import_) if as_json else _said(outcomes, cancels))
    if any(outcome.failure for outcome in outcomes):
        sys.exit(1)


def _plan(entries: Sequence[Entry], import_: TakeOver) -> str:
    """What would become of each, and what is left out of them."""
    if not entries:
        return "Nothing waits in Slurm that could be taken over."
    lines = [table(HEADS, [_row(entry, import_) for entry in entries])]
    counts = Counter(remark for submit in import_.submits.values() for remark in submit.remarks)
    lines += ["", *(f"{say_count(count, 'job')}: {remark}" for remark, count in counts.most_common())] if counts else []
    taken = sum(entry.is_taken for entry in entries)
    return "\n".join([*lines, "", f"{taken} can be taken over, {len(entries) - taken} cannot."])


def _row(entry: Entry, import_: TakeOver) -> tuple[str, ...]:
    job, submit = entry.job, import_.submits.get(entry.job.id) if entry.is_taken else None
    rota = f"- {entry.why_not}"
    if entry.is_taken:
        follows = ", ".join(str(one.job) for one in entry.follows)
        rota = f"taken over{f', after {follows}' if follows else ''}{', held' if job.is_held else ''}"
        rota = f"goes on as job {entry.recorded.first}, which an import left half done" if entry.recorded else rota
    return (
        str(job.id),
        job.user,
        job.name[:30],
        str(len(job.tasks)) if job.tasks else "",
        f"{submit.body['gpus']} {','.join(submit.body['tiers']) or 'any'}" if submit else "",
        say_time(job.submitted_at, import_.now) if job.submitted_at else "",
        rota,
    )


def _said(outcomes: Sequence[Outcome], cancels: bool) -> str:
    """What became of each, and what to type next."""
    rows = [
        (str(one.job.id), one.job.user, one.job.name[:30], one.slurm, _numbers(one), one.failure or _state(one))
        for one in outcomes
    ]
    lines = [table(("SLURM", "USER", "NAME", "IN SLURM", "JOB", "IN ROTA"), rows)]
    held = " ".join(str(one.job.id) for one in outcomes if one.slurm == "held")
    if held:
        lines += ["", f"They are held in Slurm. To have them gone there: scancel {held}"]
        lines.append("To give one back to Slurm: rota cancel JOB, then scontrol release ITS-NUMBER-IN-SLURM")
    if any(one.slurm == "as it was" for one in outcomes):
        lines += ["", "They wait in Slurm as before, and are held in Rota so that none runs twice.",
                  "When one is cancelled in Slurm: rota release JOB"]  # fmt: skip
    failed = sum(bool(one.failure) for one in outcomes)
    lines += ["", f"{len(outcomes) - failed} taken over{f', {failed} not' if failed else ''}."]
    return "\n".join(lines)


def _state(outcome: Outcome) -> str:
    first = next(iter(outcome.jobs.values()))
    return f"held; rota release {first}" if outcome.is_held else "on the list"


def _numbers(outcome: Outcome) -> str:
    jobs = list(outcome.jobs.values())
    return "" if not jobs else str(jobs[0]) if len(jobs) == 1 else f"{jobs[0]}-{jobs[-1]}"


def _broken_off(outcomes: Sequence[Outcome]) -> str:
    recorded = [_numbers(one) for one in outcomes if one.jobs]
    if not recorded:
        return "rota: It broke off before anything was changed."
    return (
        f"rota: It broke off. Recorded so far: {', '.join(recorded)}; those that are held wait for Slurm to answer.\n"
        "Type the same again: it goes on where it stopped, and nothing is taken over twice."
    )


def _json(outcomes: Sequence[Outcome], entries: Sequence[Entry], import_: TakeOver) -> str:
    taken = [
        {
            "slurm": one.job.id,
            "user": one.job.user,
            "name": one.job.name,
            "jobs": list(one.jobs.values()),
            "is_held": one.is_held,
            "in_slurm": one.slurm,
            "failure": one.failure,
        }
        for one in outcomes
    ]
    listed = {one.job.id for one in outcomes}
    would = [
        {"slurm": entry.job.id, "user": entry.job.user, "name": entry.job.name}
        for entry in entries
        if entry.is_taken and entry.job.id not in listed
    ]
    skipped = [
        {"slurm": entry.job.id, "user": entry.job.user, "name": entry.job.name, "why": entry.why_not}
        for entry in entries
        if not entry.is_taken
    ]
    remarks = {str(number): list(submit.remarks) for number, submit in import_.submits.items() if submit.remarks}
    return json.dumps({"taken": taken, "would_take": would, "skipped": skipped, "remarks": remarks}, ensure_ascii=False)

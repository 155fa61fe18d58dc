"""`rota replay`: becomes the replay. Nothing of the simulation is imported here."""

from __future__ import annotations

from typing import Any

import click

from rota.cli.main import json_option
from rota.cli.trace_options import INFORMATION, become, trace_options, trace_words

#: A test holds these equal to the policies that there are.
POLICIES = ("rota", "fifo", "backfill", "multifactor", "tiresias", "sjf", "srtf")
#: Rota beside what a laboratory would otherwise have.
USUAL = ("rota", "fifo", "backfill")
EPILOG = """\b
TRACE is a CSV file (also .csv.gz) with submit_s,gpus,duration_s and, if known, job_id,member,project,tiers,time_s,
resumable; or a folder that rota export wrote; or the text of Slurm's sacct, got with:
  sacct -a -X -P -S 2026-01-01 -o JobID,User,Account,Submit,ElapsedRaw,AllocTRES,ReqTRES,Timelimit,State > jobs.txt

\b
Policies:
  rota         Rota's own, the very code that runs live
  fifo         first in, first out; the first in line holds up everybody behind it
  backfill     fifo with EASY backfill: later jobs begin early where that does not delay the first in line
  multifactor  like Slurm's priority/multifactor: age, fair share and size, with backfill
  tiresias     two queues by attained service, with preemption (NSDI 2019)
  sjf          shortest job first, without preemption
  srtf         shortest remaining time first, with preemption at once

\b
Examples:
  rota replay jobs.txt --fleet h100:8,rtx3090:4
  rota replay jobs.txt --fleet "2x h100:8" --any-tier              would two of these do?
  rota replay jobs.csv --fleet h100:8 --policy rota srtf --json
  rota replay jobs.csv --fleet h100:8 --policy all --pictures pictures --day 2026-03-02
  rota replay jobs.csv --fleet h100:8 --members 20 --projects 4 --share p1=2
"""


class ReplayCommand(click.Command):
    """Takes several policies after one --policy: `--policy rota fifo` and `--policy rota,fifo`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spread_policies(args))


def spread_policies(words: list[str]) -> list[str]:
    """Each policy with an option of its own.

    >>> spread_policies(["--policy", "rota", "fifo", "jobs.csv"])
    ['--policy', 'rota', '--policy', 'fifo', 'jobs.csv']
    """
    spread: list[str] = []
    takes_policies = False
    for place, word in enumerate(words):
        option, _, joined = word.partition("=")
        if option == "--policy":
            takes_policies = True
            spread += [f"--policy={name}" for name in joined.split(",")] if joined else []
        elif takes_policies and (words[place - 1] == "--policy" or word in (*POLICIES, "all")):
            for name in word.split(","):
                spread += ["--policy", name]
        else:
            takes_policies = False
            spread.append(word)
    return [*spread, "--policy"] if words[-1:] == ["--policy"] else spread


@click.command("replay", cls=ReplayCommand, epilog=EPILOG)
@click.argument("trace", type=click.Path())
@click.option(
    "--policy",
    "policies",
    type=click.Choice([*POLICIES, "all"]),
    multiple=True,
    help="Policies to compare, against the first [default: rota fifo backfill]",
)
@click.option(
    "--information",
    type=click.Choice(INFORMATION),
    help="What may be known of run times: none; noisy: a rough estimate at submit, progress later; oracle: everything "
    "[default: noisy; oracle for sjf and srtf; none for fifo and tiresias, which never ask]",
)
@trace_options
@click.option("--pictures", metavar="DIR", type=click.Path(), help="Draw pictures into this folder, as SVG and PNG")
@click.option("--day", metavar="N|DATE", help="Which day the picture of turns shows [default: a busy one]")
@click.option("--decisions", metavar="FILE", type=click.Path(), help="Write every turn to this CSV file")
@json_option
def replay_command(trace: str, as_json: bool, **options: Any) -> None:
    """Replay past jobs under Rota and under other policies, and compare.

    Needs no daemon and no GPU. The same trace, fleet and seed give the same decisions.
    """
    become("rota.simulate.replay", replay_words(trace, as_json, options))


def replay_words(trace: str, as_json: bool, options: dict[str, Any]) -> list[str]:
    """The command line of the replay; what only this command line can get wrong is refused."""
    words = trace_words(options)
    if options["day"] and not options["pictures"]:
        raise click.UsageError("--day chooses a picture's day. Say where to draw it, for example --pictures pictures")
    asked = options["policies"] or USUAL
    policies = POLICIES if "all" in asked else tuple(dict.fromkeys(asked))
    words += [f"--policy={policy}" for policy in policies]
    words += [f"--{name}={options[name]}" for name in ("pictures", "day", "decisions") if options[name] is not None]
    return [*words, *(["--json"] if as_json else []), "--", trace]

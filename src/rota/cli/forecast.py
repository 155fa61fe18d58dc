"""`rota forecast score`: how often turns began when it was promised."""

from __future__ import annotations

from typing import Any

import click

from rota.cli.client import Answer
from rota.cli.main import client, json_option, state_option
from rota.cli.output import print_answer, say_span
from rota.cli.tables import table
from rota.cli.trace_options import INFORMATION, become, trace_options, trace_words

DEFAULT_DAYS = 90
EPILOG = """\b
TRACE and FLEET are written as for rota replay (see rota replay --help).

\b
Examples:
  rota forecast score
  rota forecast score --days 7 --json
  rota forecast score --trace jobs.csv --fleet h100:8
"""
LEADS = {
    "hour": "within the hour",
    "day": "within a day",
    "week": "within a week",
    "later": "more than a week ahead",
}


@click.group("forecast", epilog="\b\nExample:\n  rota forecast score")
@state_option
def forecast_command() -> None:
    """How far forecasts can be believed."""


@forecast_command.command("score", epilog=EPILOG)
@click.option(
    "--days",
    type=click.IntRange(1, DEFAULT_DAYS),
    metavar="N",
    help=f"Turns that began in the last N days count [default: {DEFAULT_DAYS}]",
)
@click.option("--trace", metavar="TRACE", type=click.Path(), help="Score a replay of these past jobs instead")
@trace_options
@click.option(
    "--information",
    type=click.Choice(INFORMATION),
    help="What may be known of run times in the replay: none; noisy: a rough estimate at submit, progress later; "
    "oracle: everything [default: noisy]",
)
@click.option("--every", type=click.IntRange(1), help="Make a forecast for each N-th job that waits [default: enough]")
@click.option("--ends", is_flag=True, help="Forecast the ends of jobs as well; takes several times as long")
@json_option
@state_option
def score_command(
    days: int | None, trace: str | None, every: int | None, ends: bool, as_json: bool, **options: Any
) -> None:
    """How often turns began by the time that was promised when their job came onto the list.

    HELD is the part that began by the later end of the range, nine of ten if forecasts are right. BY LIKELY is the part
    that began before the likely moment, half if forecasts are right. OFF BY is how far off they were: for early, likely
    and late alike, in the mean (the quantile loss of Koenker and Bassett).

    With --trace, past jobs are replayed under Rota's policy, and each that has to wait gets a forecast from what was
    known at that moment. Needs no daemon and no GPU.
    """
    if trace is None:
        _refuse_without_trace({**options, "every": every, "ends": ends})
        print_answer(client().get(f"/forecast/score?days={days or DEFAULT_DAYS}"), as_json, _show)
        return
    if days is not None:
        raise click.UsageError("--days is of this laboratory's own forecasts; a --trace is scored whole.")
    words = [*trace_words(options), *([f"--every={every}"] if every else []), *(["--ends"] if ends else [])]
    words += ["--json"] if as_json else []
    become("rota.simulate.forecasts", [*words, "--", trace])


def _refuse_without_trace(options: dict[str, Any]) -> None:
    usual = {"seed": 0, "skew": 1.0}
    for name, value in options.items():
        if value and value != usual.get(name):
            option = "share" if name == "shares" else name.replace("_", "-")
            raise click.UsageError(f"--{option} is about a replay. Say of which jobs: --trace TRACE")


def _show(answer: Answer) -> None:
    click.echo(answer["sentence"])
    if not answer["forecasts"]:
        return
    whole = {**answer, "kind": "all"}
    leads = [{**row, "kind": LEADS.get(row["kind"], row["kind"])} for row in answer["by_lead"]]
    ends = [{**answer["ends"], "kind": "ends of jobs"}] if answer["ends"] else []
    rows = [_row(row) for row in (whole, *leads, *answer["by_tier"], *ends)]
    click.echo("\n" + table(("FORECASTS", "TURNS", "HELD", "BY LIKELY", "OFF BY"), rows))
    if answer["open"]:
        click.echo(f"\n{answer['open']} more are forecast and have not begun.")


def _row(row: Answer) -> tuple[str, str, str, str, str]:
    held, by_likely = (f"{100 * row[name]:.0f} %" for name in ("coverage_90", "median_below"))
    return row["kind"], str(row["forecasts"]), held, by_likely, say_span(row["pinball_s"])

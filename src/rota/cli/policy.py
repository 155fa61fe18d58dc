"""`rota policy explain`: the rules of the waiting list as they are in force now."""

from __future__ import annotations

import click

from rota.cli.client import Answer
from rota.cli.main import client, json_option, state_option
from rota.cli.output import print_answer, say_span, say_time
from rota.cli.tables import table

ORIGINS = {
    "stated": "rota.toml",
    "table": "table (docs/speeds.md)",
    "unknown": "not in the table: as the slowest",
}


@click.group("policy", epilog="\b\nExample:\n  rota policy explain")
@state_option
def policy_command() -> None:
    """By which rules the waiting list is served."""


@policy_command.command("explain", epilog="\b\nExample:\n  rota policy explain")
@json_option
@state_option
def explain_command(as_json: bool) -> None:
    """The settings in force, what was measured, and how long a first turn is waited for at most."""
    print_answer(client().get("/policy"), as_json, _show)


def _show(answer: Answer) -> None:
    rules, quantum = answer["rules"], answer["quantum"]
    facts = {
        "quantum": quantum["sentence"],
        "without --checkpoint": f"one turn of at most {say_span(rules['default_limit_s'])}, or of --time",
        "half-life": f"{say_span(rules['half_life_s'])}: what was used so long ago counts half",
        "patience": f"{say_span(rules['patience_s'])} of waiting for a first turn: then first of its member's jobs",
        "slowdown": f"{rules['most_slowdown']:g} times its run time since its submit: then first of its member's jobs",
        "credit": f"{say_span(rules['credit_s'])} of its share is what an idle project saves up",
    }
    width = max(map(len, facts))
    for name, said in facts.items():
        click.echo(f"{name:<{width}}  {said}")
    _show_shares(answer)
    _show_tiers(answer)
    _show_times(answer)
    click.echo("\nFirst turn")
    for sentence in answer["bound"]["sentences"]:
        click.echo(f"  {sentence}")


def _show_shares(answer: Answer) -> None:
    rows = [
        (
            one["project"],
            f"{one['weight']:g}",
            "none now" if one["share"] is None else f"{100 * one['share']:.0f} %",
            say_span(one["usage_gpu_s"]) if one["usage_gpu_s"] >= 1 else "",
            say_span(one["early_gpu_s"]) if one["early_gpu_s"] >= 1 else "",
        )
        for one in answer["shares"]
    ]
    if rows:
        click.echo("\n" + table(("PROJECT", "WEIGHT", "SHARE", "GPU TIME LATELY", "MAY HAVE EARLY"), rows))


def _show_tiers(answer: Answer) -> None:
    rows = [
        (
            tier["tier"],
            str(tier["gpus"]),
            f"{tier['weight']:g}",
            f"{tier['speed']:.2f}",
            ORIGINS.get(tier["origin"]) or f"{tier['jobs']} jobs here, and the table",
        )
        for tier in answer["tiers"]
    ]
    click.echo("\n" + table(("TIER", "GPUS", "COSTS", "SPEED", "SPEED FROM"), rows))


def _show_times(answer: Answer) -> None:
    """Reservations and deadlines."""
    now = answer["at"]
    for one in answer["reservations"]:
        who = ", ".join([*one["members"], *(f"project {project}" for project in one["projects"])])
        where = f" of {' or '.join(one['tiers'])}" if one["tiers"] else ""
        span = f"{say_time(one['begins_at'], now)} to {say_time(one['ends_at'], now)}"
        click.echo(f"\nReserved: {one['gpus']} GPUs{where} for {one['name']} ({who}), {span}")
    for one in answer["deadlines"]:
        click.echo(f"\nDeadline: {one['project']} {say_time(one['at'], now)}; {_deadline(one, now)}")


def _deadline(one: Answer, now: float) -> str:
    if now < one["begins_at"]:
        since = say_time(one["begins_at"], now)
        return f"from {since} on it may have some of its share early, and pays it back afterwards"
    if now < one["at"]:
        return f"it may be {say_span(max(one['early_gpu_s'], 1.0))} of GPU time ahead of its share, and pays it back"
    return "it is over, and what was had early is being paid back"

"""`rota run --dry-run --compare`: what if I ask for less? The same job asked for in several ways, side by side."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from rota.cli.client import Answer, Client
from rota.cli.tables import table
from rota.cli.told import said, say_speed
from rota.domain.durations import say_duration

HEADS = ("ASKED", "BEGINS", "DONE", "CHANGES")
MOST_AT_ONCE = 8  # variants in one question to the daemon
#: Differences are said in such steps, seconds, and smaller ones not at all.
STEPS_S = ((3 * 3600.0, 600.0), (36 * 3600.0, 1800.0), (float("inf"), 3600.0))
AT_ONCE_S = (30.0, 300.0)  #: what begins likely, and at the latest, within so many seconds begins at once
LIKELY = "Changes are between the likely moments; a range leaves out one case in ten at either end."
SAME_HOURS = "Fewer GPUs are counted with the same GPU-hours: half of them take twice the --time."
LIKE_JOBS = "Without --time, fewer GPUs are counted as long as like jobs on so many took; state one to compare them."


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to ask for the job."""

    name: str
    gpus: int
    tiers: tuple[str, ...]
    time_s: float | None
    pace: str = ""  #: how fast it is against what was asked


@dataclass(frozen=True, slots=True)
class Tier:
    """What there is to choose from."""

    name: str
    memory_bytes: int  #: of its largest GPU
    speed: float


def compare(api: Client, body: Answer) -> tuple[list[Answer], float]:
    """Every variant with what it changes, and when that was. Raises NoDaemon, ApiError."""
    ways = variants(body, _tiers(api))
    answers = [api.post("/forecast/compare", _question(body, some)) for some in _in_parts(ways)]
    found = [one for answer in answers for one in answer["variants"]]
    return [_row(way, one, found[0]) for way, one in zip(ways, found, strict=True)], answers[0]["at"]


def variants(body: Answer, tiers: list[Tier]) -> list[Variant]:
    """As asked; for less time; on other tiers; on fewer GPUs."""
    gpus, asked, time_s = body["gpus"], tuple(tier for tier in body["tiers"] if tier != "any"), body.get("time_s")
    ways = [Variant("as asked", gpus, asked, time_s)]
    if time_s is not None:
        ways.append(Variant(f"--time {say_duration(time_s / 2).replace(' ', '')}", gpus, asked, time_s / 2))
    fitting = [tier for tier in tiers if tier.memory_bytes >= body["gpu_memory_bytes"] and (tier.name,) != asked]
    if len(tiers) > 1:
        here = _speed_asked(asked, tiers)
        ways += [
            Variant(f"--tier {tier.name}", gpus, (tier.name,), time_s, _pace(tier.speed / here)) for tier in fitting
        ]
    fewer = gpus // 2
    while fewer >= 1:
        longer_s = time_s * gpus / fewer if time_s is not None else None
        ways.append(Variant(f"--gpus {fewer}", fewer, asked, longer_s))
        fewer //= 2
    return ways


def _speed_asked(asked: tuple[str, ...], tiers: list[Tier]) -> float:
    """Of the fastest tier that would do as asked."""
    return max(tier.speed for tier in tiers if not asked or tier.name in asked)


def _pace(times_as_fast: float) -> str:
    return say_speed(times_as_fast) if times_as_fast != 1 else ""


def _tiers(api: Client) -> list[Tier]:
    memory: dict[str, int] = {}
    for gpu in api.get("/fleet")["gpus"]:
        memory[gpu["tier"]] = max(memory.get(gpu["tier"], 0), gpu["memory_bytes"])
    return [Tier(one["tier"], memory.get(one["tier"], 0), one["speed"]) for one in api.get("/policy")["tiers"]]


def _in_parts(ways: list[Variant]) -> Iterator[list[Variant]]:
    for first in range(0, len(ways), MOST_AT_ONCE):
        yield ways[first : first + MOST_AT_ONCE]


def _question(body: Answer, ways: list[Variant]) -> Answer:
    """The CompareBody of api/forecast_schemas.py."""
    same = ("project", "member", "name", "gpu_memory_bytes", "cpus", "memory_bytes")
    return {
        "variants": [{"gpus": way.gpus, "tiers": list(way.tiers), "time_s": way.time_s} for way in ways],
        "command": shlex.join(body["argv"][:50]),
        "checkpoint": body.get("checkpoint") is not None,
        **{name: body[name] for name in same if name in body},
    }


def _row(way: Variant, found: Answer, asked: Answer) -> Answer:
    """A variant with what it changes, in seconds; negative: sooner."""
    return {
        "name": way.name,
        "pace": way.pace,
        **found,
        "begins_later_s": _later_s(found["begin"], asked["begin"]),
        "done_later_s": _later_s(found["finish"], asked["finish"]),
    }


def _later_s(one: Answer | None, other: Answer | None) -> float | None:
    return one["likely"] - other["likely"] if one and other else None


# --- for people ----------------------------------------------------------------------------------


def shown(rows: list[Answer], body: Answer, now: float) -> str:
    """The table, and what it was counted with."""
    lines = [table(HEADS, [_cells(row, now) for row in rows])]
    if all(row["refused"] or _is_at_once(row["begin"], now) for row in rows):
        lines.append("All begin at once: nobody waits for these GPUs.")
    if any(row["done_later_s"] for row in rows):
        lines.append(LIKELY)
    if body["gpus"] > 1:
        lines.append(SAME_HOURS if body.get("time_s") is not None else LIKE_JOBS)
    if body.get("tasks"):
        lines.append("For one of its jobs, as if it came alone.")
    return "\n".join(lines)


def _cells(row: Answer, now: float) -> tuple[str, str, str, str]:
    if row["refused"]:
        return row["name"], "", "", row["refused"].partition("\n")[0]
    changes = [
        change
        for change in (_change("begins", row["begins_later_s"]), _change("done", row["done_later_s"]))
        if change and row["name"] != "as asked"
    ]
    same = "about the same" if row["name"] != "as asked" and row["begins_later_s"] is not None else ""
    pace = f" ({row['pace']})" if row["pace"] else ""
    begins = "now" if _is_at_once(row["begin"], now) else _when(row["begin"], now)
    return row["name"], begins, _when(row["finish"], now), (", ".join(changes) or same) + pace


def _is_at_once(begin: Answer | None, now: float) -> bool:
    """Free GPUs are taken at the next plan, whatever earlier forecasts were off by."""
    return begin is not None and begin["likely"] <= now + AT_ONCE_S[0] and begin["late"] <= now + AT_ONCE_S[1]


def _when(told: Answer | None, now: float) -> str:
    return said(told, now, has_likely=False) if told else "not known"


def _change(what: str, later_s: float | None) -> str:
    """`begins 3h sooner`.

    >>> _change("begins", -10900.0), _change("done", 5500.0), _change("done", 200.0)
    ('begins 3h sooner', 'done 1h 30min later', '')
    """
    if later_s is None:
        return ""
    step_s = next(step for most, step in STEPS_S if abs(later_s) <= most)
    rounded_s = round(abs(later_s) / step_s) * step_s
    return f"{what} {say_duration(rounded_s)} {'later' if later_s > 0 else 'sooner'}" if rounded_s else ""

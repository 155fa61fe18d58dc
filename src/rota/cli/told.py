"""What a member is told of a job's next turn and end, from what the API knows of them. In the member's own zone."""

from __future__ import annotations

from rota.cli.client import Answer
from rota.cli.output import say_time
from rota.domain.forecasts import Range
from rota.domain.ranges import say_age, say_kept, say_moment, say_range, step_s
from rota.domain.sizes import say_size


def range_of(told: Answer | None) -> Range | None:
    """The value behind a RangeView."""
    return Range(told["early"], told["likely"], told["late"]) if told else None


def said(told: Answer | None, now: float, *, has_likely: bool = True) -> str:
    """A RangeView in words; "" for none."""
    known = range_of(told)
    return say_range(known, now, has_likely=has_likely) if known else ""


def is_known(forecast: Answer | None) -> bool:
    """Whether there is a forecast behind it at all."""
    return forecast is not None and forecast["made_at"] is not None


def when(job: Answer, now: float) -> str:
    """For a list: when the next turn begins, until when the present one is guaranteed and what follows, or the end."""
    turn, forecast = job["turn"], job["forecast"]
    if job["ended_at"] is not None:
        return say_time(job["ended_at"], now)
    if turn is not None:
        until, then = turn["guaranteed_until"], after_turn(forecast, now)
        present = f"until {say_time(until, now)}" if until > now else f"since {say_time(turn['granted_at'], now)}"
        return f"{present}, {then}" if forecast["begin"] else then or present
    if job["state"] != "waiting":
        return ""
    return said(forecast["begin"], now, has_likely=False) or by_at_latest(forecast, now)


def after_turn(forecast: Answer | None, now: float) -> str:
    """Of a running job: when it has its next turn, or, if it needs none, when it is done; "" while nothing is known."""
    if forecast is None:
        return ""
    begin, finish = (said(forecast[name], now, has_likely=False) for name in ("begin", "finish"))
    if begin:
        return f"again {begin}"
    return f"done {finish}" if finish else ""


def by_at_latest(forecast: Answer, now: float) -> str:
    """The plain bound, for as long as there is no forecast."""
    return f"by {say_time(forecast['at_latest'], now)}" if forecast["at_latest"] is not None else ""


def _turn_name(forecast: Answer) -> str:
    return "first turn" if forecast["turn"] == 1 else "next turn"


def facts(job: Answer, reliability: Answer, now: float) -> dict[str, str]:
    """For `rota show`: begin, end, how good such forecasts are, why it shifted."""
    forecast = job["forecast"]
    begin, finish = said(forecast["begin"], now), said(forecast["finish"], now)
    if not begin and not finish:
        return {"next turn": by_at_latest(forecast, now) if job["state"] == "waiting" else ""}
    where = f", on {forecast['tier']}" if forecast["tier"] and begin else ""
    return {
        _turn_name(forecast): f"{begin}{where}" if begin else "",
        "done": finish,
        "forecast": "; ".join(
            part for part in (say_kept(reliability["kept"], reliability["of"]), _age(forecast, now)) if part
        ),
        "shifted": reliability["shift"],
    }


def sentence(forecast: Answer, now: float) -> str:
    """For `rota why`: when it begins and is done, in one sentence; "" while nothing is known."""
    begin, finish = said(forecast["begin"], now), said(forecast["finish"], now)
    parts = [f"Its {_turn_name(forecast)}: {begin}"] if begin else []
    parts += [f"done: {finish}" if begin else f"Done: {finish}"] if finish else []
    age = _age(forecast, now)
    return "; ".join(parts) + (f" ({age})." if age else ".") if parts else ""


def oldest(jobs: list[Answer], now: float) -> str:
    """The age of the oldest forecast of a list, where that matters."""
    made_at = [job["forecast"]["made_at"] for job in jobs if is_known(job["forecast"])]
    return say_age(min(made_at), now) if made_at else ""


def _age(forecast: Answer, now: float) -> str:
    return say_age(forecast["made_at"], now) if forecast["made_at"] is not None else ""


# --- rota run ------------------------------------------------------------------------------------


def after_submit(ahead: Answer) -> list[str]:
    """What `rota run` says when the job is on the list: the lines after its number."""
    job, now = ahead["job"], ahead["at"]
    turn, forecast = job["turn"], job["forecast"]
    finish = said(forecast["finish"], now)
    done = f" Done: {finish}." if finish else ""
    if turn is not None:
        return [f"It begins now, on {turn['node']} ({turn['tier']}).{done}"]
    begin, latest = said(forecast["begin"], now), by_at_latest(forecast, now)
    if job["state"] != "waiting":
        return []  # it has ended already
    if job["place"] is None:
        return [ask_later(job["job"])]
    if not (begin or latest):
        return [job["reason"]]
    line = f"{_ordinal(ahead['place'])} in line{_for_tiers(job['tier'])}." if ahead["place"] else job["reason"]
    line += " Your first turn: "
    if not begin:
        return [f"{line}{latest} at the latest. {ask_later(job['job'])}"]
    return [f"{line}{begin}.{done}", *_elsewhere(ahead, now)]


def ask_later(job: int) -> str:
    """What to type when nothing is known within the moment that a submit may take."""
    return f"For its forecast: rota show {job}"


def _elsewhere(ahead: Answer, now: float) -> list[str]:
    there, job = ahead["elsewhere"], ahead["job"]
    if there is None:
        return []
    asked = ahead["gpu_memory_bytes"]
    memory = f"fits {say_size(asked)}" if asked else f"{say_size(there['memory_bytes'])} of memory"
    start = f"You can start now on {there['tier']} ({memory}, {say_speed(there['times_as_fast'])})"
    finish = range_of(job["forecast"]["finish"])
    if there["finish_at"] is not None and finish is not None:
        step = step_s(finish, now)
        here, other = (say_moment(at, now, step_s=step) for at in (finish.likely, there["finish_at"]))
        day = other.partition(" ")[0] + " "
        start += f": finish likely {other} instead of {here.removeprefix(day)}"
    return [f"{start}. Type: rota move {job['job']} --tier {there['tier']}"]


def say_speed(times_as_fast: float) -> str:
    """How fast one tier is against another.

    >>> say_speed(0.385), say_speed(1.5), say_speed(1.02)
    ('about 2.6x slower', 'about 1.5x faster', 'about as fast')
    """
    if abs(times_as_fast - 1) < 0.05:
        return "about as fast"
    return f"about {times_as_fast:.1f}x faster" if times_as_fast > 1 else f"about {1 / times_as_fast:.1f}x slower"


def _for_tiers(tiers: str) -> str:
    return "" if tiers == "any" else f" for {tiers.replace(',', ' or ')}"


def _ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"

"""When time alone could change the plan."""

from __future__ import annotations

from typing import Protocol

from rota.policy.order import IDLE_QUANTA
from rota.policy.rank import NEVER
from rota.policy.standing import Standing
from rota.policy.values import Begin

#: What accounts have received changes all the time, and with it who comes before whom: turns past their quantum are
#: weighed anew so many times a quantum.
WEIGHED_A_QUANTUM = 8


class Decided(Protocol):
    """What was decided just now."""

    begins: list[Begin]


def look_again_at(standing: Standing, decided: Decided, at: float) -> float | None:
    """The next moment at which the same laboratory could be planned differently; epoch seconds."""
    times = [begin.limit_at for begin in decided.begins if begin.limit_at is not None]
    if (limit_at := standing.next_limit_at()) is not None:
        times.append(limit_at)
    somebody_waits = sum(standing.shapes.values()) > len(decided.begins)
    if somebody_waits or standing.conditions or standing.reservations or len(standing.tiers) > 1:
        times += [begin.guaranteed_until for begin in decided.begins]
        if (until := standing.next_guarantee_at()) is not None:
            times.append(until)
    if somebody_waits:
        times += [standing.worsens_at(running, at) for running in standing.open.values() if running.may_worsen]
        times += [line.next_due_at() for line in standing.lines.values()]
        if standing.open and _several_accounts(standing):
            times.append(at + standing.rules.quantum_s / WEIGHED_A_QUANTUM)
        times += _idle_members(standing)
    for one in standing.reservations:
        times += [one.begins_at, one.ends_at]
    return min([moment for moment in times if at < moment < NEVER], default=None)


def _several_accounts(standing: Standing) -> bool:
    """Whether those who wait, and those who could be stopped for them, are not all of one account."""
    if len(standing.lines) == 1:
        return False
    accounts = {account for account, line in standing.lines.items() if line}
    accounts.update((running.job.project, running.job.member) for running in standing.open.values())
    return len(accounts) > 1


def _idle_members(standing: Standing) -> list[float]:
    """When a member who has nothing running has waited long enough to go first."""
    times = []
    for (_, member), line in standing.lines.items():
        if line and not standing.held_by[member]:
            since = line.waits_since()
            waits_since = max(since, standing.served_until.get(member, since))
            times.append(waits_since + IDLE_QUANTA * standing.rules.quantum_s)
    return times

"""Jobs that come from another waiting list: where from, and since when they have waited there."""

from __future__ import annotations

import time

from rota.daemon.books import Draft
from rota.daemon.commands import Submit
from rota.domain.members import Member
from rota.errors import BadRequest, NotAllowed, NotNow

LONGEST_WAIT_S = 5 * 366 * 86400.0  # a date further back is a mistyped year


def refuse_since(waiting_since: float | None, by: Member, at: float) -> None:
    """Who has waited elsewhere keeps their place, on an administrator's word. Raises NotAllowed, BadRequest."""
    if waiting_since is None:
        return
    if not by.is_admin:
        raise NotAllowed(f"Only an administrator says since when a job has waited elsewhere; you are {by.name}.")
    if waiting_since > at:
        raise BadRequest(f"{say_moment(waiting_since)} is in the future, so nobody has waited since then.")
    if waiting_since < at - LONGEST_WAIT_S:
        raise BadRequest(f"{say_moment(waiting_since)} is more than five years ago. Look at the year.")


def refuse_twice(command: Submit, draft: Draft) -> None:
    """What is on the list already is not taken over again: an import may be repeated. Raises NotNow.

    Only the same member's count: nobody keeps another's job away by giving one of theirs its origin.
    """
    if not command.origin:
        return
    same = (job.id for job in draft.open_jobs() if job.origin == command.origin and job.member == command.member)
    known = next(same, None)
    if known is not None:
        raise NotNow(f"{command.origin} was taken over already: it is job {known}. See: rota show {known}")


def asked(command: Submit) -> str:
    """What was asked for, as it stands in the job's history."""
    parts = ["submit", "held" if command.is_held else ""]
    parts.append(f"taken over from {command.origin}" if command.origin else "")
    parts.append(f"waiting since {say_moment(command.waiting_since)}" if command.waiting_since is not None else "")
    return ", ".join(part for part in parts if part)


def terms(command: Submit) -> tuple[str, ...]:
    """What its member is told of when the wait begins."""
    held = ("It is held until you release it: rota release and its number.",) if command.is_held else ()
    if command.waiting_since is None:
        return held
    return (*held, f"It counts as waiting since {say_moment(command.waiting_since)}.")


def say_moment(at: float) -> str:
    """A time that means the same to everybody, as the record needs it."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))

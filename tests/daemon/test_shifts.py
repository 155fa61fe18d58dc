"""A turn that is no longer expected when it was promised, and what changed in between."""

from __future__ import annotations

from rota.daemon.commands import Cancel, Mark
from rota.daemon.shifts import Shift
from rota.domain.forecasts import Range
from rota.domain.gpus import Condition
from rota.domain.members import Member
from tests.builders import a_fleet
from tests.daemon.forecasting import foretell, soon
from tests.daemon.live import ROOT, Live, a_live

LEE = Member("lee", 1001)


def promised(gpus: int = 1) -> tuple[Live, int, int]:
    """One of two GPUs' jobs is expected to be done soon; a third waits and was promised a turn then."""
    live = a_live(a_fleet(lab=("h100", 2)))
    runs = live.submit(member="lee")
    live.submit(member="park")
    live.run(1.0)
    waits = live.submit(gpus=gpus)
    foretell(live, {runs: soon(live, 100.0, 200.0, 300.0), waits: soon(live, 600.0, 1000.0, 1400.0)})
    return live, runs, waits


def shift_of(live: Live, job: int) -> Shift | None:
    return live.core.forecasts.shift_of(job)


def everybody(live: Live, **begins: Range) -> dict[int, Range]:
    """A forecast for each open job: those named, and the others soon."""
    named = {int(name.removeprefix("job")): begin for name, begin in begins.items()}
    return {job: named.get(job, soon(live)) for job in live.core.books.jobs}


def test_a_turn_that_is_expected_inside_what_was_promised_has_not_shifted() -> None:
    live, _, waits = promised()
    foretell(live, everybody(live, **{f"job{waits}": soon(live, 900.0, 1390.0, 2000.0)}))
    assert shift_of(live, waits) is None
    foretell(live, everybody(live, **{f"job{waits}": soon(live, 1000.0, 1430.0, 2000.0)}))
    assert shift_of(live, waits) is None  # half a minute is not worth telling


def test_jobs_that_came_since_and_go_first_are_named() -> None:
    live, _, waits = promised()
    newer, last = live.submit(member="choi"), live.submit(member="choi")
    late, later = soon(live, 2000.0, 3000.0, 4000.0), soon(live, 5000.0, 6000.0, 7000.0)
    foretell(live, everybody(live, **{f"job{waits}": late, f"job{last}": later}))
    shift = shift_of(live, waits)
    assert shift is not None
    assert shift.is_later
    assert shift.came_before == (newer,)
    assert shift.promised.late == live.at + 1400.0


def test_a_job_that_takes_longer_is_named_and_one_that_ended_when_expected_is_not() -> None:
    live, runs, waits = promised()
    longer = soon(live, 3000.0, 4000.0, 5000.0)
    foretell(live, everybody(live, **{f"job{waits}": soon(live, 2000.0, 3000.0, 4000.0), f"job{runs}": longer}))
    shift = shift_of(live, waits)
    assert shift is not None
    assert (shift.ends_later, shift.came_before) == ((runs,), ())


def test_gpus_that_are_out_of_service_since_are_counted() -> None:
    live, _, waits = promised()
    live.ask(Mark(ROOT, ("gpu-0",), Condition.DRAINED))
    foretell(live, everybody(live, **{f"job{waits}": soon(live, 2000.0, 3000.0, 4000.0)}))
    shift = shift_of(live, waits)
    assert shift is not None
    assert shift.out_of_service == 1


def test_a_turn_that_comes_sooner_has_its_cause_too() -> None:
    live, runs, waits = promised(gpus=2)
    live.ask(Cancel(LEE, runs))
    live.run(5.0)
    foretell(live, everybody(live, **{f"job{waits}": soon(live, 100.0, 300.0, 500.0)}))
    shift = shift_of(live, waits)
    assert shift is not None
    assert not shift.is_later
    assert (shift.ends_sooner, shift.ends_later) == ((runs,), ())


def test_a_shift_is_over_when_the_turn_begins_or_is_expected_as_promised_again() -> None:
    live, _, waits = promised()
    late = soon(live, 2000.0, 3000.0, 4000.0)
    foretell(live, everybody(live, **{f"job{waits}": late}))
    assert shift_of(live, waits) is not None
    foretell(live, everybody(live, **{f"job{waits}": soon(live, 600.0, 1000.0, 1400.0)}))
    assert shift_of(live, waits) is None
    foretell(live, everybody(live, **{f"job{waits}": late}))
    live.run(300.0)
    assert live.core.books.jobs[waits].turns >= 1
    assert shift_of(live, waits) is None


def test_after_a_restart_a_shift_is_told_without_its_cause() -> None:
    live, _, waits = promised()
    live.restart()
    live.submit(member="choi")
    foretell(live, everybody(live, **{f"job{waits}": soon(live, 2000.0, 3000.0, 4000.0)}))
    shift = shift_of(live, waits)
    assert shift is not None
    assert (shift.came_before, shift.ends_later) == ((), ())

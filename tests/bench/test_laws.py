"""The laws as `make bench-replay` measures them: small replays, written down turn by turn."""

from __future__ import annotations

from bench.replay.flood import flooded, lengthened
from bench.replay.shares import deviations, nothing_waits, waits_of
from bench.replay.waits import member_waits

from rota.simulate.replay.fairness import WEEK_S
from rota.simulate.replay.values import PastJob, PastTurn, Replayed, Trace, TraceJob

HOUR_S = 3600.0


def a_past(id: int, *spans: tuple[float, float], at: float = 0.0, gpus: int = 1, who: str = "p1/kim") -> PastJob:
    """A job with a turn in each span, finished at the end of the last."""
    project, _, member = who.partition("/")
    run_s = sum(ended_s - began_s for began_s, ended_s in spans)
    return PastJob(TraceJob(id, at, gpus, run_s, member, project), spans[0][0], spans[-1][1], len(spans))


def a_replay(*pasts: tuple[PastJob, list[tuple[float, float]]], gpus: int = 2) -> Replayed:
    turns = [
        PastTurn(past.job.id, tuple("abcdefgh"[: past.job.gpus]), began_s, ended_s, ended_s < past.finish_s)
        for past, spans in pasts
        for began_s, ended_s in spans
    ]
    jobs = tuple(past for past, _ in pasts)
    return Replayed("t", "h100:2", "rota", "none", jobs, tuple(turns), tuple("abcdefgh"[:gpus]), 0.0, 0.0, 0.0)


def job_of(id: int, *spans: tuple[float, float], **more: object) -> tuple[PastJob, list[tuple[float, float]]]:
    return a_past(id, *spans, **more), list(spans)  # type: ignore[arg-type]  # names checked at run time


def test_a_job_waits_before_its_first_turn_and_between_turns() -> None:
    past, spans = job_of(1, (10.0, 20.0), (20.0, 30.0), (50.0, 60.0))
    turns = a_replay((past, spans)).turns
    assert waits_of(past, turns) == [(0.0, 10.0), (30.0, 50.0)]


def test_a_project_with_nothing_waiting_for_a_while_is_not_backlogged() -> None:
    replayed = a_replay(job_of(1, (0.0, 10.0), (30.0, 40.0)), job_of(2, (35.0, 50.0)))
    assert nothing_waits(replayed, widest=8)["p1"] == [(35.0, float("inf"))]
    replayed = a_replay(job_of(1, (0.0, 10.0), (30.0, 40.0)), job_of(2, (35.0, 50.0), at=32.0))
    assert nothing_waits(replayed, widest=8)["p1"] == [(0.0, 10.0), (30.0, 32.0), (35.0, float("inf"))]


def test_a_job_wider_than_a_node_makes_no_backlog() -> None:
    replayed = a_replay(job_of(1, (20.0, 30.0), gpus=2))
    assert nothing_waits(replayed, widest=1)["p1"] == [(0.0, float("inf"))]


def test_a_backlogged_project_is_held_against_its_share() -> None:
    """Two GPUs, two projects of equal weight: p1 has one and a half of them for eight days, p2 half a one."""
    until_s = 8 * 86400.0
    half = [(day * 86400.0, (day + 0.5) * 86400.0) for day in range(8)]
    rest = [(ended_s, ended_s + 43200.0) for _, ended_s in half]
    replayed = a_replay(
        job_of(1, (0.0, until_s)),
        job_of(2, *half),
        job_of(3, *rest, who="p2/lee"),
        job_of(4, (until_s, until_s + 1), who="p1/kim"),  # somebody of each always waits
        job_of(5, (until_s, until_s + 1), who="p2/lee"),
        job_of(6, (until_s, until_s + 1), who="p1/kim", at=until_s),  # the last submit
    )
    found = deviations(replayed, {}, widest=8)
    points = {(one.project, round(one.points, 3)) for one in found if one.began_s in (0.0, 86400.0)}
    assert points == {("p1", 25.0), ("p2", -25.0)}
    assert len(found) == 2 * (24 + 1)
    assert {round(one.share, 6) for one in found} == {0.5}


def test_no_week_no_figure() -> None:
    replayed = a_replay(job_of(1, (WEEK_S - 10, WEEK_S)), job_of(2, (0.0, 10.0), at=0.0))
    assert deviations(replayed, {}, widest=8) == []


def test_a_member_with_nothing_running_waits_until_any_turn_begins() -> None:
    replayed = a_replay(
        job_of(1, (2 * HOUR_S, 3 * HOUR_S), (5 * HOUR_S, 6 * HOUR_S)),
        job_of(2, (4 * HOUR_S, 5 * HOUR_S), at=HOUR_S),
    )
    waits = [(wait.began_s / HOUR_S, wait.ended_s / HOUR_S, wait.quanta) for wait in member_waits(replayed, HOUR_S, 8)]
    assert waits == [(0.0, 2.0, 2.0), (3.0, 4.0, 1.0)]


def test_a_wait_while_more_members_than_gpus_are_active_does_not_count() -> None:
    crowd = [job_of(n, (HOUR_S * n, HOUR_S * (n + 1)), who=f"p1/m{n}") for n in range(3)]
    assert [wait.member for wait in member_waits(a_replay(*crowd, gpus=3), HOUR_S, 8)] == ["m1", "m2"]
    assert member_waits(a_replay(*crowd, gpus=2), HOUR_S, 8) == []


def test_a_flood_is_a_thousand_jobs_at_once() -> None:
    trace = Trace("t", (TraceJob(1, 0.0, 1, 9.0, "kim", "p1"), TraceJob(2, 50.0, 1, 9.0, "lee", "p2")))
    jobs = flooded(trace, "lee", 20.0, 4, 60.0).jobs
    assert len(jobs) == 1002
    assert jobs[1] == TraceJob(3, 20.0, 4, 60.0, "lee", "p2")
    assert len({job.id for job in jobs}) == 1002
    assert jobs[-1].id == 2


def test_what_a_flood_lengthens_is_told_in_quanta_and_who_was_alone() -> None:
    early = job_of(1, (0.0, 10.0))
    plain = a_replay(early, job_of(2, (100.0, 200.0), at=100.0), job_of(3, (120.0, 300.0), at=110.0))
    flood = job_of(9, (100.0, 100.0 + HOUR_S), at=90.0, who="p2/lee")
    late = job_of(2, (100.0 + HOUR_S, 200.0 + HOUR_S), at=100.0)
    found = lengthened(plain, a_replay(early, late, job_of(3, (120.0, 300.0), at=110.0), flood), "lee", HOUR_S)
    assert [(one.job.id, one.quanta, one.is_first) for one in found] == [(2, 1.0, True), (3, 0.0, False)]

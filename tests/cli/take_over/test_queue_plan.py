"""Which waiting jobs of Slurm's come over, and in which order."""

from __future__ import annotations

from dataclasses import replace

from rota.cli.take_over.queue_plan import Entry, Followed, Taken, followed, plan
from rota.slurm.queue import Queued

NOW = 1_000_000.0


def a_job(id: int = 1, **changes: object) -> Queued:
    """A batch job that waits for its GPUs."""
    job = Queued(
        id, "kim", f"job-{id}", "PENDING", "Resources", priority=1000 - id, submitted_at=NOW - 1000 + id, cluster="lab"
    )
    return replace(job, **changes)  # type: ignore[arg-type]  # names are checked at run time


def ids(entries: list[Entry]) -> list[int]:
    return [entry.job.id for entry in entries if entry.is_taken]


def why_not(*queue: Queued, taken: dict[int, Taken] | None = None) -> str:
    """Of the first job of the queue."""
    entries = plan(queue, taken or {}, NOW)
    return next(entry.why_not for entry in entries if entry.job == queue[0])


def test_jobs_come_in_the_order_of_slurms_queue() -> None:
    queue = [a_job(1, priority=5), a_job(2, priority=9), a_job(3, priority=5, submitted_at=NOW - 5000)]
    assert ids(plan(queue, {}, NOW)) == [2, 3, 1]


def test_what_is_followed_comes_first_whatever_its_place() -> None:
    queue = [a_job(1), a_job(2, priority=9999, dependency="afterok:3(unfulfilled)"), a_job(3, priority=1)]
    assert ids(plan(queue, {}, NOW)) == [3, 2, 1]


def test_a_long_chain_comes_whole() -> None:
    chain = [a_job(n, priority=n, dependency=f"afterok:{n - 1}" if n > 1 else "") for n in range(1, 3001)]
    assert ids(plan(chain, {}, NOW)) == list(range(1, 3001))


def test_a_job_stays_when_what_it_follows_stays_and_so_do_those_that_follow_it() -> None:
    queue = [a_job(1, state="RUNNING"), a_job(2, dependency="afterok:1"), a_job(3, dependency="afterany:2")]
    entries = plan(queue, {}, NOW)
    assert ids(entries) == []
    assert [entry.why_not for entry in entries] == [
        "it follows Slurm's job 1, which stays there", "it follows Slurm's job 2, which stays there",
    ]  # fmt: skip


def test_a_job_comes_when_what_it_follows_came_before() -> None:
    taken = {1: Taken({None: 12}, "running")}
    queue = [a_job(1, comment="rota job 12"), a_job(2, dependency="afterok:1")]
    assert ids(plan(queue, taken, NOW)) == [2]


def test_what_cannot_come_says_why() -> None:
    assert "no script" in why_not(a_job(is_batch=False))
    assert "heterogeneous" in why_not(a_job(is_part=True))
    assert "does not say which" in why_not(a_job(is_cut=True))
    assert "--begin" in why_not(a_job(eligible_at=NOW + 60))
    assert "administrator" in why_not(a_job(reason="JobHeldAdmin"))
    assert "no such dependency" in why_not(a_job(dependency="singleton(unfulfilled)"))
    assert "no such dependency" in why_not(a_job(dependency="afterok:3?afterok:4"))
    assert "held in Slurm" in why_not(a_job(tasks=(1,), reason="JobHeldUser"), a_job(tasks=(2, 3)))


def test_a_job_that_its_member_holds_comes_held() -> None:
    (entry,) = plan([a_job(reason="JobHeldUser", priority=0)], {}, NOW)
    assert entry.is_taken
    assert entry.job.is_held


def test_turns_of_rotas_own_are_never_taken_for_jobs() -> None:
    assert plan([a_job(name="rota.12.1.bert"), a_job(2, comment="rota 0123456789ab 12.1")], {}, NOW) == []


def test_what_came_before_is_known_by_its_comment_or_by_rota() -> None:
    assert why_not(a_job(comment="rota job 12; mine")) == "it was taken over already: job 12"
    assert "which is finished" in why_not(a_job(), taken={1: Taken({None: 12}, "finished")})
    assert "other tasks" in why_not(a_job(tasks=(3,)), taken={1: Taken({1: 12, 2: 13}, "held")})


def test_an_import_that_broke_off_goes_on_with_the_jobs_that_it_recorded() -> None:
    known = Taken({None: 12}, "held")
    (entry,) = plan([a_job()], {1: known}, NOW)
    assert entry.is_taken
    assert entry.recorded == known


def test_only_what_was_asked_about_is_looked_at() -> None:
    queue = [a_job(1), a_job(2, user="lee"), a_job(3, partition="gpu,big")]
    assert ids(plan(queue, {}, NOW, users=frozenset(["lee"]))) == [2]
    assert ids(plan(queue, {}, NOW, partition="big")) == [3]


def test_dependencies_are_read_as_squeue_shows_them() -> None:
    assert followed("afterok:29_3(unfulfilled),afterany:30_*(unfulfilled)") == (
        Followed(29, 3), Followed(30, None, any_end=True),
    )  # fmt: skip
    assert followed("") == ()
